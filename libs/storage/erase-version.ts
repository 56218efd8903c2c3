import { randomBytes } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { removeTree } from './remove-tree.ts';
import type { RootFolder } from './root-folder.ts';
import type { S3Objects } from './s3-objects.ts';
import { manifestKey, versionKey } from './version-key.ts';

/** Removes a version from a folder; one that is gone already is no error. It is there whole or not at all. */
export async function eraseVersion(at: RootFolder, version: string): Promise<void> {
  // In the staging area, so that the sweep removes what is left of it after a kill, or when it cannot be removed now.
  const aside = at.staging(`erased-${randomBytes(8).toString('hex')}`);
  await mkdir(path.dirname(aside), { recursive: true });
  try {
    await rename(at.version(version), aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await removeTree(aside);
}

/** Removes a version from a bucket: its manifest first, without which it is gone for everybody. */
export async function eraseOnS3(objects: S3Objects, version: string): Promise<void> {
  await objects.remove(manifestKey(version));
  await objects.clear(versionKey(version));
}
