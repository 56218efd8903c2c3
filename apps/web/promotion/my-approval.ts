import { isOneself, mayDo } from '#core';
import type { PromotionDetail, WhoAmI } from '#contracts';

export type MyApproval =
  | { readonly kind: 'may' }
  /** Why not, for people. */
  | { readonly kind: 'may_not'; readonly why: string }
  | { readonly kind: 'given'; readonly decision: 'approve' | 'reject' };

type Asked = Pick<PromotionDetail, 'environment' | 'actor' | 'approvals'>;

/** Whether somebody may approve a promotion, so that the page says it before the server does. */
export function myApproval({ environment, actor, approvals }: Asked, me: WhoAmI): MyApproval {
  const given = approvals.given.find(({ approver }) => approver === me.name);
  if (given !== undefined) return { kind: 'given', decision: given.decision };
  if (!mayDo(me.rights, 'approve', environment))
    return { kind: 'may_not', why: `${me.name} has no right to approve in ${environment}.` };
  const { groups, excludeAuthor, authors } = approvals;
  const rules = { approvals: { count: 1, groups, excludeAuthor, expiresMs: 0 } };
  const oneself = { approver: me.name, assertedBy: null };
  if (isOneself(oneself, { rules, requester: actor, authors }))
    return { kind: 'may_not', why: `${me.name} asked for it or wrote the commit. Somebody else has to approve.` };
  if (groups.length > 0 && !me.groups.some((group) => groups.includes(group)))
    return { kind: 'may_not', why: `Only ${groups.join(' or ')} may approve; ${me.name} is in neither.` };
  return { kind: 'may' };
}
