import type { SecretSource } from './pipeline.ts';
import { countApprovals } from './promotion-approvals.ts';

/*
 * What happens to a promotion, as one pure function over what is known of it. A promotion points an environment at a
 * release: requested and planned in one commit, then gates → approval → window → the switch → verification.
 * Instants are epoch milliseconds.
 */

export const PROMOTION_STATES = [
  'queued',
  'gates',
  'approval',
  'window',
  'verifying',
  'verified',
  'failed',
  'rolled_back',
  'rejected',
  'expired',
  'superseded',
  'cancelled',
] as const;
export type PromotionState = (typeof PROMOTION_STATES)[number];

/** The only place that says which state may follow which; those that nothing follows are ends. */
export const PROMOTION_TRANSITIONS: Readonly<Record<PromotionState, readonly PromotionState[]>> = {
  queued: ['gates', 'superseded', 'cancelled'],
  gates: ['approval', 'failed', 'rejected', 'superseded', 'cancelled'],
  approval: ['window', 'rejected', 'expired', 'superseded', 'cancelled'],
  window: ['verifying', 'failed', 'rejected', 'superseded', 'cancelled'],
  verifying: ['verified', 'failed', 'rolled_back', 'superseded'],
  verified: [],
  failed: [],
  rolled_back: [],
  rejected: [],
  expired: [],
  superseded: [],
  cancelled: [],
};

/** At most one promotion of an environment is in one of these. `queued` ones wait for it to end. */
export const ACTIVE_PROMOTION_STATES = ['gates', 'approval', 'window', 'verifying'] as const;

/** `hotfix`: skips provenance and soak, with a right of its own. `rollback`: to an earlier verified release; skips smoke and metrics too. */
export type PromotionKind = 'promote' | 'rollback' | 'hotfix';

export const GATE_STATES = ['pending', 'passed', 'failed', 'inconclusive', 'overridden', 'skipped'] as const;
export type GateState = (typeof GATE_STATES)[number];

/** A gate as an environment file asks for it. */
export type Gate =
  | { readonly kind: 'validate' }
  | { readonly kind: 'provenance'; readonly from: readonly string[] }
  | { readonly kind: 'soak'; readonly from: readonly string[]; readonly ms: number }
  | { readonly kind: 'smoke'; readonly pipelines: readonly string[]; readonly timeoutMs: number }
  | {
      readonly kind: 'metric';
      readonly pipeline: string;
      readonly expr: string;
      readonly onMissing: 'inconclusive' | 'fail';
    }
  /** Data checks of tasks, in the newest run of each pipeline where the candidate comes from. */
  | { readonly kind: 'checks'; readonly pipelines: readonly string[] }
  /** Tests of pipelines, as they were recorded with the release last. */
  | { readonly kind: 'tests'; readonly onMissing: 'inconclusive' | 'fail' }
  | { readonly kind: 'external'; readonly url: string; readonly timeoutMs: number }
  /** The environment is one of another installation, which decides by its own rules. Always the last. */
  | { readonly kind: 'installation'; readonly url: string; readonly token: SecretSource };

/** Where an environment really is; null: here. Nothing runs here in one that is elsewhere. */
export function otherInstallation({ gates }: Pick<PromotionRules, 'gates'>) {
  return gates.find((gate) => gate.kind === 'installation') ?? null;
}

/** How releases come into an environment. */
export interface PromotionRules {
  /** Where a release must have been verified before; empty: it may come from anywhere. */
  readonly from: readonly string[];
  readonly gates: readonly Gate[];
  readonly approvals: {
    readonly count: number;
    /** Whose approval counts; empty: everybody's who has the right. */
    readonly groups: readonly string[];
    /** Neither who requested it nor the author of the commit may approve. */
    readonly excludeAuthor: boolean;
    readonly expiresMs: number;
  };
  /** Switches happen only in minutes that this cron matches; null: at any time. */
  readonly window: { readonly cron: string; readonly timezone: string } | null;
  /** Null: verified as soon as it is switched. */
  readonly verify: { readonly pipelines: readonly string[]; readonly runs: number; readonly timeoutMs: number } | null;
  readonly autoRollback: boolean;
}

