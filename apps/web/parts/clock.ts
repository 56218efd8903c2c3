import { useSyncExternalStore } from 'react';

/** One timer for everything on the page that tells time; it stands still while nobody looks at the tab. */
function ticker(everyMs: number): (listener: () => void) => () => void {
  const listeners = new Set<() => void>();
  let timer: ReturnType<typeof setInterval> | undefined;
  return (listener) => {
    listeners.add(listener);
    timer ??= setInterval(() => {
      if (!document.hidden) for (const one of listeners) one();
    }, everyMs);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  };
}

const everySecond = ticker(1000);
const everyTenSeconds = ticker(10_000);
const never = () => () => undefined;

/** Epoch milliseconds, rounded down to the pace, so that a render in between shows the same. */
export function useNow(pace: 'second' | 'ten_seconds' | 'still'): number {
  const stepMs = pace === 'second' ? 1000 : 10_000;
  return useSyncExternalStore(
    pace === 'second' ? everySecond : pace === 'ten_seconds' ? everyTenSeconds : never,
    () => Math.floor(Date.now() / stepMs) * stepMs,
  );
}
