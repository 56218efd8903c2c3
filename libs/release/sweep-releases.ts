import type { ObjectStore } from '#core';
import { BLOBS } from './blobs.ts';
import { inLanes } from './in-lanes.ts';
import type { ReleaseRecord, ReleaseRecords } from './release-record.ts';

const LANES = 8;

export interface ReleaseSweepOptions {
  /** Digests that something refers to: pointers of environments, runs. */
  readonly keep: ReadonlySet<string>;
  /** Nothing younger is touched: somebody may be about to refer to it. */
  readonly olderThanMs: number;
  readonly now?: number;
}

export interface ReleaseCollectOptions {
  /** Digests of releases to remove, wherever they came from. */
  readonly remove: ReadonlySet<string>;
  readonly olderThanMs: number;
  readonly now?: number;
  /** True: only says what it would remove. */
  readonly dryRun: boolean;
}

export interface CollectedReleases {
  /** Of the releases removed. */
  readonly digests: readonly string[];
  /** Of contents that no release names any more. */
  readonly bytes: number;
}

/** What is swept: the store's contents, its records, and the working copies on this machine. */
export interface SweptStore {
  readonly objects: ObjectStore;
  readonly records: ReleaseRecords;
  removeCopy(digest: string): Promise<void>;
}

/**
 * Removes dirty releases that nothing refers to, their working copies, and contents that no release names any more.
 * Releases of clean commits stay. Returns the digests removed. The record goes first: a release is never half there.
 */
export async function sweepReleases(
  store: SweptStore,
  { keep, olderThanMs, now = Date.now() }: ReleaseSweepOptions,
): Promise<readonly string[]> {
  const before = now - olderThanMs;
  const isGarbage = ({ digest, dirty, createdAt }: ReleaseRecord): boolean =>
    dirty && !keep.has(digest) && Date.parse(createdAt) < before;
  const { digests, named } = await removeReleases(store, isGarbage, false);
  if (digests.length > 0) await removeBlobs(store.objects, named, before, false);
  return digests;
}

/** Removes these releases, and every content that no other release names. */
export async function collectReleases(
  store: SweptStore,
  { remove, olderThanMs, now = Date.now(), dryRun }: ReleaseCollectOptions,
): Promise<CollectedReleases> {
  const before = now - olderThanMs;
  const isGarbage = ({ digest, createdAt }: ReleaseRecord): boolean =>
    remove.has(digest) && Date.parse(createdAt) < before;
  const { digests, named } = await removeReleases(store, isGarbage, dryRun);
  return { digests, bytes: await removeBlobs(store.objects, named, before, dryRun) };
}

/** `named`: contents that the releases name which stay. */
async function removeReleases(
  { records, removeCopy }: SweptStore,
  isGarbage: (record: ReleaseRecord) => boolean,
  dryRun: boolean,
): Promise<{ readonly digests: string[]; readonly named: ReadonlySet<string> }> {
  const digests: string[] = [];
  const named = new Set<string>();
  for (const digest of await records.digests()) {
    const record = await records.get(digest);
    if (record === null) continue;
    if (!isGarbage(record)) {
      nameContents(record, named);
      continue;
    }
    digests.push(digest);
    if (dryRun) continue;
    await records.remove(digest);
    await removeCopy(digest);
  }
  return { digests, named };
}

function nameContents(record: ReleaseRecord, named: Set<string>): void {
  for (const { sha256 } of record.files) named.add(sha256);
  for (const blob of record.compiled) named.add(blob);
}

/** How many bytes they had. */
async function removeBlobs(
  objects: ObjectStore,
  named: ReadonlySet<string>,
  before: number,
  dryRun: boolean,
): Promise<number> {
  const found = await objects.list(BLOBS);
  const garbage = found.filter(
    ({ key, changedAt }) => changedAt < before && !named.has(key.slice(key.lastIndexOf('/') + 1)),
  );
  if (!dryRun) await inLanes(LANES, garbage, ({ key }) => objects.remove(key));
  return garbage.reduce((sum, { bytes }) => sum + bytes, 0);
}