export interface GateResult {
  readonly kind: Gate['kind'];
  readonly name: string;
  readonly state: GateState;
  /** Why, for people. */
  readonly detail: string;
}

export interface GivenApproval {
  readonly approver: string;
  readonly assertedBy: string | null;
  readonly groups: readonly string[];
  readonly decision: 'approve' | 'reject';
  readonly comment: string | null;
  readonly planHash: string;
}

export interface VerificationRun {
  readonly runId: string;
  readonly pipeline: string;
  readonly state: 'queued' | 'running' | 'success' | 'failed' | 'cancelled' | 'timed_out' | 'skipped';
  readonly reason: string | null;
}

/** All that the decision may look at. */
export interface PromotionFacts {
  readonly now: number;
  readonly state: PromotionState;
  readonly kind: PromotionKind;
  readonly rules: PromotionRules;
  readonly planHash: string;
  /** Since when it is in this state. */
  readonly stateAt: number;
  /** Who asked for it. */
  readonly requester: string;
  /** Names of who wrote the commit. */
  readonly authors: readonly string[];
  /** Those that were looked at so far, in their order. */
  readonly gates: readonly GateResult[];
  readonly approvals: readonly GivenApproval[];
  /** Reason of a hold on this release in this environment. */
  readonly hold: string | null;
  /** Reason of a freeze that is in force. */
  readonly freeze: string | null;
  readonly windowOpen: boolean;
  /** True when the pointer or the environment's configuration is not what was planned with. */
  readonly stale: boolean;
  /** True when something else decides the environment's release: nothing is pointed here, so nothing returns either. */
  readonly followed: boolean;
  /** Runs that verification started; null before it did. */
  readonly verification: readonly VerificationRun[] | null;
  /** Release to return to; null: there was never a verified one. */
  readonly fallback: string | null;
}

export type PromotionStep =
  | { readonly kind: 'wait'; readonly detail: string }
  | { readonly kind: 'look_at_gates' }
  | { readonly kind: 'switch' }
  | { readonly kind: 'verify' }
  | { readonly kind: 'move'; readonly to: PromotionState; readonly detail: string }
  /** Verification failed: back to `to` (null: there is nowhere to return to, so schedules pause), and hold the release. */
  | { readonly kind: 'roll_back'; readonly to: string | null; readonly detail: string };

/** Why a promotion whose plan does not fit any more ends. */
export const STALE =
  'The plan is stale: the environment points elsewhere, or its configuration changed, since it was made.';

/** What to do next with a promotion that has begun. Called again after each change; the same facts give the same step. */
export function nextPromotionStep(facts: PromotionFacts): PromotionStep {
  return beforeAnySwitch(facts) ?? inState(facts);
}

/** What ends a promotion that has changed nothing yet, wherever it stands. */
function beforeAnySwitch({ state, stale, approvals, planHash }: PromotionFacts): PromotionStep | null {
  if (state !== 'gates' && state !== 'approval' && state !== 'window') return null;
  if (stale) return move('superseded', STALE);
  const rejection = approvals.find((one) => one.decision === 'reject' && one.planHash === planHash);
  if (rejection === undefined) return null;
  return move('rejected', `Rejected by ${rejection.approver}${rejection.comment ? `: ${rejection.comment}` : '.'}`);
}

function inState(facts: PromotionFacts): PromotionStep {
  switch (facts.state) {
    case 'gates':
      return afterGates(facts);
    case 'approval':
      return afterApprovals(facts);
    case 'window':
      return beforeSwitch(facts);
    case 'verifying':
      return afterVerification(facts);
    default:
      return { kind: 'wait', detail: facts.state };
  }
}

function afterGates({ kind, rules, gates }: PromotionFacts): PromotionStep {
  const failed = gates.find(({ state }) => state === 'failed');
  if (failed !== undefined) return move('failed', `Gate ${failed.name} failed: ${failed.detail}`);
  // A gate without a row was never looked at.
  if (gates.length < gatesOf(kind, rules).length || gates.some(({ state }) => state === 'pending'))
    return { kind: 'look_at_gates' };
  return move('approval', 'Every gate has been looked at.');
}

