import { countApprovals, gateName, gatesOf, type FreezeRecord, type PromotionRecord, type PromotionStore } from '#core';
import { SluiceError } from '#core';
import type { Freeze, Promotion, PromotionDetail, PromotionPlan, PromotionStand } from '#contracts';
import { compilePipelines, isWithinWindow } from '#dag';
import type { Environments, PlannedPromotion, Promotions } from '#engine';
import { apiQueries, type Db } from '#store';
import { readRelease } from './release-reads.ts';

export interface PromotionReadContext {
  readonly db: Db;
  readonly store: PromotionStore;
  readonly promotions: Promotions;
  readonly environments: Pick<Environments, 'get'>;
  readonly isFollowed: (environment: string) => Promise<boolean>;
  readonly now: () => Date;
}

type Among = readonly string[] | null;
type ShortRelease = Promotion['release'];

/** What the API answers about promotions, in the shapes of #contracts. */
export function createPromotionReads(context: PromotionReadContext) {
  return {
    promotions: (options: {
      environment: string | null;
      among: Among;
      release: string | null;
      limit: number;
      cursor: string | null;
    }) => readPromotions(context, options),
    promotion: (id: string) => readPromotion(context, id),
    environmentOfPromotion: (id: string) => environmentOfPromotion(context, id),
    promotionStand: (environment: string) => readStand(context, environment),
    promotionPlan: (request: PlanRequest, among: Among) => readPlan(context, request, among),
  };
}

interface PlanRequest {
  readonly environment: string;
  readonly release?: string | undefined;
  readonly kind: 'promote' | 'hotfix' | 'rollback';
  readonly files?: readonly { readonly path: string; readonly text: string }[] | undefined;
}

async function readPromotions(
  context: PromotionReadContext,
  given: { environment: string | null; among: Among; release: string | null; limit: number; cursor: string | null },
): Promise<{ items: Promotion[]; next: string | null }> {
  const { environment, among, limit, cursor } = given;
  const before = cursor === null ? null : idOf(cursor);
  const release = given.release === null ? null : (await readRelease(context, given.release, among)).digest;
  const environments = environment === null ? among : [environment];
  const rows = await apiQueries.readPromotions(context.db, { environments, release, before, limit: limit + 1 });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last ? Buffer.from(`before:${last.id}`).toString('base64url') : null;
  return { items: await toPromotions(context, shown), next };
}

function idOf(cursor: string): string {
  const id = /^before:([1-9]\d{0,17})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1];
  if (id !== undefined) return id;
  throw new SluiceError('bad_request', `"${cursor}" is not a cursor.`, { hint: 'Use `next` of the page before.' });
}

async function environmentOfPromotion({ store }: PromotionReadContext, id: string): Promise<string> {
  const known = await store.promotionCase(id);
  if (known === null) throw new SluiceError('not_found', `There is no promotion ${id}.`);
  return known.promotion.environment;
}

async function readPromotion(context: PromotionReadContext, id: string): Promise<PromotionDetail> {
  const known = await context.store.promotionCase(id);
  if (known === null) throw new SluiceError('not_found', `There is no promotion ${id}.`);
  const { promotion, gates, approvals, runs } = known;
  const { kind, plan, planHash, actor } = promotion;
  const { rules, authors } = plan;
  const looked = new Map(gates.map((gate) => [gate.name, gate]));
  const asked = gatesOf(kind, rules);
  const [shown] = await toPromotions(context, [promotion]);
  if (shown === undefined) throw new SluiceError('not_found', `There is no promotion ${id}.`);
  return {
    ...shown,
    gates: asked.map((gate) => {
      const found = looked.get(gateName(gate));
      const none = { state: 'pending' as const, detail: 'Not looked at yet.', evidence: {}, checkedAt: null };
      return {
        kind: gate.kind,
        name: gateName(gate),
        ...(found ? { ...found, evidence: { ...found.evidence } } : none),
      };
    }),
    approvals: {
      ...mutable(countApprovals({ kind, rules, planHash, authors, requester: actor, gates, approvals })),
      groups: [...rules.approvals.groups],
      given: approvals.map(({ approver, assertedBy, decision, comment, at }) => ({
        approver,
        assertedBy,
        decision,
        comment,
        at,
      })),
    },
    window: rules.window === null ? null : { ...rules.window, open: isWithinWindow(rules.window, context.now()) },
    runs: runs.map((run) => ({ ...run })),
  };
}

function mutable({ needed, counted }: { readonly needed: number; readonly counted: readonly string[] }) {
  return { needed, counted: [...counted] };
}

