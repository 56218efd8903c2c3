import type { PromotionDetail } from '#contracts';

export interface PromotionStep {
  readonly name: string;
  readonly state: 'done' | 'now' | 'bad' | 'todo' | 'left_out';
  /** When it was done; null: not yet, or not known. */
  readonly at: string | null;
  /** In a few words. */
  readonly detail: string;
}

const STAGES = ['gates', 'approval', 'window', 'verifying'] as const;
type Stage = (typeof STAGES)[number];

/** The way of a promotion from the request to its end, as far as it has come. */
export function promotionSteps(promotion: PromotionDetail): readonly PromotionStep[] {
  const { requestedAt, switchedAt, finishedAt, actor, state } = promotion;
  const stage = stageOf(promotion);
  const at: Readonly<Record<Stage, string | null>> = {
    gates: last(promotion.gates.map(({ checkedAt }) => checkedAt)),
    approval: last(promotion.approvals.given.map((one) => one.at)),
    window: switchedAt,
    verifying: finishedAt,
  };
  const steps = STAGES.map((one, index): PromotionStep => {
    const position = index - STAGES.indexOf(stage);
    const common = { name: NAMES[one], detail: detailOf(one, promotion) };
    if (state === 'queued') return { ...common, state: 'todo', at: null };
    if (position < 0 || state === 'verified') return { ...common, state: 'done', at: at[one] };
    if (position > 0) return { ...common, state: finishedAt === null ? 'todo' : 'left_out', at: null };
    return finishedAt === null ? { ...common, state: 'now', at: null } : { ...common, state: 'bad', at: finishedAt };
  });
  return [{ name: 'Requested', state: 'done', at: requestedAt, detail: `by ${actor}` }, ...steps];
}

const NAMES: Readonly<Record<Stage, string>> = {
  gates: 'Gates',
  approval: 'Approval',
  window: 'Switch',
  verifying: 'Verification',
};

/** Where it is, or where it ended. */
function stageOf({ state, switchedAt, gates, approvals }: PromotionDetail): Stage {
  const known = STAGES.find((one) => one === state);
  if (known !== undefined) return known;
  if (switchedAt !== null) return 'verifying';
  if (gates.some((gate) => gate.state === 'failed' || gate.state === 'pending')) return 'gates';
  return state === 'rejected' || state === 'expired' || approvals.counted.length < approvals.needed
    ? 'approval'
    : 'window';
}

function detailOf(stage: Stage, { gates, approvals, window, runs }: PromotionDetail): string {
  switch (stage) {
    case 'gates':
      return `${gates.filter(({ state }) => state !== 'pending' && state !== 'failed').length} of ${gates.length}`;
    case 'approval':
      return approvals.needed === 0 ? 'none needed' : `${approvals.counted.length} of ${approvals.needed}`;
    case 'window':
      return window === null ? 'at any time' : `${window.cron} ${window.timezone}`;
    case 'verifying': {
      const runsHere = runs.filter(({ trigger }) => trigger === 'verification').length;
      return runsHere === 0 ? 'no runs' : `${runsHere} ${runsHere === 1 ? 'run' : 'runs'}`;
    }
  }
}

function last(instants: readonly (string | null)[]): string | null {
  return (
    instants
      .filter((at) => at !== null)
      .sort()
      .at(-1) ?? null
  );
}
