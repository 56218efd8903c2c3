import {
  countApprovals,
  gateName,
  gatesOf,
  type FreezeRecord,
  type PromotionCase,
  type PromotionRecord,
  type PromotionStore,
} from '#core';
import type { Freeze, Promotion, PromotionDetail } from '#contracts';
import { isWithinWindow } from '#dag';
import type { Environments } from '#engine';
import { apiQueries, type Db } from '#store';

export interface RecordContext {
  readonly db: Db;
  readonly store: PromotionStore;
  readonly environments: Environments;
  readonly isFollowed: (environment: string) => Promise<boolean>;
  readonly now: () => Date;
}

type ShortRelease = Promotion['release'];

/** A promotion with its gates, those that nobody looked at yet included, and with whose approval counts. */
export async function toDetail(
  { db, now }: Pick<RecordContext, 'db' | 'now'>,
  known: PromotionCase,
): Promise<PromotionDetail> {
  const releases = await shortReleases(db, releasesOf(known.promotion));
  return { ...toPromotion(known.promotion, releases), ...detailsOf(known, now()) };
}

function detailsOf(
  { promotion, gates, approvals, runs }: PromotionCase,
  now: Date,
): Omit<PromotionDetail, keyof Promotion> {
  const { kind, plan, planHash, actor } = promotion;
  const { rules, authors } = plan;
  const looked = new Map(gates.map((gate) => [gate.name, gate]));
  const { needed, counted } = countApprovals({ kind, rules, planHash, authors, requester: actor, gates, approvals });
  return {
    gates: gatesOf(kind, rules).map((gate) => {
      const name = gateName(gate);
      const found = looked.get(name);
      const none = { state: 'pending' as const, detail: 'Not looked at yet.', evidence: {}, checkedAt: null };
      return { ...(found ? { ...found, evidence: { ...found.evidence } } : none), kind: gate.kind, name };
    }),
    approvals: {
      ...{ needed, counted: [...counted], groups: [...rules.approvals.groups] },
      ...{ excludeAuthor: rules.approvals.excludeAuthor, authors: [...authors] },
      given: approvals.map(({ approver, assertedBy, decision, comment, at }) => ({
        ...{ approver, assertedBy, decision, comment, at },
      })),
    },
    window: rules.window === null ? null : { ...rules.window, open: isWithinWindow(rules.window, now) },
    runs: runs.map((run) => ({ ...run })),
  };
}

/** In the shape of the contract, their releases named. */
export async function toPromotions(
  { db }: Pick<RecordContext, 'db'>,
  rows: readonly PromotionRecord[],
): Promise<Promotion[]> {
  const known = await shortReleases(db, rows.flatMap(releasesOf));
  return rows.map((row) => toPromotion(row, known));
}

function releasesOf({ release, previous, fallback }: PromotionRecord) {
  return [release, previous, fallback];
}

function toPromotion(row: PromotionRecord, known: ReadonlyMap<string, ShortRelease>): Promotion {
  return {
    ...{ id: row.id, environment: row.environment, kind: row.kind, state: row.state, detail: row.detail },
    release: nameOf(known, row.release),
    previous: row.previous === null ? null : nameOf(known, row.previous),
    fallback: row.fallback === null ? null : nameOf(known, row.fallback),
    ...{ planHash: row.planHash, actor: row.actor, reason: row.reason, buildUrl: row.buildUrl },
    ...{ requestedAt: row.requestedAt, stateAt: row.stateAt, switchedAt: row.switchedAt, finishedAt: row.finishedAt },
  };
}

/** By digest; those that were swept away are left out. */
export async function shortReleases(
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
export function nameOf(known: ReadonlyMap<string, ShortRelease>, digest: string): ShortRelease {
  return known.get(digest) ?? { digest, alias: digest.slice(0, 12), commit: null, author: null, message: null };
}

export function toFreeze({ id, environment, startsAt, endsAt, reason, actor }: FreezeRecord): Freeze {
  return { id, environment, startsAt, endsAt, reason, actor };
}
