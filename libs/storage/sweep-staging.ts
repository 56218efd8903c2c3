import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';
import { removeTrees } from './remove-tree.ts';
import { OURS, type RootFolder } from './root-folder.ts';

export interface SweepOptions {
  /** Staging areas in which nothing changed for this long are removed. */
  readonly olderThanMs: number;
  /** Attempts that are alive, however quiet. */
  readonly keep?: ReadonlySet<string>;
  readonly now?: number;
}

/** Removes staging areas that killed processes left; returns how many. Throws when some could not be removed, once all were tried. */
export async function sweepStaging(
  at: RootFolder,
  { olderThanMs, keep, now = Date.now() }: SweepOptions,
): Promise<number> {
  const before = now - olderThanMs;
  const names = await readdir(path.join(at.root, OURS, 'staging')).catch(() => []);
  const quiet: string[] = [];
  for (const name of names) {
    const attemptId = name.slice(0, name.lastIndexOf('-'));
    const folder = at.staging(name);
    if (!keep?.has(attemptId) && !(await changedSince(folder, before))) quiet.push(folder);
  }
  return removeTrees(quiet);
}

/** A file deep inside counts: a folder's own time does not change with its files' contents. */
export async function changedSince(folder: string, before: number): Promise<boolean> {
  const entry = await lstat(folder).catch(() => null);
  if (entry === null) return false;
  if (entry.mtimeMs >= before) return true;
  if (!entry.isDirectory()) return false;
  for (const name of await readdir(folder).catch(() => []))
    if (await changedSince(path.join(folder, name), before)) return true;
  return false;
}
