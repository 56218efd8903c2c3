import { describe, expect, test } from '@jest/globals';
import type { PromotionDetail } from '#contracts';
import { aGate, approvals, aPromotion, at } from '../fixture/a-promotion.ts';
import { promotionSteps } from './promotion-steps.ts';

/** `done done now todo todo`: Requested, Gates, Approval, Switch, Verification. */
const states = (change: Partial<PromotionDetail>) =>
  promotionSteps(aPromotion(change))
    .map(({ state }) => state)
    .join(' ');

describe('the way of a promotion', () => {
  test.each([
    ['queued', {}, 'done todo todo todo todo'],
    ['gates', {}, 'done now todo todo todo'],
    ['approval', {}, 'done done now todo todo'],
    ['window', {}, 'done done done now todo'],
    ['verifying', { switchedAt: at(5) }, 'done done done done now'],
    ['verified', { switchedAt: at(5), finishedAt: at(6) }, 'done done done done done'],
    ['failed', { switchedAt: at(5), finishedAt: at(6) }, 'done done done done bad'],
    ['rolled_back', { switchedAt: at(5), finishedAt: at(6) }, 'done done done done bad'],
    ['rejected', { finishedAt: at(6) }, 'done done bad left_out left_out'],
    ['expired', { finishedAt: at(6) }, 'done done bad left_out left_out'],
  ] as const)('%s stands where it came to', (state, change, expected) => {
    expect(states({ state, ...change })).toBe(expected);
  });

  test('ends at the gate that failed, or that nobody looked at any more', () => {
    const ended = { state: 'failed', finishedAt: at(6) } as const;
    expect(states({ ...ended, gates: [aGate({ state: 'failed' })] })).toBe('done bad left_out left_out left_out');
    expect(states({ ...ended, state: 'cancelled', gates: [aGate({ state: 'pending' })] })).toBe(
      'done bad left_out left_out left_out',
    );
  });

  test('ends before the switch where a freeze or a window stopped it', () => {
    const approved = approvals({ counted: ['ann'] });
    expect(states({ state: 'cancelled', finishedAt: at(6), approvals: approved })).toBe('done done done bad left_out');
  });
});

test('says when each was done, and how much of it', () => {
  const given = { approver: 'ann', assertedBy: null, decision: 'approve', comment: null, at: at(4) } as const;
  const run = {
    runId: '1',
    environment: 'prod',
    pipeline: 'p',
    state: 'success',
    reason: null,
    createdAt: at(5),
  } as const;
  const steps = promotionSteps(
    aPromotion({
      ...{ state: 'verified', switchedAt: at(5), finishedAt: at(6) },
      approvals: approvals({ counted: ['ann'], given: [given] }),
      window: { cron: '* 9 * * *', timezone: 'UTC', open: true },
      runs: [
        { ...run, trigger: 'smoke' },
        { ...run, trigger: 'verification' },
      ],
    }),
  );
  expect(steps.map((step) => [step.name, step.at, step.detail])).toEqual([
    ['Requested', at(0), 'by jenkins'],
    ['Gates', at(2), '2 of 2'],
    ['Approval', at(4), '1 of 1'],
    ['Switch', at(5), '* 9 * * * UTC'],
    ['Verification', at(6), '1 run'],
  ]);
});

test('what is not asked for says so', () => {
  const steps = promotionSteps(aPromotion({ state: 'gates', approvals: approvals({ needed: 0 }), gates: [] }));
  expect(steps.slice(1).map(({ detail }) => detail)).toEqual(['0 of 0', 'none needed', 'at any time', 'no runs']);
});
