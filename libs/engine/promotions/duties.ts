import { type GivenApproval, isOneself, type PromotionRecord, SluiceError } from '#core';

/** An approval that would not count is an error, not a line that nobody reads. */
export function refuseUncounted(
  approval: GivenApproval,
  { plan: { rules, authors }, actor }: Pick<PromotionRecord, 'plan' | 'actor' | 'id'>,
): void {
  const { groups } = rules.approvals;
  if (isOneself(approval, { rules, requester: actor, authors }))
    throw new SluiceError(
      'forbidden',
      `${approval.approver} asked for this promotion or wrote the commit, and may not approve it.`,
      {
        hint: 'Somebody else has to: the environment says `exclude_author`.',
      },
    );
  if (groups.length > 0 && !approval.groups.some((group) => groups.includes(group)))
    throw new SluiceError(
      'forbidden',
      `${approval.approver} is in none of the groups whose approval counts: ${groups.join(', ')}.`,
      { hint: 'Groups are those of the approver’s token here: `sluice token list`.' },
    );
}

/** `Ada <ada@example.com>`: all that an approver of that name might be called. */
export function namesOf(author: string | null): string[] {
  if (author === null) return [];
  const [, name = author, address = ''] = /^(.*?)\s*<([^>]*)>$/.exec(author) ?? [];
  return [author, name, address, address.split('@')[0] ?? ''].filter((one) => one !== '');
}
