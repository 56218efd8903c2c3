import path from 'node:path';
import type { InputBinding, PinnedVersion, Staged, StageRequest } from '#core';
import { parseManifest } from './manifest.ts';
import { MANIFEST, OURS } from './root-folder.ts';
import type { S3Objects } from './s3-objects.ts';
import type { S3Root } from './s3-seal.ts';
import { checkPinned, stagingFolder } from './stage.ts';
import { urisOfReads } from './stage-uris.ts';
import type { SweepOptions } from './sweep-staging.ts';
import { manifestKey, newVersion, versionKey, versionUri } from './version-key.ts';

/** `.sluice/writing/<attempt>-<random>`: what an attempt that writes to the bucket itself leaves if it dies. */
interface WritingMark {
  readonly run: string;
  readonly fence: number;
  readonly versions: readonly string[];
  /** The sweep removes them: whoever still writes them is too late. */
  readonly givenUp: boolean;
}

/** An attempt that reads and writes the bucket itself: versions where they lie, and the places of new ones. */
export async function stageUrisOnS3(root: S3Root, request: StageRequest, fence: number): Promise<Staged> {
  const { at, objects } = root;
  const { attemptId, runId, writes } = request;
  const inputs = await urisOfReads(request, (read, pinned) => pinnedUriOnS3(root, read, pinned));
  const staging = stagingFolder(at, attemptId);
  const versions: Record<string, string> = {};
  for (const { variable, location } of writes) {
    at.location(location); // refuses what is reserved or leaves the root
    versions[variable] = newVersion(location, fence);
  }
  const about = { run: runId, fence, versions: Object.values(versions), givenUp: false };
  if (writes.length > 0) await mark(objects, markKey(staging), about);
  const outputs = Object.entries(versions).map(([variable, version]) => [variable, versionUri(objects, version)]);
  return { attemptId, root: staging, folders: { ...Object.fromEntries(outputs), ...inputs }, writes, versions };
}

/** Where a version lies; throws `not_found` when it is gone, `conflict` when it is not the one that was pinned. */
export async function pinnedUriOnS3(
  { objects, cache }: S3Root,
  read: InputBinding,
  pinned: PinnedVersion,
): Promise<string> {
  checkPinned(await cache.manifest(pinned.version), read, pinned);
  return versionUri(objects, pinned.version);
}

/** Removes what the attempt wrote and nobody sealed. */
export async function dropWritten(objects: S3Objects, { root, versions }: Staged): Promise<void> {
  if (versions === undefined || Object.keys(versions).length === 0) return;
  await eraseUnsealed(objects, Object.values(versions), await readMark(objects, markKey(root)));
  await objects.remove(markKey(root));
}

/** True once the sweep took the attempt for dead. Asked when its manifests are written: the sweep looks for them after its mark. */
export async function isGivenUp(objects: S3Objects, { root }: Staged): Promise<boolean> {
  return (await readMark(objects, markKey(root)))?.givenUp ?? true;
}

/** Removes what attempts that are over wrote to the bucket themselves and nobody sealed; returns of how many. */
export async function sweepWritten(
  objects: S3Objects,
  { olderThanMs, keep, now = Date.now() }: SweepOptions,
): Promise<number> {
  let removed = 0;
  for (const { key, changedAt } of await objects.list(`${OURS}/writing`)) {
    const attemptId = path.posix.basename(key).replace(/-[^-]*$/, '');
    if (keep?.has(attemptId) || changedAt >= now - olderThanMs) continue;
    const found = await readMark(objects, key);
    if (found === null) continue;
    // Before we look for manifests: who seals now either sees this, or has one already.
    await mark(objects, key, { ...found, givenUp: true });
    await eraseUnsealed(objects, found.versions, found);
    await objects.remove(key);
    removed += 1;
  }
  return removed;
}

async function eraseUnsealed(objects: S3Objects, versions: readonly string[], by: WritingMark | null): Promise<void> {
  for (const version of versions) {
    const text = await objects.get(manifestKey(version));
    if (text === null || !isSeal(text.toString('utf8'), by)) await objects.clear(versionKey(version));
  }
}

/** A task may have put an object of that name there itself, such as the manifest of an input that it copied. */
function isSeal(text: string, by: WritingMark | null): boolean {
  try {
    const { run, fence } = parseManifest(text, MANIFEST);
    return by === null || (run === by.run && fence === by.fence);
  } catch {
    // no manifest at all
    return false;
  }
}

function markKey(staging: string): string {
  return `${OURS}/writing/${path.basename(staging)}`;
}

async function mark(objects: S3Objects, key: string, content: WritingMark): Promise<void> {
  await objects.put(key, JSON.stringify(content));
}

async function readMark(objects: S3Objects, key: string): Promise<WritingMark | null> {
  const text = await objects.get(key);
  return text === null ? null : (JSON.parse(text.toString('utf8')) as WritingMark);
}
