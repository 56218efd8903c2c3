import type { Clock } from '#core';
import { stepPromotions, type PromotionParts } from '#engine';
import { startLooking, type LookLoop } from './look-loop.ts';

const LOOK_MS = 1000;

/** Takes promotions on: once a second, and whenever something happened that they may wait for. */
export function startPromoting(parts: PromotionParts, clock: Clock): LookLoop {
  const look = (): Promise<void> =>
    stepPromotions(parts)
      .then(() => undefined)
      .catch((error: unknown) => parts.observer.problem('looking for promotions', error));
  return startLooking(look, LOOK_MS, clock);
}