function afterApprovals(facts: PromotionFacts): PromotionStep {
  const { rules, now, stateAt } = facts;
  const { needed, counted } = countApprovals(facts);
  if (counted.length >= needed)
    return move('window', needed === 0 ? 'No approval is needed.' : `Approved by ${counted.join(', ')}.`);
  if (now - stateAt >= rules.approvals.expiresMs)
    return move('expired', `It waited for ${needed} ${plural('approval', needed)} and got ${counted.length}.`);
  const groups = rules.approvals.groups.length > 0 ? ` of ${rules.approvals.groups.join(' or ')}` : '';
  return {
    kind: 'wait',
    detail: `Waits for ${needed - counted.length} ${plural('approval', needed - counted.length)}${groups}.`,
  };
}

function beforeSwitch({ kind, hold, freeze, windowOpen }: PromotionFacts): PromotionStep {
  if (hold !== null && kind !== 'hotfix') return move('failed', `The release is on hold here: ${hold}`);
  if (kind === 'rollback') return { kind: 'switch' };
  if (freeze !== null) return { kind: 'wait', detail: `Waits for the end of a freeze: ${freeze}` };
  if (!windowOpen) return { kind: 'wait', detail: 'Waits for the window of the environment.' };
  return { kind: 'switch' };
}

function afterVerification(facts: PromotionFacts): PromotionStep {
  const { rules, verification, now, stateAt, kind } = facts;
  if (rules.verify === null || kind === 'rollback') return move('verified', 'Nothing is verified after the switch.');
  if (verification === null) return { kind: 'verify' };
  const failed = verification.find(({ state }) => state === 'failed' || state === 'timed_out' || state === 'cancelled');
  const waiting = verification.filter(({ state }) => state === 'queued' || state === 'running');
  const late = waiting.length > 0 && now - stateAt >= rules.verify.timeoutMs;
  if (failed === undefined && !late) {
    if (waiting.length > 0)
      return { kind: 'wait', detail: `Waits for ${waiting.length} verification ${plural('run', waiting.length)}.` };
    return move('verified', `${verification.length} verification ${plural('run', verification.length)} succeeded.`);
  }
  const why =
    failed === undefined
      ? `Verification took longer than ${Math.round(rules.verify.timeoutMs / 1000)} s.`
      : `Verification run ${failed.runId} of ${failed.pipeline} ended ${failed.state}${failed.reason ? `: ${failed.reason}` : '.'}`;
  return failedVerification(facts, why);
}

/** What follows when verification failed, or could not be done at all. */
export function failedVerification(
  { rules, fallback, followed }: Pick<PromotionFacts, 'rules' | 'fallback' | 'followed'>,
  why: string,
): PromotionStep {
  return rules.autoRollback && !followed ? { kind: 'roll_back', to: fallback, detail: why } : move('failed', why);
}

/** The gates of a promotion: what every promotion passes, then what the environment asks for, as far as its kind goes. */
export function gatesOf(kind: PromotionKind, rules: PromotionRules): readonly Gate[] {
  const validate: Gate = { kind: 'validate' };
  if (kind === 'rollback') return [validate, ...rules.gates.filter((gate) => gate.kind === 'installation')];
  const provenance: Gate = { kind: 'provenance', from: rules.from };
  const asked = rules.gates.filter(({ kind: asksFor }) => kind === 'promote' || asksFor !== 'soak');
  return kind === 'hotfix' || rules.from.length === 0 ? [validate, ...asked] : [validate, provenance, ...asked];
}

/** `smoke flights-*`, `checks *`: unique enough to name it on a command line. */
export function gateName(gate: Gate): string {
  switch (gate.kind) {
    case 'smoke':
    case 'checks':
      return `${gate.kind} ${gate.pipelines.join(', ')}`;
    case 'metric':
      return `metric ${gate.pipeline}: ${gate.expr}`;
    case 'external':
      return `external ${gate.url}`;
    case 'installation':
      return `installation ${gate.url}`;
    default:
      return gate.kind;
  }
}

function move(to: PromotionState, detail: string): PromotionStep {
  return { kind: 'move', to, detail };
}

function plural(word: string, count: number): string {
  return count === 1 ? word : `${word}s`;
}
