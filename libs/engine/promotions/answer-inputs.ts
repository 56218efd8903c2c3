import { inputAnswer, type AlertInsert, type InputAnswer, type PromotionCase, type WaitingBuild } from '#core';
import { aboutPromotion } from './promotion-alerts.ts';
import type { PromotionParts } from './promotion-parts.ts';

/**
 * Answers the builds that wait for promotions that have been decided on, wherever that was done. The outbox carries the
 * answers there. May be called at any time, by several at once.
 */
export async function answerInputs(parts: PromotionParts): Promise<void> {
  for (const waiting of await parts.promotions.inputsToAnswer()) {
    try {
      const known = await parts.promotions.promotionCase(waiting.promotionId);
      const answer = known === null ? null : inputAnswer(known.promotion.state);
      if (known === null || answer === null) continue;
      await parts.promotions.answerInput(waiting, answer, await answerTo(parts, waiting, known, answer));
    } catch (error) {
      parts.observer.problem('answering a build', error, { promotion: waiting.promotionId });
    }
  }
}

async function answerTo(
  { promotions, alertDefaults }: Pick<PromotionParts, 'promotions' | 'alertDefaults'>,
  { buildUrl, input }: WaitingBuild,
  known: PromotionCase,
  answer: InputAnswer,
): Promise<AlertInsert> {
  const { id, environment, release } = known.promotion;
  const alias = (await promotions.release(release))?.alias ?? release.slice(0, 12);
  const goesOn = answer === 'proceed';
  const news = {
    event: goesOn ? ('promotion.approved' as const) : ('promotion.failed' as const),
    title: goesOn ? 'lets the build that waits for it go on' : 'ends the build that waits for it',
    asks: false,
  };
  return {
    ...{ environment, pipeline: 'promotion', event: news.event, target: `jenkins:${buildUrl}` },
    message: { ...aboutPromotion(known, news, alias, alertDefaults), input: { id: input, answer } },
    // As every alert about a promotion: beside the runs, below zero.
    runId: `-${id}`,
    state: 'pending',
    detail: null,
  };
}
