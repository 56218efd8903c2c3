import {
  type BuildInput,
  type Caller,
  type CompiledPipeline,
  type GivenApproval,
  gateName,
  gatesOf,
  type PromotionCase,
  type PromotionKind,
  type PromotionRecord,
  SluiceError,
} from '#core';
import { knownEnvironment } from '../known-environment.ts';
import type { AppliedEnvironment } from '../ports.ts';
import { namesOf, refuseUncounted } from './duties.ts';
import { planHash, type PlannedPromotion, planPromotion } from './plan-promotion.ts';
import type { PromotionParts } from './promotion-parts.ts';
import type { Decision, PromotionRequest } from './promotion-request.ts';
import { refuseDecidedThere, vouchedBy } from './vouched.ts';
import { type JenkinsAccount, waitingBuild, withAnApproval } from './waiting-build.ts';

export interface PromotionsParts extends Pick<
  PromotionParts,
  'promotions' | 'pipelines' | 'environments' | 'isFollowed' | 'clock'
> {
  /** Groups of somebody whom a token vouches for: they come from here, never from who vouches. */
  readonly groupsOf: (name: string) => Promise<readonly string[]>;
  /** Null: no build can wait for a promotion. */
  readonly jenkins: JenkinsAccount | null;
  /** There is something for the loop that steps promotions. */
  readonly onChange: () => void;
}

/**
 * What people and programs may ask of promotions; the loop does the rest. Every method throws `SluiceError`: `not_found`,
 * `bad_request`, `forbidden`, `conflict` when somebody was first or the plan is stale.
 */
export class Promotions {
  constructor(private readonly parts: PromotionsParts) {}

  /** What would change; asks for nothing. `pipelines` of files that are no release yet. */
  async plan(
    environment: string,
    candidate: { readonly release: string } | { readonly pipelines: readonly CompiledPipeline[] },
    kind: PromotionKind = 'promote',
  ): Promise<PlannedPromotion> {
    const { promotions, pipelines, clock } = this.parts;
    const applied = this.#environment(environment);
    const release = 'release' in candidate ? candidate.release : null;
    const [stand, takenBack, runsInFlight, holds, freezes] = await Promise.all([
      promotions.stand(environment),
      kind === 'rollback' && release !== null && !(await this.parts.isFollowed(environment))
        ? promotions.takenBackVersions(environment, release)
        : [],
      promotions.runsInFlight(environment),
      promotions.holds(environment),
      promotions.freezes(environment),
    ]);
    return planPromotion({
      environment: applied,
      kind,
      release,
      current: stand.release,
      pointerSeq: await this.#pointerSeq(environment, stand.pointerSeq),
      before: stand.release === null ? [] : await pipelines.all(stand.release),
      after: 'release' in candidate ? await pipelines.all(candidate.release) : candidate.pipelines,
      runsInFlight: runsInFlight.filter((one) => one.release !== release),
      takenBack,
      hold: holds.find((hold) => hold.release === release)?.reason ?? null,
      freezes,
      now: clock.now(),
    });
  }

