import type { GateState, PromotionState } from '#core';
import type { Promotion, PromotionDetail } from '#contracts';

export interface PromotionLook {
  readonly label: string;
  /** Name in styles/tokens.css, as for the states of runs. */
  readonly tone: string;
  readonly mark: PromotionMark;
}
export type PromotionMark =
  'queue' | 'work' | 'hand' | 'clock' | 'check' | 'cross' | 'back' | 'slash' | 'question' | 'skip' | 'dash';

const STATES: Readonly<Record<PromotionState, PromotionLook>> = {
  queued: { label: 'queued', tone: 'queued', mark: 'queue' },
  gates: { label: 'at the gates', tone: 'running', mark: 'work' },
  approval: { label: 'waits for approval', tone: 'retrying', mark: 'hand' },
  window: { label: 'waits to switch', tone: 'waiting', mark: 'clock' },
  verifying: { label: 'verifying', tone: 'running', mark: 'work' },
  verified: { label: 'verified', tone: 'success', mark: 'check' },
  failed: { label: 'failed', tone: 'failed', mark: 'cross' },
  rolled_back: { label: 'rolled back', tone: 'failed', mark: 'back' },
  rejected: { label: 'rejected', tone: 'timed_out', mark: 'slash' },
  expired: { label: 'expired', tone: 'timed_out', mark: 'clock' },
  superseded: { label: 'superseded', tone: 'skipped', mark: 'dash' },
  cancelled: { label: 'cancelled', tone: 'cancelled', mark: 'slash' },
};

const GATES: Readonly<Record<GateState, PromotionLook>> = {
  pending: { label: 'pending', tone: 'queued', mark: 'queue' },
  passed: { label: 'passed', tone: 'success', mark: 'check' },
  failed: { label: 'failed', tone: 'failed', mark: 'cross' },
  inconclusive: { label: 'no answer', tone: 'retrying', mark: 'question' },
  overridden: { label: 'overridden', tone: 'timed_out', mark: 'skip' },
  skipped: { label: 'skipped', tone: 'skipped', mark: 'dash' },
};

export function promotionLook(state: PromotionState): PromotionLook {
  return STATES[state];
}

export function gateLook(state: GateState): PromotionLook {
  return GATES[state];
}

type GateShown = PromotionDetail['gates'][number];

/** A gate in one or two words; what it looks at stands beside it. */
export function gateTitle(kind: GateShown['kind']): string {
  return TITLES[kind];
}

const TITLES: Readonly<Record<GateShown['kind'], string>> = {
  validate: 'Valid here',
  provenance: 'Verified before',
  soak: 'Soak',
  smoke: 'Smoke run',
  metric: 'Metric',
  checks: 'Data checks',
  tests: 'Tests',
  external: 'External check',
  installation: 'Other installation',
};

/** `smoke flights-*` → `flights-*`: what is not said by the title. */
export function gateRest({ kind, name }: Pick<GateShown, 'kind' | 'name'>): string {
  return name === kind ? '' : name.slice(kind.length + 1);
}

/** When a soak ends, in ISO 8601; null: this gate does not wait for a time. */
export function soakEnd({ kind, state, evidence }: Pick<GateShown, 'kind' | 'state' | 'evidence'>): string | null {
  return kind === 'soak' && state === 'pending' && typeof evidence['until'] === 'string' ? evidence['until'] : null;
}

const KINDS: Readonly<Record<Promotion['kind'], string>> = {
  promote: 'Promotion',
  rollback: 'Rollback',
  hotfix: 'Hotfix',
};

export function kindTitle(kind: Promotion['kind']): string {
  return KINDS[kind];
}

/** Before the switch it may be cancelled, rejected, and its gates overridden. */
export function isBeforeSwitch({ state, finishedAt }: Pick<Promotion, 'state' | 'finishedAt'>): boolean {
  return finishedAt === null && state !== 'verifying';
}
