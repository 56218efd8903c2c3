import type { Clock } from '#core';

export interface LookLoop {
  /** Looks at once, or once more when it is looking. */
  wake(): void;
  /** Resolves when it looks no more. */
  stop(): Promise<void>;
}

/** Between looks of loops that are woken when there is something to do: what a glance missed is found all the same. */
export const UNASKED_MS = 30_000;

/** Looks again and again, `everyMs` after the last look ended, and whenever it is woken; one look at a time. `look` never throws. */
export function startLooking(look: () => Promise<void>, everyMs: number | (() => number), clock: Clock): LookLoop {
  let stopped = false;
  let again = false;
  let looking: Promise<void> | null = null;
  let cancel = (): void => undefined;
  const wake = (): void => {
    cancel();
    if (stopped) return;
    if (looking !== null) {
      again = true;
      return;
    }
    again = false;
    looking = look().finally(() => {
      looking = null;
      if (again) wake();
      else if (!stopped) cancel = clock.schedule(typeof everyMs === 'number' ? everyMs : everyMs(), wake);
    });
  };
  wake();
  return {
    wake,
    stop: async () => {
      stopped = true;
      cancel();
      await looking;
    },
  };
}
