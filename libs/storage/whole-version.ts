import { lstat } from 'node:fs/promises';
import { SluiceError } from '#core';
import { contained } from './contained.ts';
import { inLanes } from './in-lanes.ts';
import { type Manifest, readManifest } from './manifest.ts';
import type { RootFolder } from './root-folder.ts';
import type { S3Objects } from './s3-objects.ts';
import type { VersionCache } from './version-cache.ts';
import { versionFolder } from './version-folder.ts';
import { versionKey } from './version-key.ts';

const LANES = 16;

/** Whether every file of a version is there, of its size, under the manifest of that hash; in a folder. */
export async function isWholeInFolder(at: RootFolder, version: string, manifestHash: string): Promise<boolean> {
  return unlessGone(async () => {
    const folder = await versionFolder(at, version);
    return isWhole(await readManifest(folder), manifestHash, (files) =>
      inLanes(LANES, files, async ({ path }) => {
        const stats = await lstat(contained(folder, path)).catch(() => null);
        return stats?.isFile() ? stats.size : null;
      }),
    );
  });
}

/** The same in a bucket, whatever this machine has copies of. */
export async function isWholeOnS3(
  objects: S3Objects,
  cache: VersionCache,
  version: string,
  manifestHash: string,
): Promise<boolean> {
  return unlessGone(async () =>
    isWhole(await cache.manifest(version), manifestHash, (files) =>
      objects.sizes(files.map(({ path }) => versionKey(version, path))),
    ),
  );
}

async function isWhole(
  { hash, files }: Manifest,
  manifestHash: string,
  sizesOf: (files: Manifest['files']) => Promise<readonly (number | null)[]>,
): Promise<boolean> {
  if (hash !== manifestHash) return false;
  const sizes = await sizesOf(files);
  return files.every((file, index) => sizes[index] === file.bytes);
}

async function unlessGone(look: () => Promise<boolean>): Promise<boolean> {
  try {
    return await look();
  } catch (error) {
    const isGone = error instanceof SluiceError && (error.code === 'not_found' || error.code === 'conflict');
    if (isGone || (error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
