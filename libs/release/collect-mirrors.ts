import { lstat, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { mirrorName } from './follow-remote.ts';

export interface MirrorCollection {
  /** Folder that holds all mirrors; it need not exist. */
  readonly folder: string;
  /** Remotes that are followed: their mirrors stay. */
  readonly followed: readonly string[];
  /** What something was fetched into since stays, too: a look that began before the following ended may still use it. */
  readonly olderThanMs: number;
  readonly now: number;
  readonly dryRun: boolean;
}

/** Removes the mirrors of remotes that nothing follows, and what was left half made or half removed. */
export async function collectMirrors(collection: MirrorCollection): Promise<{ count: number; bytes: number }> {
  const { folder, followed, olderThanMs, now, dryRun } = collection;
  const kept = new Set(followed.map(mirrorName));
  let [count, bytes] = [0, 0];
  for (const name of await readdir(folder).catch(() => [])) {
    if (kept.has(name) || !/^[0-9a-f]{16}\.git(\.\d+\.(new|old))?$/.test(name)) continue;
    const at = path.join(folder, name);
    const found = await lstat(at).catch(() => null);
    if (found === null || !found.isDirectory() || now - found.mtimeMs < olderThanMs) continue;
    count += 1;
    bytes += await sizeOf(at);
    if (!dryRun) await removeWhole(at);
  }
  return { count, bytes };
}

/** Whoever looks for the mirror meanwhile finds it whole or not at all, and makes it again. */
async function removeWhole(folder: string): Promise<void> {
  const old = folder.endsWith('.git') ? `${folder}.${process.pid}.old` : folder;
  if (old !== folder) await rename(folder, old);
  await rm(old, { recursive: true, force: true });
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    // A file that git removed meanwhile takes no room.
    files.map(async (file) => (await lstat(path.join(file.parentPath, file.name)).catch(() => ({ size: 0 }))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
