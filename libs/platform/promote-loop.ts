import type { Clock } from '#core';
import { stepPromotions, type PromotionParts } from '#engine';

const LOOK_MS = 1000;

export interface PromoteLoop {
  /** Looks at once, or once more when it is looking. */
  wake(): void;
  /** Resolves when nothing is being stepped. */
  stop(): Promise<void>;
}

/** Takes promotions on: once a second, and whenever something happened that they may wait for. One look at a time. */
export function startPromoting(parts: PromotionParts, clock: Clock): PromoteLoop {
  let stopped = false;
  let again = false;
  let looking: Promise<void> | null = null;
  let cancel = (): void => undefined;
  const look = (): void => {
    cancel();
    if (stopped) return;
    if (looking !== null) {
      again = true;
      return;
    }
    again = false;
    looking = stepPromotions(parts)
      .then(() => undefined)
      .catch((error: unknown) => parts.observer.problem('looking for promotions', error))
      .finally(() => {
        looking = null;
        if (again) look();
        else if (!stopped) cancel = clock.schedule(LOOK_MS, look);
      });
  };
  look();
  return {
    wake: look,
    stop: async () => {
      stopped = true;
      cancel();
      await looking;
    },
  };
}
