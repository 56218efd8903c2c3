import {
  type Caller,
  gateName,
  otherInstallation,
  type PromotionRules,
  SluiceError,
  type VouchedVerification,
} from '#core';
import type { PromotionParts } from './promotion-parts.ts';
import type { PromotionRequest } from './promotion-request.ts';

/**
 * What a caller states of environments of another installation. Throws `conflict` for one that is known here: what was
 * verified in it is known here too.
 */
export function vouchedBy(
  caller: Caller,
  verified: PromotionRequest['verified'],
  { environments, clock }: Pick<PromotionParts, 'environments' | 'clock'>,
): VouchedVerification[] {
  const now = clock.now().getTime();
  return verified.map(({ environment, at }) => {
    if (environments.get(environment) !== null)
      throw new SluiceError('conflict', `"${environment}" is an environment of this installation.`, {
        hint: 'What was verified there is known here; only of environments of other installations it can be stated.',
      });
    // A clock that is ahead must not make it soak for longer.
    return { environment, at: new Date(Math.min(Date.parse(at), now)).toISOString(), by: caller.name };
  });
}

/** Throws `conflict` when a gate that another installation decides is among these. */
export function refuseDecidedThere(rules: PromotionRules, gates: readonly string[]): void {
  const elsewhere = otherInstallation(rules);
  if (elsewhere === null || !gates.includes(gateName(elsewhere))) return;
  throw new SluiceError('conflict', `Nobody here decides for ${elsewhere.url}.`, {
    hint: 'Decide on its promotion there.',
  });
}
