import type { Clock } from '#core';

/** The real time. Timers do not keep the process alive longer than its other work. */
export const systemClock: Clock = {
  now: () => new Date(),
  schedule: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};
