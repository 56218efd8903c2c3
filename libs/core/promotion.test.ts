import { describe, expect, test } from '@jest/globals';
import {
  type Gate,
  type GateState,
  gatesOf,
  type GivenApproval,
  nextPromotionStep,
  PROMOTION_TRANSITIONS,
  type PromotionFacts,
  type PromotionRules,
  type VerificationRun,
} from './promotion.ts';

const METRIC: Gate = { kind: 'metric', pipeline: 'model', expr: 'metrics.auc > 0.7', onMissing: 'inconclusive' };
const SOAK: Gate = { kind: 'soak', from: ['test'], ms: 1000 };
const RULES: PromotionRules = {
  from: ['test'],
  gates: [SOAK, METRIC],
  approvals: { count: 1, groups: ['leads'], excludeAuthor: true, expiresMs: 10_000 },
  window: null,
  verify: { pipelines: ['*'], runs: 1, timeoutMs: 5000 },
  autoRollback: true,
};
const FACTS: PromotionFacts = {
  ...{ now: 1000, state: 'gates', kind: 'promote', rules: RULES, planHash: 'p', stateAt: 0, requester: 'ci' },
  ...{ authors: ['maria'], gates: [], approvals: [], hold: null, freeze: null, windowOpen: true, stale: false },
  followed: false,
  ...{ verification: null, fallback: 'before' },
};
const seen = (...states: GateState[]) =>
  gatesOf('promote', RULES).flatMap((gate, index) => {
    const state = states[index];
    return state === undefined ? [] : [{ kind: gate.kind, name: gate.kind, state, detail: 'because' }];
  });
const passed = seen('passed', 'passed', 'passed', 'passed');
const by = (approver: string, more: Partial<GivenApproval> = {}): GivenApproval => ({
  ...{ approver, assertedBy: null, groups: ['leads'], decision: 'approve', comment: null, planHash: 'p' },
  ...more,
});
const run = (state: VerificationRun['state']): VerificationRun => ({
  ...{ runId: '7', pipeline: 'model', state, reason: null },
});

/** `move to` or the name of the step. */
function next(facts: Partial<PromotionFacts>): string {
  const step = nextPromotionStep({ ...FACTS, ...facts });
  if (step.kind === 'move') expect(PROMOTION_TRANSITIONS[facts.state ?? FACTS.state]).toContain(step.to);
  if (step.kind === 'roll_back') return `roll_back ${step.to ?? 'nowhere'}`;
  return step.kind === 'move' ? step.to : step.kind;
}

