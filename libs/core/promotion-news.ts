import type { AlertEvent } from './pipeline.ts';
import { countApprovals } from './promotion-approvals.ts';
import { STALE } from './promotion.ts';
import type { PromotionCase } from './promotion-store.ts';

/** What people are told of a promotion as it stands. */
export interface PromotionNews {
  readonly event: AlertEvent;
  /** Goes on after the promotion's name: `waits for approval`. */
  readonly title: string;
  /** False: only whoever was told of this promotion before has to know. */
  readonly forEverybody: boolean;
  /** Somebody is to approve or reject it. */
  readonly asks: boolean;
}

/** Null while there is nothing to tell: a promotion that only goes on is told to nobody. */
export function promotionNews(known: Pick<PromotionCase, 'promotion' | 'gates' | 'approvals'>): PromotionNews | null {
  const { state, environment, switchedAt } = known.promotion;
  switch (state) {
    case 'queued':
    case 'gates':
      return null;
    case 'approval':
      return waiting(known);
    case 'window': {
      const { counted } = approvalsOf(known);
      return counted.length === 0 ? null : news('promotion.approved', `was approved by ${counted.join(', ')}`);
    }
    case 'verifying':
      return news('promotion.switched', `has switched ${environment}, and is being verified`);
    case 'verified':
      return news('promotion.verified', 'is verified');
    case 'failed':
      return news(
        'promotion.failed',
        switchedAt === null ? 'ended without effect' : `failed its verification; ${environment} stays on it`,
      );
    case 'rejected':
      return news('promotion.failed', 'was rejected');
    case 'expired':
      return news('promotion.failed', 'found nobody to approve it in time');
    // Whoever did this knows.
    case 'cancelled':
      return { ...news('promotion.failed', 'was cancelled'), forEverybody: false };
    case 'superseded':
      // By another promotion, which speaks for itself; or by what happened to the environment meanwhile.
      return { ...news('promotion.failed', 'was superseded'), forEverybody: known.promotion.detail === STALE };
    case 'rolled_back':
      return news('promotion.rolled_back', 'was rolled back');
  }
}

function waiting(known: Pick<PromotionCase, 'promotion' | 'gates' | 'approvals'>): PromotionNews | null {
  const { needed, counted } = approvalsOf(known);
  const missing = needed - counted.length;
  if (missing <= 0) return null;
  const title =
    counted.length === 0
      ? 'waits for approval'
      : `was approved by ${counted.join(', ')}, and waits for ${missing} more`;
  return { event: 'promotion.waiting', title, forEverybody: true, asks: true };
}

/** How many approvals a recorded promotion needs, and whose count. */
export function approvalsOf({
  promotion,
  gates,
  approvals,
}: Pick<PromotionCase, 'promotion' | 'gates' | 'approvals'>): ReturnType<typeof countApprovals> {
  const { kind, plan, planHash, actor } = promotion;
  return countApprovals({
    ...{ kind, gates, approvals, planHash },
    ...{ rules: plan.rules, authors: plan.authors, requester: actor },
  });
}

function news(event: AlertEvent, title: string): PromotionNews {
  return { event, title, forEverybody: true, asks: false };
}
