import { z } from 'zod';
import { GATE_STATES, PROMOTION_STATES, RUN_STATES } from '#core';
import { pipelineDiff, release } from './release-shapes.ts';

// Every instant is ISO 8601 in UTC; absent values are null.

const id = z.string();
const instant = z.string();
const gateKind = z.enum([
  ...(['validate', 'provenance', 'soak', 'smoke', 'metric', 'checks', 'tests', 'external', 'installation'] as const),
]);
const kind = z.enum(['promote', 'rollback', 'hotfix']);
const shortRelease = release.pick({ digest: true, alias: true, commit: true, author: true, message: true });

export const hold = z.object({
  environment: z.string(),
  release: shortRelease,
  reason: z.string(),
  actor: z.string(),
  at: instant,
});
export type Hold = z.infer<typeof hold>;

export const freeze = z.object({
  id,
  environment: z.string(),
  startsAt: instant,
  endsAt: instant,
  reason: z.string(),
  actor: z.string(),
});
export type Freeze = z.infer<typeof freeze>;

export const promotion = z.object({
  id,
  environment: z.string(),
  kind,
  /** queued → gates → approval → window → verifying → verified; or one of the other ends. */
  state: z.enum(PROMOTION_STATES),
  /** Why it stands where it stands, for people. */
  detail: z.string().nullable(),
  release: shortRelease,
  /** What the environment ran when it was asked for, and what it returns to when verification fails. */
  previous: shortRelease.nullable(),
  fallback: shortRelease.nullable(),
  planHash: z.string(),
  actor: z.string(),
  reason: z.string().nullable(),
  /** Of the CI build that asked. */
  buildUrl: z.string().nullable(),
  requestedAt: instant,
  /** Since when it is in this state. */
  stateAt: instant,
  switchedAt: instant.nullable(),
  finishedAt: instant.nullable(),
});
export type Promotion = z.infer<typeof promotion>;

export const promotionDetail = promotion.extend({
  /** All the gates it has to pass, in their order; those that nobody looked at yet are `pending`. */
  gates: z.array(
    z.object({
      kind: gateKind,
      name: z.string(),
      state: z.enum(GATE_STATES),
      detail: z.string(),
      /** What the answer rests on: runs, metrics and baseline, instants. */
      evidence: z.record(z.string(), z.unknown()),
      checkedAt: instant.nullable(),
    }),
  ),
  approvals: z.object({
    needed: z.number(),
    /** Names of those whose approval counts so far. */
    counted: z.array(z.string()),
    groups: z.array(z.string()),
    /** True: neither who asked for it nor who wrote the commit approves. */
    excludeAuthor: z.boolean(),
    /** Names of who wrote the commit. */
    authors: z.array(z.string()),
    given: z.array(
      z.object({
        approver: z.string(),
        /** Token that vouches for the approver; null: the approver's own. */
        assertedBy: z.string().nullable(),
        decision: z.enum(['approve', 'reject']),
        comment: z.string().nullable(),
        at: instant,
      }),
    ),
  }),
  window: z.object({ cron: z.string(), timezone: z.string(), open: z.boolean() }).nullable(),
  runs: z.array(
    z.object({
      runId: id,
      environment: z.string(),
      pipeline: z.string(),
      trigger: z.enum(['smoke', 'verification']),
      state: z.enum(RUN_STATES),
      reason: z.string().nullable(),
      createdAt: instant,
    }),
  ),
});
export type PromotionDetail = z.infer<typeof promotionDetail>;

export const promotionPlan = z.object({
  environment: z.string(),
  kind,
  /** Null: the files are no release yet. */
  release: shortRelease.nullable(),
  current: shortRelease.nullable(),
  /** Pass it on with the request, and a plan that is stale by then is refused. */
  planHash: z.string().nullable(),
  pipelines: z.array(pipelineDiff),
  /** Of pipelines whose schedule changes: the next five fires. */
  schedules: z.array(z.object({ pipeline: z.string(), before: z.array(instant), after: z.array(instant) })),
  /** `pipeline/path` that tasks begin or cease to write. */
  paths: z.object({ added: z.array(z.string()), orphaned: z.array(z.string()) }),
  missing: z.object({ secrets: z.array(z.string()), pools: z.array(z.string()) }),
  gates: z.array(z.object({ kind: gateKind, name: z.string() })),
  approvals: z.object({ needed: z.number(), groups: z.array(z.string()), excludeAuthor: z.boolean() }),
  window: z.object({ cron: z.string(), timezone: z.string(), open: z.boolean() }).nullable(),
  freezes: z.array(freeze),
  hold: z.string().nullable(),
  /** Of a rollback: locations whose data returns to an earlier version; null: to nothing. */
  takenBack: z.array(z.object({ location: z.string(), version: z.string(), before: z.string().nullable() })),
  runsInFlight: z.array(z.object({ pipeline: z.string(), release: id, runs: z.number() })),
  risk: z.object({ level: z.enum(['none', 'low', 'medium', 'high']), reasons: z.array(z.string()) }),
});
export type PromotionPlan = z.infer<typeof promotionPlan>;

