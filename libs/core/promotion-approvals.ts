import type { GivenApproval, PromotionFacts, PromotionRules } from './promotion.ts';

/** How many approvals are needed, and whose count. A gate without an answer needs a person, whatever the rules say. */
export function countApprovals(
  facts: Pick<PromotionFacts, 'kind' | 'rules' | 'gates' | 'approvals' | 'requester' | 'authors' | 'planHash'>,
): { readonly needed: number; readonly counted: readonly string[] } {
  const { rules, gates, approvals, kind } = facts;
  const { count, groups } = rules.approvals;
  // Returning to what was verified here before must not wait for anybody.
  const usual = kind === 'rollback' ? 0 : count;
  const needed = gates.some(({ state }) => state === 'inconclusive') ? Math.max(1, usual) : usual;
  const counted = approvals.filter(
    (one) =>
      one.decision === 'approve' &&
      one.planHash === facts.planHash &&
      (groups.length === 0 || one.groups.some((group) => groups.includes(group))) &&
      !isOneself(one, facts),
  );
  // Names differ in more than their case, whoever vouches for them.
  const people = new Map(counted.map(({ approver }) => [approver.toLowerCase(), approver]));
  return { needed, counted: [...people.values()] };
}

/**
 * Separation of duties: neither who asked nor who wrote the commit approves, and an author's token vouches for nobody.
 * A build server asks and vouches with one token, so who asked may vouch for others.
 */
export function isOneself(
  one: Pick<GivenApproval, 'approver' | 'assertedBy'>,
  {
    rules,
    requester,
    authors,
  }: Pick<PromotionFacts, 'requester' | 'authors'> & { readonly rules: Pick<PromotionRules, 'approvals'> },
): boolean {
  if (!rules.approvals.excludeAuthor) return false;
  const among = (names: readonly string[], name: string | null) =>
    name !== null && names.some((other) => other.toLowerCase() === name.toLowerCase());
  return among([requester, ...authors], one.approver) || among(authors, one.assertedBy);
}
