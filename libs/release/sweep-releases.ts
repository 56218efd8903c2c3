import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ReleaseRecord, ReleaseRecords } from './release-record.ts';

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

/**
 * Removes dirty releases that nothing refers to, their working copies, and contents that no release names any more.
 * Releases of clean commits stay. Returns the digests removed. The record goes first: a release is never half there.
 */
export async function sweepReleases(
  folder: string,
  records: ReleaseRecords,
  { keep, olderThanMs, now = Date.now() }: ReleaseSweepOptions,
): Promise<readonly string[]> {
  const before = now - olderThanMs;
  const isGarbage = ({ digest, dirty, createdAt }: ReleaseRecord): boolean =>
    dirty && !keep.has(digest) && Date.parse(createdAt) < before;
  const { digests, named } = await removeReleases(folder, records, isGarbage, false);
  if (digests.length > 0) await removeBlobs(path.join(folder, 'blobs'), named, before, false);
  return digests;
}

/** Removes these releases, and every content that no other release names. */
export async function collectReleases(
  folder: string,
  records: ReleaseRecords,
  { remove, olderThanMs, now = Date.now(), dryRun }: ReleaseCollectOptions,
): Promise<CollectedReleases> {
  const before = now - olderThanMs;
  const isGarbage = ({ digest, createdAt }: ReleaseRecord): boolean =>
    remove.has(digest) && Date.parse(createdAt) < before;
  const { digests, named } = await removeReleases(folder, records, isGarbage, dryRun);
  return { digests, bytes: await removeBlobs(path.join(folder, 'blobs'), named, before, dryRun) };
}

/** `named`: contents that the releases name which stay. */
async function removeReleases(
  folder: string,
  records: ReleaseRecords,
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
    await rm(path.join(folder, 'unpacked', digest), { recursive: true, force: true });
    await rm(path.join(folder, 'unpacked', `${digest}.stamp`), { force: true });
  }
  return { digests, named };
}

function nameContents(record: ReleaseRecord, named: Set<string>): void {
  for (const { sha256 } of record.files) named.add(sha256);
  for (const blob of record.compiled) named.add(blob);
}

/** How many bytes they had. */
async function removeBlobs(
  blobs: string,
  named: ReadonlySet<string>,
  before: number,
  dryRun: boolean,
): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(blobs, { recursive: true }).catch(() => [])) {
    const file = path.join(blobs, name);
    const stats = await stat(file).catch(() => null);
    if (!stats?.isFile() || stats.mtimeMs >= before || named.has(path.basename(name))) continue;
    bytes += stats.size;
    if (!dryRun) await rm(file, { force: true });
  }
  return bytes;
}
