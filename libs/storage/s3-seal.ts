import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { ManifestAbout, PublishedVersion, Staged } from '#core';
import { inLanes } from './in-lanes.ts';
import { manifestText } from './manifest.ts';
import type { RootFolder } from './root-folder.ts';
import type { S3Objects } from './s3-objects.ts';
import { prepareOutputs } from './seal.ts';
import type { VersionCache } from './version-cache.ts';
import { manifestKey, versionKey } from './version-key.ts';

const LANES = 8;

export interface S3Root {
  /** Staging and copies on this machine. */
  readonly at: RootFolder;
  readonly objects: S3Objects;
  readonly cache: VersionCache;
}

/**
 * Uploads what was staged as immutable versions: every file of every output, and only then the manifests, each of which
 * makes its version whole. Killed in between, we leave objects that no manifest names: garbage, never a half result.
 */
export async function sealOnS3(
  { at, objects, cache }: S3Root,
  staged: Staged,
  about: ManifestAbout,
): Promise<readonly PublishedVersion[]> {
  const ready = await prepareOutputs(at, staged, about);
  const uploads = ready.flatMap(({ from, manifest, published }) =>
    manifest.files.map((file) => ({
      ...{ file, from: path.join(from, file.path), key: versionKey(published.version, file.path) },
    })),
  );
  // A name that S3 cannot take is told before the first byte goes out.
  for (const { key } of uploads) objects.check(key);
  await inLanes(LANES, uploads, async ({ file, from, key }) =>
    objects.putFile(key, from, file, ((await stat(from)).mode & 0o111) !== 0),
  );
  for (const { manifest, published } of ready)
    await objects.put(manifestKey(published.version), manifestText(manifest));
  for (const { from, manifest, published } of ready)
    // Without the copy here, the next reader downloads it.
    await cache.adopt(from, published.version, manifest).catch(() => undefined);
  return ready.map(({ published }) => published);
}
