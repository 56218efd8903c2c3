import {
  ACTIVE_PROMOTION_STATES,
  countApprovals,
  nextPromotionStep,
  type PromotionCase,
  type PromotionFacts,
  type PromotionRecord,
  type PromotionStep,
} from '#core';
import { isWithinWindow } from '#dag';
import { lookAtGates } from './look-at-gates.ts';
import { tellOfPromotion } from './promotion-alerts.ts';
import type { PromotionParts } from './promotion-parts.ts';
import { matchingPipelines, startPromotionRuns } from './promotion-runs.ts';

/** Steps that one look takes at most: each ends in a commit, so the next look goes on wherever this one stopped. */
const MOST_STEPS = 10;
const ACTOR = 'Sluice';

/**
 * Takes every open promotion as far as it can go now. Any process may do this at any time, several at once: each step is
 * guarded by the state it starts from, and may be repeated after a crash. Returns how many are still open.
 */
export async function stepPromotions(parts: PromotionParts): Promise<number> {
  await parts.promotions.beginPromotions();
  const open = await parts.promotions.openPromotions();
  for (const { id } of open.filter(isActive)) {
    try {
      await advance(parts, id);
    } catch (error) {
      // One that cannot go on must not stop those of other environments.
      parts.observer.problem('advancing a promotion', error, { promotion: id });
    }
  }
  return open.length;
}

async function advance(parts: PromotionParts, id: string): Promise<void> {
  for (let step = 0; step < MOST_STEPS; step++) {
    const known = await parts.promotions.promotionCase(id);
    if (known === null || !isActive(known.promotion)) return;
    const next = nextPromotionStep(await factsOf(parts, known));
    if (!(await take(parts, known, next))) return;
  }
}

/** True when it is worth looking again at once. */
async function take(parts: PromotionParts, known: PromotionCase, step: PromotionStep): Promise<boolean> {
  const { promotions } = parts;
  const { id, state, detail } = known.promotion;
  switch (step.kind) {
    case 'wait':
      if (step.detail !== detail) await promotions.notePromotion(id, step.detail);
      return false;
    case 'look_at_gates': {
      await lookAtGates(parts, known);
      const gates = (await promotions.promotionCase(id))?.gates ?? [];
      const pending = gates.find((gate) => gate.state === 'pending');
      if (pending !== undefined) await promotions.notePromotion(id, `${pending.name}: ${pending.detail}`);
      return pending === undefined;
    }
    case 'move': {
      if (!(await promotions.movePromotion(id, state, step.to, step.detail, ACTOR))) return true;
      if (step.to !== 'approval' || lacksApproval(known))
        await tellOfPromotion(parts, { ...known.promotion, state: step.to, detail: step.detail });
      return true;
    }
    case 'switch': {
      const { environment } = known.promotion;
      const result = await promotions.switchPromotion(id, { moves: !(await parts.isFollowed(environment)) });
      if (result === 'switched') parts.wake();
      // What stopped it is a fact that the next look sees.
      return result !== 'frozen';
    }
    case 'verify':
      return verify(parts, known);
    case 'roll_back': {
      if (!(await promotions.rollBackPromotion(id, step.to, step.detail))) return true;
      parts.wake();
      await tellOfPromotion(parts, { ...known.promotion, state: 'rolled_back', detail: step.detail });
      return false;
    }
  }
}

async function verify(parts: PromotionParts, { promotion }: PromotionCase): Promise<boolean> {
  const environment = parts.environments.get(promotion.environment);
  const { verify: rules } = promotion.plan.rules;
  if (environment === null || rules === null) return false;
  const pipelines = matchingPipelines(await parts.pipelines.all(promotion.release), rules.pipelines);
  const impossible = await startPromotionRuns(parts.store, pipelines, {
    promotionId: promotion.id,
    environment,
    release: promotion.release,
    trigger: 'verification',
    perPipeline: rules.runs,
    now: parts.clock.now(),
  });
  for (const { pipeline, reason } of impossible)
    parts.observer.problem('starting a verification run', new Error(reason), { promotion: promotion.id, pipeline });
  parts.wake();
  if (impossible.length < pipelines.length) return true;
  return parts.promotions.movePromotion(
    promotion.id,
    'verifying',
    'verified',
    'No pipeline can be started by itself.',
    ACTOR,
  );
}

async function factsOf(
  parts: PromotionParts,
  { promotion, gates, approvals, runs }: PromotionCase,
): Promise<PromotionFacts> {
  const { environment, release, plan } = promotion;
  const now = parts.clock.now();
  const [stand, holds, freezes, isFollowed] = await Promise.all([
    parts.promotions.stand(environment),
    parts.promotions.holds(environment),
    parts.promotions.freezes(environment),
    parts.isFollowed(environment),
  ]);
  const frozen = freezes.find(({ startsAt }) => Date.parse(startsAt) <= now.getTime());
  const verification = runs.filter(({ trigger }) => trigger === 'verification');
  return {
    now: now.getTime(),
    state: promotion.state,
    kind: promotion.kind,
    rules: plan.rules,
    planHash: promotion.planHash,
    stateAt: Date.parse(promotion.stateAt),
    requester: promotion.actor,
    authors: plan.authors,
    gates,
    approvals,
    hold: holds.find((hold) => hold.release === release)?.reason ?? null,
    freeze: frozen?.reason ?? null,
    windowOpen: plan.rules.window === null || isWithinWindow(plan.rules.window, now),
    stale:
      (stand.pointerSeq !== promotion.pointerSeq && !isFollowed) ||
      parts.environments.get(environment)?.hash !== promotion.configHash,
    verification: verification.length === 0 ? null : verification,
    fallback: promotion.fallback,
  };
}

/** Whoever asks with an approver in hand, as build servers do, waits for nobody. */
function lacksApproval({ promotion, gates, approvals }: PromotionCase): boolean {
  const { kind, planHash, actor, plan } = promotion;
  const given = { kind, planHash, gates, approvals, rules: plan.rules, authors: plan.authors, requester: actor };
  const { needed, counted } = countApprovals(given);
  return counted.length < needed;
}

function isActive({ state }: PromotionRecord): boolean {
  return ACTIVE_PROMOTION_STATES.some((active) => active === state);
}
