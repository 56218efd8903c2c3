import { otherInstallation, type PromotionCase, SluiceError } from '#core';
import type { PromotionParts } from './promotion-parts.ts';

/**
 * What was asked of another installation and is wanted here no more is cancelled there. Tried until the other one answers;
 * what has switched or ended there stays as it is, and the gate says so.
 */
export async function cancelElsewhere(parts: PromotionParts): Promise<void> {
  for (const id of await parts.promotions.unwantedElsewhere()) {
    try {
      const known = await parts.promotions.promotionCase(id);
      if (known !== null) await cancel(parts, known);
    } catch (error) {
      parts.observer.problem('cancelling a promotion in another installation', error, { promotion: id });
    }
  }
}

async function cancel(parts: PromotionParts, { promotion, gates }: PromotionCase): Promise<void> {
  const gate = otherInstallation(promotion.plan.rules);
  const position = gates.findIndex(({ kind }) => kind === 'installation');
  const asked = gates[position];
  const there = asked?.evidence['promotion'];
  if (gate === null || asked === undefined || typeof there !== 'string') return;
  const detail = await parts.elsewhere.cancel(gate, there).then(
    () => `Promotion ${there} there is cancelled, as it is here: ${promotion.state}.`,
    (error: unknown) => {
      if (!(error instanceof SluiceError) || error.code === 'unavailable' || error.code === 'internal') throw error;
      return `Promotion ${there} there was not cancelled: ${error.message}`;
    },
  );
  const { kind, name, evidence } = asked;
  await parts.promotions.recordGates(promotion.id, [{ position, kind, name, state: 'failed', detail, evidence }]);
}
