import { isStoppedBuild, type PromotionState, type WaitingBuild } from '#core';
import type { PromotionParts } from './promotion-parts.ts';

/** The Jenkins whose builds wait for promotions. */
export interface Builds {
  /** How a build ended; null: it goes on. One that is gone has ended, too. Rejects when that cannot be known now. */
  resultOf(buildUrl: string): Promise<string | null>;
}

const ACTOR = 'Jenkins';
/** States in which a promotion still waits for what its build was stopped at. */
const UNDECIDED: readonly PromotionState[] = ['queued', 'gates', 'approval'];

/**
 * Looks whether the builds that wait for promotions still do: what a stopped build asked for nobody asks for any more,
 * and the environment must not wait for it. Any number of processes may do this; each build is looked at once in `everyMs`.
 */
export async function lookAtBuilds(
  parts: Pick<PromotionParts, 'promotions' | 'observer'> & { readonly builds: Builds },
  everyMs: number,
): Promise<void> {
  for (const waiting of await parts.promotions.takeInputsToLookAt(everyMs)) {
    try {
      const result = await parts.builds.resultOf(waiting.buildUrl);
      if (result !== null) await ended(parts, waiting, result);
    } catch (error) {
      parts.observer.problem('looking at a build', error, { build: waiting.buildUrl });
    }
  }
}

async function ended(
  { promotions }: Pick<PromotionParts, 'promotions'>,
  { promotionId, ...waiting }: WaitingBuild,
  result: string,
): Promise<void> {
  if (isStoppedBuild(result) && !(await promotions.isAwaitedElsewhere(promotionId, waiting))) {
    const known = await promotions.promotionCase(promotionId);
    const state = known?.promotion.state;
    const why = `The build that waited for it ended: ${result}.`;
    // Cancelled first: a crash in between leaves an input that is looked at once more.
    if (state !== undefined && UNDECIDED.includes(state))
      await promotions.movePromotion(promotionId, state, 'cancelled', why, ACTOR);
  }
  await promotions.closeInput(waiting, 'ended');
}