/** Where an environment stands: a column of the promotion board. */
export const promotionStand = z.object({
  environment: z.string(),
  /** Environments that a release has to come from. */
  from: z.array(z.string()),
  current: shortRelease.extend({ since: instant, actor: z.string() }).nullable(),
  /** Release that was verified last. */
  verified: shortRelease.nullable(),
  /** Release that a rollback returns to: the last verified one other than the present. */
  earlier: shortRelease.nullable(),
  /** Something else decides its release (the working tree, a git remote). */
  followed: z.boolean(),
  /** What a usual promotion has to pass. */
  gates: z.array(z.object({ kind: gateKind, name: z.string() })),
  /** How many approvals it needs. */
  approvals: z.number(),
  window: z.object({ cron: z.string(), timezone: z.string(), open: z.boolean() }).nullable(),
  /** Promotions that have not ended, oldest first: one is under way, the others wait for it. */
  open: z.array(promotionDetail),
  holds: z.array(hold),
  freezes: z.array(freeze),
});
export type PromotionStand = z.infer<typeof promotionStand>;

// ---- requests

const environment = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, 'expected the name of an environment');
const releaseName = z
  .string()
  .regex(/^([0-9a-f]{6,64}|[a-z]+-[a-z]+)$/, 'expected a digest, at least six digits of it, or an alias');
const reason = z.string().min(1).max(2000);
const buildUrl = z.url({ protocol: /^https?$/, error: 'expected an address with http: or https:' }).max(2000);
const inFlight = z.enum(['finish', 'cancel']).default('finish');
const person = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$/, 'expected letters, digits, "_", ".", "@" and "-"');

export const planRequest = z.strictObject({
  environment,
  /** Of a rollback it may be absent: the release that was verified before the present one. */
  release: releaseName.optional(),
  kind: z.enum(['promote', 'hotfix', 'rollback']).default('promote'),
  /** Pipeline files that are no release yet, instead of `release`. */
  files: z
    .array(z.strictObject({ path: z.string().max(4096), text: z.string() }))
    .max(50_000)
    .optional(),
});
export const promotionRequest = z.strictObject({
  environment,
  release: releaseName,
  kind: z.enum(['promote', 'hotfix']).default('promote'),
  reason: reason.nullable().default(null),
  buildUrl: buildUrl.nullable().default(null),
  /** Id of the `input` at which that build of Jenkins waits for the promotion; along with an approver it has been answered. */
  input: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'expected letters, digits, "_" and "-"')
    .nullable()
    .default(null),
  /** What happens to runs on other releases: they finish, or they are cancelled. */
  inFlight,
  planHash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable()
    .default(null),
  /** Names of gates to pass over. Needs the right `override` and a reason. */
  overrides: z.array(z.string().max(2000)).max(50).default([]),
  /** When it was verified in environments of another installation, as the token states. Needs the right `vouch` in each. */
  verified: z
    .array(z.strictObject({ environment, at: z.iso.datetime({ offset: true }) }))
    .max(50)
    .default([]),
  /** Who approves, as the token vouches. Needs the right `approve-on-behalf`. */
  approver: person.nullable().default(null),
});
export const rollbackRequest = z.strictObject({
  environment,
  /** Absent: the last release that was verified there, other than the present one. */
  to: releaseName.nullable().default(null),
  reason: reason.nullable().default(null),
  buildUrl: buildUrl.nullable().default(null),
  inFlight,
});
export const decisionRequest = z.strictObject({
  decision: z.enum(['approve', 'reject']),
  comment: z.string().max(2000).nullable().default(null),
});
/** `approver`: whom the token vouches for. */
export const decisionOnBehalfRequest = decisionRequest.extend({ approver: person });
export const overrideRequest = z.strictObject({ gate: z.string().max(2000), reason });
export const holdRequest = z.strictObject({ environment, release: releaseName, reason });
export const liftHoldRequest = z.strictObject({ environment, release: releaseName });
export const freezeRequest = z.strictObject({
  environment,
  startsAt: z.iso.datetime({ offset: true }).nullable().default(null),
  endsAt: z.iso.datetime({ offset: true }),
  reason,
});
