import { lstatSync } from 'node:fs';
import { readdir, rmdir, utimes } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Manifest } from './manifest.ts';
import { MANIFEST } from './root-folder.ts';

/** The time that every file and folder of a copy carries, so that any later write shows: 2000-01-01. */
const STAMP_MS = 946_684_800_000;
const SLICE = 500;

/** Gives everything but the manifest the stamp, and removes empty folders: a bucket has none. */
export async function stampTree(folder: string): Promise<void> {
  const stamp = new Date(STAMP_MS);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) await stampTree(full);
    else if (entry.name !== MANIFEST) await utimes(full, stamp, stamp);
  }
  if ((await readdir(folder)).length === 0) await rmdir(folder);
  else await utimes(folder, stamp, stamp);
}

/**
 * Whether nobody changed, added or removed anything since the stamp: by times and sizes, far cheaper than hashing, and
 * enough against accidents; malice needs another user.
 */
export async function isUntouched(folder: string, manifest: Manifest): Promise<boolean> {
  for (const [index, name] of ['', ...parentsOf(manifest)].entries()) {
    if (index % SLICE === SLICE - 1) await nextTurn();
    const stats = lstatSync(path.join(folder, name), { throwIfNoEntry: false });
    if (stats === undefined || !stats.isDirectory() || stats.mtimeMs !== STAMP_MS) return false;
  }
  for (const [index, file] of manifest.files.entries()) {
    if (index % SLICE === SLICE - 1) await nextTurn();
    const stats = lstatSync(path.join(folder, file.path), { throwIfNoEntry: false });
    if (stats === undefined || !stats.isFile() || stats.mtimeMs !== STAMP_MS || stats.size !== file.bytes) return false;
  }
  return true;
}

/** Folders inside a version, parents first. */
export function parentsOf({ files }: Manifest): readonly string[] {
  const folders = new Set<string>();
  for (const { path: name } of files)
    for (let at = path.posix.dirname(name); at !== '.' && at !== '/'; at = path.posix.dirname(at)) folders.add(at);
  return [...folders].sort();
}
