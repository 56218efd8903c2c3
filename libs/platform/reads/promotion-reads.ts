import { SluiceError, type PromotionState } from '#core';
import type { Promotion, PromotionDetail, PromotionPlan } from '#contracts';
import { compilePipelines } from '#dag';
import type { PlannedPromotion, Promotions } from '#engine';
import { apiQueries } from '#store';
import { nameOf, shortReleases, toDetail, toFreeze, toPromotions, type RecordContext } from './promotion-records.ts';
import { readBoard, readStand } from './promotion-stand.ts';
import { readRelease } from './release-reads.ts';

export interface PromotionReadContext extends RecordContext {
  readonly promotions: Promotions;
}

type Among = readonly string[] | null;

interface ListOptions {
  readonly environment: string | null;
  readonly among: Among;
  readonly release: string | null;
  readonly states: readonly PromotionState[] | null;
  readonly limit: number;
  readonly cursor: string | null;
}

/** What the API answers about promotions, in the shapes of #contracts. */
export function createPromotionReads(context: PromotionReadContext) {
  return {
    promotions: (options: ListOptions) => readPromotions(context, options),
    promotion: (id: string) => readPromotion(context, id),
    environmentOfPromotion: (id: string) => environmentOfPromotion(context, id),
    promotionStand: (environment: string) => readStand(context, environment),
    board: (among: Among) => readBoard(context, among),
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
  given: ListOptions,
): Promise<{ items: Promotion[]; next: string | null }> {
  const { environment, among, states, limit, cursor } = given;
  const before = cursor === null ? null : idOf(cursor);
  const release = given.release === null ? null : (await readRelease(context, given.release, among)).digest;
  const environments = environment === null ? among : [environment];
  const rows = await apiQueries.readPromotions(context.db, { environments, release, states, before, limit: limit + 1 });
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
  return toDetail(context, known);
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
