import { describe, expect, test } from '@jest/globals';
import { promotionNews } from './promotion-news.ts';
import type { PromotionState } from './promotion.ts';
import type { ApprovalRecord, GateRecord, PromotionRecord } from './promotion-store.ts';

const promotion: PromotionRecord = {
  ...{ id: '42', environment: 'prod', release: 'r2', kind: 'promote', previous: 'r1', fallback: 'r1', pointerSeq: 1 },
  ...{
    configHash: 'c',
    planHash: 'p',
    actor: 'jenkins',
    reason: null,
    buildUrl: null,
    state: 'approval',
    detail: null,
  },
  ...{ requestedAt: '', stateAt: '', switchedAt: null, finishedAt: null },
  plan: {
    rules: {
      ...{ from: [], gates: [], window: null, verify: null, autoRollback: false },
      approvals: { count: 2, groups: [], excludeAuthor: true, expiresMs: 1 },
    },
    ...{ authors: ['Ada'], inFlight: 'finish', overrides: [] },
  },
};
const approval = (approver: string): ApprovalRecord => ({
  ...{ approver, assertedBy: null, groups: [], decision: 'approve', comment: null, planHash: 'p', at: '' },
});
const news = (change: Partial<PromotionRecord>, approvals: readonly ApprovalRecord[] = [], gates: GateRecord[] = []) =>
  promotionNews({ promotion: { ...promotion, ...change }, gates, approvals });
const none = (count: number) => ({
  ...{ rules: { ...promotion.plan.rules, approvals: { ...promotion.plan.rules.approvals, count } } },
  ...{ authors: [], inFlight: 'finish' as const, overrides: [] },
});

describe('people are told', () => {
  test.each<[PromotionState, Partial<PromotionRecord>, string, string]>([
    ['approval', {}, 'promotion.waiting', 'waits for approval'],
    ['verifying', {}, 'promotion.switched', 'has switched prod, and is being verified'],
    ['verified', {}, 'promotion.verified', 'is verified'],
    ['failed', {}, 'promotion.failed', 'ended without effect'],
    ['failed', { switchedAt: 'then' }, 'promotion.failed', 'failed its verification; prod stays on it'],
    ['rejected', {}, 'promotion.failed', 'was rejected'],
    ['expired', {}, 'promotion.failed', 'found nobody to approve it in time'],
    ['rolled_back', {}, 'promotion.rolled_back', 'was rolled back'],
  ])('of one that is %s %j', (state, change, event, title) => {
    expect(news({ state, ...change })).toEqual({ event, title, forEverybody: true, asks: state === 'approval' });
  });

  test('of each approval', () => {
    expect(news({}, [approval('anna')])).toMatchObject({
      ...{ event: 'promotion.waiting', title: 'was approved by anna, and waits for 1 more', asks: true },
    });
    expect(news({ state: 'window' }, [approval('anna'), approval('ben')])).toMatchObject({
      ...{ event: 'promotion.approved', title: 'was approved by anna, ben', asks: false },
    });
  });

  test('when a gate without an answer needs somebody, whatever the rules say', () => {
    const gate: GateRecord = {
      ...{ kind: 'metric', name: 'metric churn', state: 'inconclusive', detail: '', evidence: {}, checkedAt: '' },
    };
    expect(news({ plan: none(0) }, [], [gate])).toMatchObject({ event: 'promotion.waiting', asks: true });
  });
});

test('one that ended by somebody’s hand is told to those only who knew of it', () => {
  for (const state of ['cancelled', 'superseded'] as const)
    expect(news({ state })).toMatchObject({ event: 'promotion.failed', forEverybody: false });
});

test('one that only goes on is told to nobody', () => {
  for (const state of ['queued', 'gates'] as const) expect(news({ state })).toBeNull();
  expect(news({ plan: none(0) })).toBeNull();
  expect(news({ state: 'window', plan: none(0) })).toBeNull();
  // Enough approvals: the next step takes it on.
  expect(news({}, [approval('anna'), approval('ben')])).toBeNull();
});
