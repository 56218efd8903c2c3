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
  const removed: string[] = [];
  const named = new Set<string>();
  for (const digest of await records.digests()) {
    const record = await records.get(digest);
    if (record === null) continue;
    if (!record.dirty || keep.has(digest) || Date.parse(record.createdAt) >= before) nameContents(record, named);
    else {
      await records.remove(digest);
      await rm(path.join(folder, 'unpacked', digest), { recursive: true, force: true });
      await rm(path.join(folder, 'unpacked', `${digest}.stamp`), { force: true });
      removed.push(digest);
    }
  }
  if (removed.length > 0) await removeBlobs(path.join(folder, 'blobs'), named, before);
  return removed;
}

function nameContents(record: ReleaseRecord, named: Set<string>): void {
  for (const { sha256 } of record.files) named.add(sha256);
  for (const blob of record.compiled) named.add(blob);
}

async function removeBlobs(blobs: string, named: ReadonlySet<string>, before: number): Promise<void> {
  for (const name of await readdir(blobs, { recursive: true }).catch(() => [])) {
    const file = path.join(blobs, name);
    const stats = await stat(file).catch(() => null);
    if (stats?.isFile() && stats.mtimeMs < before && !named.has(path.basename(name))) await rm(file, { force: true });
  }
}
