import { isAmong, SluiceError } from '#core';
import type { Release, ReleaseDetail, ReleaseDiff, ReleaseTests } from '#contracts';
import { diffReleases, type ReleaseStore, type StoredRelease } from '#release';
import { apiQueries, recordedTests, type Db } from '#store';

export interface ReleaseReadContext {
  readonly db: Db;
  readonly releases: Pick<ReleaseStore, 'get'>;
}

/** Environments whose names may be told; null: all. */
type Among = readonly string[] | null;

/** What the API answers about releases, in the shapes of #contracts. */
export function createReleaseReads(context: ReleaseReadContext) {
  return {
    releases: (options: { dirty: boolean | null; limit: number; cursor: string | null }, among: Among) =>
      readReleases(context, options, among),
    release: (ref: string, among: Among) => readRelease(context, ref, among),
    releaseDetail: (ref: string, among: Among) => readReleaseDetail(context, ref, among),
    releaseTests: (ref: string) => readReleaseTests(context, ref),
    releaseDiff: (from: string, to: string, among: Among) => readReleaseDiff(context, from, to, among),
  };
}

async function readReleaseTests({ db }: ReleaseReadContext, ref: string): Promise<ReleaseTests> {
  const { digest, alias } = await readRelease({ db }, ref, null);
  const tests = await recordedTests(db, digest);
  if (tests !== null) return tests;
  throw new SluiceError('not_found', `No tests are recorded with ${alias}.`, {
    hint: 'Record them: `sluice test --record`.',
  });
}

async function readReleases(
  { db }: ReleaseReadContext,
  { dirty, limit, cursor }: { dirty: boolean | null; limit: number; cursor: string | null },
  among: Among,
): Promise<{ items: Release[]; next: string | null }> {
  const rows = await apiQueries.readReleases(db, { dirty, before: digestOf(cursor), limit: limit + 1 });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last ? Buffer.from(`after:${last.digest}`).toString('base64url') : null;
  return { items: shown.map((row) => toRelease(row, among)), next };
}

function digestOf(cursor: string | null): string | null {
  if (cursor === null) return null;
  const digest = /^after:([0-9a-z-]{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1];
  if (digest !== undefined) return digest;
  throw new SluiceError('bad_request', `"${cursor}" is not a cursor.`, { hint: 'Use `next` of the page before.' });
}

/** By digest, the beginning of one, or alias. Throws `not_found`, or `conflict` when it may mean several. */
export async function readRelease({ db }: Pick<ReleaseReadContext, 'db'>, ref: string, among: Among): Promise<Release> {
  const found = await apiQueries.findReleases(db, ref);
  const [only, ...others] = found;
  if (only === undefined)
    throw new SluiceError('not_found', `There is no release ${ref}.`, {
      hint: '`sluice release list` shows those there are; `sluice release create` makes one.',
    });
  if (others.length === 0) return toRelease(only, among);
  const which = found.map(({ digest, createdAt }) => `${digest.slice(0, 12)} of ${createdAt}`).join(', ');
  throw new SluiceError('conflict', `"${ref}" may mean several releases: ${which}.`, {
    hint: 'Use more of the digest.',
  });
}

async function readReleaseDetail(context: ReleaseReadContext, ref: string, among: Among): Promise<ReleaseDetail> {
  const row = await readRelease(context, ref, among);
  const [{ pipelines, files, problems }, tests] = await Promise.all([
    contentsOf(context, row),
    recordedTests(context.db, row.digest),
  ]);
  return {
    ...row,
    pipelines: pipelines.map(({ name, file, tasks }) => ({ name, file, tasks: tasks.length })),
    files: files.map((file) => ({ ...file })),
    tests,
    problems: Object.values(problems)
      .flat()
      .map((one) => ({ ...one })),
  };
}

async function readReleaseDiff(
  context: ReleaseReadContext,
  fromRef: string,
  toRef: string,
  among: Among,
): Promise<ReleaseDiff> {
  const [from, to] = await Promise.all([readRelease(context, fromRef, among), readRelease(context, toRef, among)]);
  const [before, after] = await Promise.all([contentsOf(context, from), contentsOf(context, to)]);
  // Plain JSON from here on: the contract has mutable lists.
  return { from, to, ...(diffReleases(before, after) as Pick<ReleaseDiff, 'pipelines' | 'files'>) };
}

async function contentsOf({ releases }: ReleaseReadContext, { digest, alias }: Release): Promise<StoredRelease> {
  const stored = await releases.get(digest);
  if (stored !== null) return stored;
  throw new SluiceError('not_found', `The contents of release ${alias} (${digest.slice(0, 12)}) are gone.`, {
    hint: 'Releases of a working tree are removed when nothing uses them. A release of a commit can be created again.',
  });
}

function toRelease(row: Omit<Release, 'environments'> & { readonly environments: readonly string[] }, among: Among) {
  return { ...row, environments: row.environments.filter((name) => isAmong(among, name)) };
}