describe('the next step of a promotion', () => {
  test.each<[string, Partial<PromotionFacts>, string]>([
    ['no gate was looked at', {}, 'look_at_gates'],
    ['some were', { gates: seen('passed', 'passed') }, 'look_at_gates'],
    ['one has no answer yet', { gates: seen('passed', 'passed', 'pending') }, 'look_at_gates'],
    ['one failed, whatever comes after it', { gates: seen('passed', 'failed') }, 'failed'],
    ['all passed', { gates: passed }, 'approval'],
    ['one was passed over', { gates: seen('passed', 'passed', 'overridden', 'passed') }, 'approval'],
    ['one cannot be answered', { gates: seen('passed', 'passed', 'passed', 'inconclusive') }, 'approval'],
    ['a rollback is validated, and nothing else', { kind: 'rollback', gates: seen('passed') }, 'approval'],
    ['a hotfix skips provenance and soak', { kind: 'hotfix', gates: seen('passed', 'passed') }, 'approval'],
  ])('at its gates: %s', (_, facts, step) => expect(next({ ...facts, state: 'gates' })).toBe(step));

  test.each<[string, Partial<PromotionFacts>, string]>([
    ['nobody', {}, 'wait'],
    ['nobody in time', { now: 10_000 }, 'expired'],
    ['somebody of the group', { approvals: [by('ada')] }, 'window'],
    ['somebody else', { approvals: [by('bob', { groups: ['guests'] })] }, 'wait'],
    ['its author', { approvals: [by('Maria')] }, 'wait'],
    ['who asked for it', { approvals: [by('ci')] }, 'wait'],
    ['the build server that asked, for somebody else', { approvals: [by('ada', { assertedBy: 'ci' })] }, 'window'],
    ['its author, for somebody else', { approvals: [by('ada', { assertedBy: 'maria' })] }, 'wait'],
    ['somebody who saw another plan', { approvals: [by('ada', { planHash: 'other' })] }, 'wait'],
    ['one approves, one rejects', { approvals: [by('ada'), by('eve', { decision: 'reject' })] }, 'rejected'],
    ['nobody has to: a rollback', { kind: 'rollback', gates: seen('passed') }, 'window'],
    [
      'nobody has to, but a gate has no answer',
      {
        rules: { ...RULES, approvals: { ...RULES.approvals, count: 0 } },
        gates: seen('passed', 'passed', 'passed', 'inconclusive'),
      },
      'wait',
    ],
  ])('approved by %s', (_, facts, step) => expect(next({ gates: passed, ...facts, state: 'approval' })).toBe(step));

  test.each<[string, Partial<PromotionFacts>, string]>([
    ['nothing is in the way', {}, 'switch'],
    ['the window is closed', { windowOpen: false }, 'wait'],
    ['there is a freeze', { freeze: 'holidays' }, 'wait'],
    ['a rollback waits for neither', { kind: 'rollback', windowOpen: false, freeze: 'holidays' }, 'switch'],
    ['the release is on hold', { hold: 'flapped' }, 'failed'],
    ['a hotfix passes over a hold', { kind: 'hotfix', hold: 'flapped' }, 'switch'],
    ['somebody rejected it after it was approved', { approvals: [by('ada', { decision: 'reject' })] }, 'rejected'],
  ])('before the switch: %s', (_, facts, step) => expect(next({ ...facts, state: 'window' })).toBe(step));

  test.each(['gates', 'approval', 'window'] as const)('a stale plan is given up, in %s already', (state) => {
    expect(next({ state, stale: true, gates: passed, approvals: [by('ada')] })).toBe('superseded');
  });

  test('two names that differ in their case are one approver', () => {
    const rules = { ...RULES, approvals: { ...RULES.approvals, count: 2 } };
    const approvals = [by('ada', { assertedBy: 'ci' }), by('Ada', { assertedBy: 'ci' })];
    expect(next({ state: 'approval', rules, gates: passed, approvals })).toBe('wait');
    expect(next({ state: 'approval', rules, gates: passed, approvals: [...approvals, by('bob')] })).toBe('window');
  });

  test.each<[string, Partial<PromotionFacts>, string]>([
    ['nothing was started', {}, 'verify'],
    ['its run is under way', { verification: [run('running')] }, 'wait'],
    ['its run is late', { verification: [run('running')], now: 5000 }, 'roll_back before'],
    ['its run succeeded', { verification: [run('success')] }, 'verified'],
    ['a run failed', { verification: [run('success'), run('failed')] }, 'roll_back before'],
    ['there is nowhere to return to', { verification: [run('failed')], fallback: null }, 'roll_back nowhere'],
    [
      'nobody asked for a way back',
      { verification: [run('failed')], rules: { ...RULES, autoRollback: false } },
      'failed',
    ],
    ['something else decides the release here', { verification: [run('failed')], followed: true }, 'failed'],
    ['a rollback was verified before', { kind: 'rollback' }, 'verified'],
  ])('after the switch: %s', (_, facts, step) => expect(next({ ...facts, state: 'verifying' })).toBe(step));

  test.each(['queued', 'verified', 'failed', 'superseded'] as const)('in %s there is none', (state) =>
    expect(next({ state })).toBe('wait'),
  );
});
