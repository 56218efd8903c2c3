import {
  ACTIVE_PROMOTION_STATES,
  failedVerification,
  nextPromotionStep,
  type PromotionCase,
  type PromotionFacts,
  type PromotionRecord,
  type PromotionStep,
  STALE,
} from '#core';
import { isWithinWindow, withOverlay } from '#dag';
import { answerInputs } from './answer-inputs.ts';
import { cancelElsewhere } from './cancel-elsewhere.ts';
import { lookAtGates, validate } from './look-at-gates.ts';
import { tellOfPromotions } from './promotion-alerts.ts';
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
  await tellOfPromotions(parts);
  await answerInputs(parts);
  await cancelElsewhere(parts);
  return open.length;
}

async function advance(parts: PromotionParts, id: string): Promise<void> {
  for (let step = 0; step < MOST_STEPS; step++) {
    const known = await parts.promotions.promotionCase(id);
    if (known === null || !isActive(known.promotion)) return;
    const facts = await factsOf(parts, known);
    if (!(await take(parts, known, facts, nextPromotionStep(facts)))) return;
  }
}

/** True when it is worth looking again at once. */
async function take(
  parts: PromotionParts,
  known: PromotionCase,
  facts: PromotionFacts,
  step: PromotionStep,
): Promise<boolean> {
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
      await promotions.movePromotion(id, state, step.to, step.detail, ACTOR);
      return true;
    }
    case 'switch':
      return switchOver(parts, known, facts);
    case 'verify':
      return verify(parts, known, facts);
    case 'roll_back': {
      if (step.to === null) await knowSchedules(parts, known.promotion);
      if (!(await promotions.rollBackPromotion(id, step.to, step.detail))) return true;
      parts.wake();
      return false;
    }
  }
}

/** What was valid when it was planned may be so no more: days of soaking and approvals lie between. */
async function switchOver(parts: PromotionParts, known: PromotionCase, facts: PromotionFacts): Promise<boolean> {
  const { id } = known.promotion;
  const broken = await validatedAgain(parts, known);
  if (broken !== null) return take(parts, known, facts, { kind: 'move', to: 'failed', detail: broken });
  const { window } = facts.rules;
  const result = await parts.promotions.switchPromotion(id, {
    moves: !facts.followed,
    isOpen: () => window === null || isWithinWindow(window, parts.clock.now()),
  });
  if (result === 'switched') parts.wake();
  if (result === 'stale') return take(parts, known, facts, { kind: 'move', to: 'superseded', detail: STALE });
  // What else stopped it is a fact that the next look sees.
  return result !== 'closed';
}

async function verify(parts: PromotionParts, known: PromotionCase, facts: PromotionFacts): Promise<boolean> {
  const { promotion } = known;
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
  const why = `Nothing could be verified: no pipeline ${rules.pipelines.join(', ')} of the release can be started by itself.`;
  return take(parts, known, facts, failedVerification(facts, why));
}

/** Null: it is valid, or somebody passed over that. */
async function validatedAgain(parts: PromotionParts, known: PromotionCase): Promise<string | null> {
  if (known.gates.some(({ kind, state }) => kind === 'validate' && state === 'overridden')) return null;
  const { state, detail } = await validate(parts, known);
  return state === 'passed' ? null : `Not valid any more: ${detail}`;
}

/** A schedule that nobody has fired yet is paused too: its row has to be there. */
async function knowSchedules(parts: PromotionParts, { environment, release }: PromotionRecord): Promise<void> {
  const pipelines = (await parts.pipelines.all(release)).map((pipeline) => withOverlay(pipeline, environment));
  await parts.store.syncSchedules(
    environment,
    pipelines.map(({ name, schedule }) => ({ pipeline: name, definition: JSON.stringify(schedule) })),
  );
}

async function factsOf(
  parts: PromotionParts,
  { promotion, gates, approvals, runs }: PromotionCase,
): Promise<PromotionFacts> {
  const { environment, release, plan } = promotion;
  const now = parts.clock.now();
  const [stand, holds, freezes, followed] = await Promise.all([
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
    stale: (stand.pointerSeq !== promotion.pointerSeq && !followed) || stand.configHash !== promotion.configHash,
    followed,
    verification: verification.length === 0 ? null : verification,
    fallback: promotion.fallback,
  };
}

function isActive({ state }: PromotionRecord): boolean {
  return ACTIVE_PROMOTION_STATES.some((active) => active === state);
}