async function readStand(context: PromotionReadContext, environment: string): Promise<PromotionStand> {
  const { store, db, environments, isFollowed } = context;
  const applied = environments.get(environment);
  if (applied === null) throw new SluiceError('not_found', `There is no environment "${environment}".`);
  const [pointer, verified, holds, freezes, open] = await Promise.all([
    apiQueries.readPointer(db, environment),
    store.lastVerified(environment, null),
    store.holds(environment),
    store.freezes(environment),
    store.openPromotions(),
  ]);
  const known = await shortReleases(db, [pointer?.release, verified, ...holds.map(({ release }) => release)]);
  const current = pointer === null ? undefined : known.get(pointer.release);
  return {
    environment,
    from: [...applied.config.promotion.from],
    current: pointer === null || current === undefined ? null : { ...current, since: pointer.at, actor: pointer.actor },
    verified: verified === null ? null : (known.get(verified) ?? null),
    followed: await isFollowed(environment),
    open: await toPromotions(
      context,
      open.filter((one) => one.environment === environment),
    ),
    holds: holds.map(({ release, reason, actor, at }) => ({
      environment,
      release: nameOf(known, release),
      reason,
      actor,
      at,
    })),
    freezes: freezes.map(toFreeze),
  };
}

async function readPlan(context: PromotionReadContext, request: PlanRequest, among: Among): Promise<PromotionPlan> {
  const { promotions, db, store } = context;
  const { environment, kind, files } = request;
  const earlier = kind === 'rollback' && request.release === undefined && files === undefined;
  if (!earlier && (request.release === undefined) === (files === undefined))
    throw new SluiceError('bad_request', 'A plan is of either a `release` or of `files`.');
  const asked = earlier ? await promotions.earlierRelease(environment) : request.release;
  const release = asked === undefined ? null : (await readRelease(context, asked, among)).digest;
  const planned = await promotions.plan(environment, release === null ? compiled(files ?? []) : { release }, kind);
  const { release: currentRelease } = await store.stand(environment);
  const known = await shortReleases(db, [release, currentRelease]);
  return {
    ...(planned as Mutable<PlannedPromotion>),
    environment,
    kind,
    release: release === null ? null : nameOf(known, release),
    current: currentRelease === null ? null : nameOf(known, currentRelease),
    freezes: planned.freezes.map(toFreeze),
  };
}

/** Plain JSON from here on: the contract has mutable lists. */
type Mutable<T> = T extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
    : T;

function compiled(files: readonly { readonly path: string; readonly text: string }[]) {
  const { pipelines, problems } = compilePipelines(
    files.filter(({ path }) => /\.ya?ml$/.test(path)).map(({ path, text }) => ({ file: path, text })),
  );
  const all = [...problems.values()].flat();
  if (all.length > 0)
    throw new SluiceError(
      'invalid_config',
      `${all.length} ${all.length === 1 ? 'problem' : 'problems'} in the pipeline files.`,
      {
        details: { problems: all.slice(0, 100) },
      },
    );
  return { pipelines };
}

async function toPromotions(
  { db }: Pick<PromotionReadContext, 'db'>,
  rows: readonly PromotionRecord[],
): Promise<Promotion[]> {
  const known = await shortReleases(
    db,
    rows.flatMap((row) => [row.release, row.previous, row.fallback]),
  );
  return rows.map((row) => ({
    ...{ id: row.id, environment: row.environment, kind: row.kind, state: row.state, detail: row.detail },
    release: nameOf(known, row.release),
    previous: row.previous === null ? null : nameOf(known, row.previous),
    fallback: row.fallback === null ? null : nameOf(known, row.fallback),
    ...{ planHash: row.planHash, actor: row.actor, reason: row.reason, buildUrl: row.buildUrl },
    ...{ requestedAt: row.requestedAt, stateAt: row.stateAt, switchedAt: row.switchedAt, finishedAt: row.finishedAt },
  }));
}

async function shortReleases(
  db: Db,
  digests: readonly (string | null | undefined)[],
): Promise<ReadonlyMap<string, ShortRelease>> {
  const wanted = [...new Set(digests.filter((digest) => typeof digest === 'string'))];
  const rows = wanted.length === 0 ? [] : await apiQueries.releasesByDigest(db, wanted);
  return new Map(
    rows.map(({ digest, alias, commit, author, message }) => [digest, { digest, alias, commit, author, message }]),
  );
}

/** Even of a release that was swept away. */
function nameOf(known: ReadonlyMap<string, ShortRelease>, digest: string): ShortRelease {
  return known.get(digest) ?? { digest, alias: digest.slice(0, 12), commit: null, author: null, message: null };
}

function toFreeze({ id, environment, startsAt, endsAt, reason, actor }: FreezeRecord): Freeze {
  return { id, environment, startsAt, endsAt, reason, actor };
}
