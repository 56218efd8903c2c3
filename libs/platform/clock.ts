import type { Clock } from '#core';

/** The real time. A timer keeps the process alive until it rings or is cancelled. */
export const systemClock: Clock = {
  now: () => new Date(),
  schedule: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};
