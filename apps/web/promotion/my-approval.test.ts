import { expect, test } from '@jest/globals';
import type { WhoAmI } from '#contracts';
import { approvals, aPromotion, at } from '../fixture/a-promotion.ts';
import { myApproval } from './my-approval.ts';

const me = (name: string, change: Partial<WhoAmI> = {}): WhoAmI => ({
  ...{ name, groups: [], rights: [{ right: 'approve', environment: 'prod' }] },
  ...change,
});

test('who has the right, and neither asked nor wrote it, may', () => {
  expect(myApproval(aPromotion(), me('ann'))).toEqual({ kind: 'may' });
  const groups = approvals({ groups: ['leads'] });
  expect(myApproval(aPromotion({ approvals: groups }), me('ann', { groups: ['leads'] }))).toEqual({ kind: 'may' });
  // Where the environment does not ask for somebody else, oneself will do.
  expect(myApproval(aPromotion({ approvals: approvals({ excludeAuthor: false }) }), me('Ada'))).toEqual({
    kind: 'may',
  });
});

test.each([
  ['without the right', me('ann', { rights: [] }), [], 'ann has no right to approve in prod.'],
  [
    'with it elsewhere',
    me('ann', { rights: [{ right: 'approve', environment: 'test' }] }),
    [],
    'ann has no right to approve in prod.',
  ],
  ['who asked', me('Jenkins'), [], 'Jenkins asked for it or wrote the commit. Somebody else has to approve.'],
  ['who wrote it', me('ada'), [], 'ada asked for it or wrote the commit. Somebody else has to approve.'],
  ['outside the groups', me('ann'), ['leads', 'ops'], 'Only leads or ops may approve; ann is in neither.'],
])('who is %s hears why not', (_who, who, groups, why) => {
  expect(myApproval(aPromotion({ approvals: approvals({ groups }) }), who)).toEqual({ kind: 'may_not', why });
});

test('who has decided sees what', () => {
  const given = [{ approver: 'ann', assertedBy: null, decision: 'reject', comment: null, at: at(3) }] as const;
  expect(myApproval(aPromotion({ approvals: approvals({ given: [...given] }) }), me('ann', { rights: [] }))).toEqual({
    ...{ kind: 'given', decision: 'reject' },
  });
});
