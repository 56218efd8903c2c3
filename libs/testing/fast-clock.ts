import type { Clock } from '#core';

/** For tests with real connections: time passes, so many times as fast. */
export function fastClock(times: number): Clock {
  const start = Date.now();
  return {
    now: () => new Date(start + (Date.now() - start) * times),
    schedule: (ms, callback) => {
      const timer = setTimeout(callback, ms / times);
      return () => clearTimeout(timer);
    },
  };
}
