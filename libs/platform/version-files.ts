import { open } from 'node:fs/promises';
import { SluiceError, type FileContent, type Storage } from '#core';
import { contained, type Manifest } from '#storage';

/** Larger files are not looked into; that they differ is known without. */
const MOST_BYTES = 16 * 1024 ** 2;

export type VersionStorage = Pick<Storage, 'folder'> & { manifest(version: string): Promise<Manifest> };

/** Files of a version; null: it is gone, damaged, or not what was published as `manifestHash`. */
export async function filesOfVersion(
  storage: VersionStorage,
  version: string,
  manifestHash: string,
): Promise<readonly FileContent[] | null> {
  try {
    const { hash, files } = await storage.manifest(version);
    return hash === manifestHash ? files : null;
  } catch (error) {
    if (error instanceof SluiceError && (error.code === 'not_found' || error.code === 'conflict')) return null;
    throw error;
  }
}

/** Text of one file of a version; null: it is gone, or too large to be looked into. */
export async function textOfVersion(
  storage: VersionStorage,
  version: string,
  file: FileContent,
): Promise<string | null> {
  if (file.bytes > MOST_BYTES) return null;
  try {
    const folder = await storage.folder(version);
    const handle = await open(contained(folder, file.path), 'r');
    try {
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENOENT' || code === 'not_found') return null;
    throw error;
  }
}
