import type { Clock } from '#core';
import { stepPromotions, type PromotionParts } from '#engine';
import { startLooking, UNASKED_MS, type LookLoop } from './look-loop.ts';

/** Takes promotions on whenever it is woken: while there are some, and when something happened that they may wait for. */
export function startPromoting(parts: PromotionParts, clock: Clock): LookLoop {
  const look = (): Promise<void> =>
    stepPromotions(parts)
      .then(() => undefined)
      .catch((error: unknown) => parts.observer.problem('looking for promotions', error));
  return startLooking(look, UNASKED_MS, clock);
}
