import { access } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '#core';
import { MANIFEST, type RootFolder } from './root-folder.ts';

/** Absolute folder of a sealed version; throws `not_found` when it is gone. */
export async function versionFolder(at: RootFolder, version: string): Promise<string> {
  const folder = at.version(version);
  try {
    await access(path.join(folder, MANIFEST));
  } catch (cause) {
    throw new SluiceError('not_found', `Version "${version}" is not in the storage ${at.root}.`, {
      hint: 'It was removed (garbage collection, or by hand). Run the task that writes it again.',
      cause,
    });
  }
  return folder;
}