  /** Asks for a promotion; its id. The same request again is the same promotion, also when it has been fulfilled meanwhile. */
  async request(given: PromotionRequest, caller: Caller): Promise<string> {
    const { promotions } = this.parts;
    const { environment, release, kind, reason, overrides } = given;
    const applied = this.#environment(environment);
    const build = waitingBuild(given, this.parts.jenkins);
    const waits = build !== null && given.approver === null;
    if (build !== null && !waits) await promotions.closeInput(build, 'answered_there');
    const before = build === null ? null : await this.#promotionOf(build, given);
    // Whoever waited for it hears what became of it, and asks for nothing new.
    if (before !== null && before.finishedAt !== null) return before.id;
    // Where the input was released from here, the approvals are here as well.
    const approver = given.approver === this.parts.jenkins?.user ? null : given.approver;
    if ((kind === 'hotfix' || overrides.length > 0) && !reason)
      throw new SluiceError(
        'bad_request',
        `A ${kind === 'hotfix' ? 'hotfix' : 'gate that is passed over'} needs a reason.`,
        {
          hint: 'Say why with `--reason`; it is shown for ever.',
        },
      );
    const names = gatesOf(kind, applied.config.promotion).map(gateName);
    const unknown = overrides.find((name) => !names.includes(name));
    if (unknown !== undefined)
      throw new SluiceError('bad_request', `${environment} has no gate "${unknown}"; it has ${names.join(', ')}.`);
    refuseDecidedThere(applied.config.promotion, overrides);
    const vouched = vouchedBy(caller, given.verified, this.parts);
    const { pointerSeq, record } = await this.#newPromotion(applied, release, kind, caller, {
      ...{ reason, buildUrl: given.buildUrl, inFlight: given.inFlight, waits },
      overrides: overrides.map((gate) => ({ gate, reason: reason ?? '', actor: caller.name })),
      ...(vouched.length === 0 ? {} : { vouched }),
    });
    if (given.planHash !== null && given.planHash !== record.planHash)
      throw new SluiceError(
        'conflict',
        `The plan is stale: ${environment} or its configuration changed since it was made.`,
        {
          hint: 'Make a new one with `sluice plan`, look at it, and promote that.',
          details: { pointerSeq, planHash: record.planHash },
        },
      );
    const approval =
      approver === null ? null : await this.#approval(caller, { decision: 'approve', comment: null, approver });
    if (approval !== null) refuseUncounted(approval, { ...record, id: '' });
    const { id, created } = await promotions.createPromotion(record);
    if (!created && reason !== null) for (const gate of overrides) await this.#overrideOpen(id, gate, reason, caller);
    if (build !== null && waits) await promotions.awaitInput(id, build);
    const known = approval === null ? null : await promotions.promotionCase(id);
    if (approval !== null && known !== null && known.promotion.finishedAt === null)
      await promotions.approvePromotion(id, { ...approval, planHash: known.promotion.planHash });
    this.parts.onChange();
    return id;
  }

  /** Release that a rollback returns to by itself; throws `conflict` when there is none. */
  async earlierRelease(environment: string): Promise<string> {
    const { promotions } = this.parts;
    this.#environment(environment);
    const { release } = await promotions.stand(environment);
    const to = await promotions.verifiedBefore(environment, release);
    if (to !== null) return to;
    throw new SluiceError('conflict', `No release was verified in ${environment} before the present one.`, {
      hint: 'Name one with `--to`, promote a release, or pause the schedules: `sluice pipelines pause`.',
    });
  }

  /** Returns to a release that was verified here before: `to`, or the one before the present. Its promotion's id. */
  async rollBack(
    given: {
      readonly environment: string;
      readonly to: string | null;
      readonly reason: string | null;
      readonly buildUrl: string | null;
      readonly inFlight: 'finish' | 'cancel';
    },
    caller: Caller,
  ): Promise<string> {
    const { promotions } = this.parts;
    const { environment } = given;
    const applied = this.#environment(environment);
    if (await this.parts.isFollowed(environment))
      throw new SluiceError('conflict', `${environment} runs what a branch or the working tree holds.`, {
        hint: 'Revert the change there; what is rolled back here would come straight back.',
      });
    const to = given.to ?? (await this.earlierRelease(environment));
    if ((await promotions.verifiedIn(to, [environment]))[environment] === undefined)
      throw new SluiceError('conflict', `Release ${to.slice(0, 12)} was never verified in ${environment}.`, {
        hint: `Promote it: \`sluice promote --to ${environment} --release ${to.slice(0, 12)}\`.`,
      });
    const { record } = await this.#newPromotion(applied, to, 'rollback', caller, {
      ...{ ...given, overrides: [], waits: false },
    });
    const { id } = await promotions.createPromotion(record);
    this.parts.onChange();
    return id;
  }

  async decide(id: string, decision: Decision, caller: Caller): Promise<void> {
    const { promotions } = this.parts;
    const { promotion } = await this.open(id);
    if (promotion.state === 'verifying') throw switchedAlready(promotion);
    const approval = { ...(await this.#approval(caller, decision)), planHash: promotion.planHash };
    if (decision.decision === 'approve') refuseUncounted(approval, promotion);
    if (!(await promotions.approvePromotion(id, approval))) {
      const { approvals, promotion: now } = await this.open(id);
      const before = approvals.find(({ approver }) => approver === approval.approver);
      if (before === undefined) throw switchedAlready(now);
      if (before.decision !== decision.decision)
        throw new SluiceError('conflict', `${approval.approver} has decided on promotion ${id} already.`);
    }
    this.parts.onChange();
  }

  async override(id: string, gate: string, reason: string, caller: Caller): Promise<void> {
    const { gates, promotion } = await this.open(id);
    refuseDecidedThere(promotion.plan.rules, [gate]);
    const isGate = gatesOf(promotion.kind, promotion.plan.rules).some((one) => gateName(one) === gate);
    if (!isGate || !(await this.parts.promotions.overrideGate(id, gate, reason, caller.name)))
      throw new SluiceError('conflict', `Promotion ${id} has no gate "${gate}" that waits for an answer.`, {
        hint: `Its gates: ${gates.map(({ name, state }) => `${name} (${state})`).join(', ') || 'none yet'}.`,
      });
    this.parts.onChange();
  }

  /** Of a promotion that was asked for before: a gate that has its answer is passed over by nobody. */
  async #overrideOpen(id: string, gate: string, reason: string, caller: Caller): Promise<void> {
    const known = await this.parts.promotions.promotionCase(id);
    const state = known?.gates.find(({ name }) => name === gate)?.state;
    const isPast = known === null || known.promotion.finishedAt !== null || known.promotion.state === 'verifying';
    if (isPast || state === 'overridden' || known.promotion.plan.overrides.some((one) => one.gate === gate)) return;
    await this.override(id, gate, reason, caller);
  }

  async cancel(id: string, caller: Caller): Promise<void> {
    const { promotion } = await this.open(id);
    const before = promotion.state !== 'verifying';
    const cancelled =
      before &&
      (await this.parts.promotions.movePromotion(
        id,
        promotion.state,
        'cancelled',
        `Cancelled by ${caller.name}.`,
        caller.name,
      ));
    if (!cancelled)
      throw new SluiceError(
        'conflict',
        `Promotion ${id} went on meanwhile, or has switched ${promotion.environment} already.`,
        {
          hint: `To return: \`sluice rollback --env ${promotion.environment}\`.`,
        },
      );
    this.parts.onChange();
  }

  async setHold(environment: string, release: string, reason: string, caller: Caller): Promise<void> {
    this.#environment(environment);
    await this.parts.promotions.setHold(environment, release, reason, caller.name);
  }

  async liftHold(environment: string, release: string, caller: Caller): Promise<void> {
    if (!(await this.parts.promotions.liftHold(environment, release, caller.name)))
      throw new SluiceError('not_found', `Release ${release.slice(0, 12)} is not on hold in ${environment}.`);
  }

  async addFreeze(
    given: {
      readonly environment: string;
      readonly startsAt: Date | null;
      readonly endsAt: Date;
      readonly reason: string;
    },
    caller: Caller,
  ): Promise<string> {
    const { environment, endsAt, reason } = given;
    this.#environment(environment);
    const now = this.parts.clock.now();
    const startsAt = given.startsAt ?? now;
    if (endsAt <= startsAt || endsAt <= now)
      throw new SluiceError(
        'bad_request',
        `The freeze would end at ${endsAt.toISOString()}, before it begins or already past.`,
      );
    return this.parts.promotions.addFreeze({
      ...{ environment, reason, actor: caller.name },
      ...{ startsAt: startsAt.toISOString(), endsAt: endsAt.toISOString() },
    });
  }

  async liftFreeze(environment: string, id: string, caller: Caller): Promise<void> {
    if (!(await this.parts.promotions.liftFreeze(environment, id, caller.name)))
      throw new SluiceError('not_found', `${environment} has no freeze ${id}.`);
    this.parts.onChange();
  }

  /** Throws `not_found`, or `conflict` when it has ended. */
  async open(id: string): Promise<PromotionCase> {
    const known = await this.parts.promotions.promotionCase(id);
    if (known === null) throw new SluiceError('not_found', `There is no promotion ${id}.`);
    if (known.promotion.finishedAt !== null)
      throw new SluiceError('conflict', `Promotion ${id} has ended: ${known.promotion.state}.`);
    return known;
  }

  async #newPromotion(
    applied: AppliedEnvironment,
    release: string,
    kind: PromotionKind,
    caller: Caller,
    more: Pick<PromotionRequest, 'reason' | 'buildUrl' | 'inFlight'> &
      Pick<PromotionRecord['plan'], 'overrides' | 'vouched'> & { readonly waits: boolean },
  ) {
    const { promotions } = this.parts;
    const { name: environment, promotion: rules } = applied.config;
    const stand = await promotions.stand(environment);
    const pointerSeq = await this.#pointerSeq(environment, stand.pointerSeq);
    const about = await promotions.release(release);
    if (about === null) throw new SluiceError('not_found', `There is no release ${release.slice(0, 12)}.`);
    const record = {
      ...{ environment, release, kind, pointerSeq, configHash: applied.hash, actor: caller.name },
      ...{ previous: stand.release, fallback: await promotions.lastVerified(environment, release) },
      plan: {
        rules: more.waits ? withAnApproval(rules) : rules,
        ...{ authors: namesOf(about.author), inFlight: more.inFlight, overrides: more.overrides },
        ...(more.vouched === undefined ? {} : { vouched: more.vouched }),
      },
      planHash: planHash({ environment: applied, release, kind, pointerSeq }),
      ...{ reason: more.reason, buildUrl: more.buildUrl },
    };
    return { pointerSeq, record };
  }

  /** What a build waits or waited for, if that is what it asks for now. */
  async #promotionOf(
    build: BuildInput,
    { environment, release, kind }: PromotionRequest,
  ): Promise<PromotionRecord | null> {
    const known = await this.parts.promotions.promotionOfInput(build);
    const isSame = known?.environment === environment && known.release === release && known.kind === kind;
    return isSame ? known : null;
  }

  /** What something else moves all the time makes no plan stale. */
  async #pointerSeq(environment: string, seq: number): Promise<number> {
    return (await this.parts.isFollowed(environment)) ? 0 : seq;
  }

  async #approval(caller: Caller, { decision, comment, approver }: Decision): Promise<GivenApproval> {
    const onBehalf = approver !== null && approver !== caller.name;
    return {
      approver: approver ?? caller.name,
      assertedBy: onBehalf ? caller.name : null,
      groups: onBehalf ? await this.parts.groupsOf(approver) : caller.groups,
      ...{ decision, comment, planHash: '' },
    };
  }

  #environment(name: string): AppliedEnvironment {
    return knownEnvironment(this.parts.environments, name);
  }
}

function switchedAlready({ id, environment }: PromotionRecord): SluiceError {
  return new SluiceError('conflict', `Promotion ${id} has switched ${environment} already.`, {
    hint: `To return: \`sluice rollback --env ${environment}\`.`,
  });
}
