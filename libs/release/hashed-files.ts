import { createHash } from 'node:crypto';
import { lstatSync, type Stats } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SluiceError } from '#core';
import { inLanes } from './in-lanes.ts';
import type { SizeLimits } from './release-limits.ts';
import { releasePathOffence } from './release-path.ts';

/** A file of a release. */
export interface ReleaseFile {
  /** Relative to the folder, with forward slashes. */
  readonly path: string;
  readonly executable: boolean;
  readonly bytes: number;
  /** Hex, of the content. */
  readonly sha256: string;
}

export interface HashedFile extends ReleaseFile {
  /** `<mode> <object id>` as git would store it. */
  readonly gitEntry: string;
  /** Of `.yaml` and `.yml` files, else null. */
  readonly text: string | null;
  /** As it was when it was read; null when it may have changed just then. */
  readonly seen: Stats | null;
}

/** A file changed this shortly before it was read could change again without a new time stamp. */
const RACY_MS = 50;
const STAT_SLICE = 500;
const READ_LANES = 4;

/**
 * Hashes the named files (sorted), reusing what `known` holds about files whose time, size and number did not change;
 * returns `known` itself when nothing changed. A file that is gone is left out. Throws `bad_request` for links and
 * other things a release cannot hold.
 */
export async function hashFiles(
  root: string,
  names: readonly string[],
  known: ReadonlyMap<string, HashedFile>,
  limits: SizeLimits,
  objectFormat: 'sha1' | 'sha256',
): Promise<ReadonlyMap<string, HashedFile>> {
  const { files, changed } = await lookAt(root, names, known, limits);
  if (changed.length === 0 && files.size === known.size) return known;
  await inLanes(READ_LANES, changed, async ({ name, stats }) => {
    const hashed = await hashOne(root, name, stats, objectFormat);
    // The place among the others was taken when the file was looked at.
    if (hashed !== null) files.set(name, hashed);
    else files.delete(name);
  });
  return files as ReadonlyMap<string, HashedFile>;
}

/** Every file that is there, null for those that must be read; in the order of the names. */
async function lookAt(
  root: string,
  names: readonly string[],
  known: ReadonlyMap<string, HashedFile>,
  limits: SizeLimits,
) {
  const files = new Map<string, HashedFile | null>();
  const changed: { name: string; stats: Stats }[] = [];
  const odd: string[] = [];
  let total = 0;
  let slice = 0;
  for (const name of names) {
    // Plain system calls are five times faster than the thread pool; a pause now and then lets others run.
    if (++slice % STAT_SLICE === 0) await nextTurn();
    const stats = lstatSync(`${root}/${name}`, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    total += stats.size;
    if (stats.size > limits.fileBytes && stats.isFile())
      odd.push(`${name} has ${stats.size} bytes; at most ${limits.fileBytes} fit`);
    const before = known.get(name);
    if (before !== undefined && isUntouched(before.seen, stats)) {
      files.set(name, before);
      continue;
    }
    const oddity = oddityOf(name, stats);
    if (oddity !== null) odd.push(`${name} ${oddity}`);
    files.set(name, null);
    changed.push({ name, stats });
  }
  if (total > limits.totalBytes) odd.push(`all files together have ${total} bytes; at most ${limits.totalBytes} fit`);
  if (odd.length > 0) throw refusal(root, odd);
  return { files, changed };
}

async function hashOne(root: string, name: string, stats: Stats, objectFormat: 'sha1' | 'sha256') {
  const readAt = Date.now();
  const content = await readFile(path.join(root, name)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (content === null) return null;
  const executable = (stats.mode & 0o100) !== 0;
  const id = createHash(objectFormat).update(`blob ${content.length}\0`).update(content).digest('hex');
  const racy = readAt - stats.mtimeMs < RACY_MS || content.length !== stats.size;
  return {
    path: name,
    executable,
    bytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    gitEntry: `${executable ? '100755' : '100644'} ${id}`,
    text: /\.ya?ml$/.test(name) ? content.toString('utf8') : null,
    seen: racy ? null : stats,
  };
}

function isUntouched(seen: Stats | null, now: Stats): boolean {
  return (
    seen !== null &&
    seen.mtimeMs === now.mtimeMs &&
    seen.ctimeMs === now.ctimeMs &&
    seen.size === now.size &&
    seen.ino === now.ino &&
    seen.mode === now.mode
  );
}

function oddityOf(name: string, stats: Stats): string | null {
  if (stats.isSymbolicLink()) return 'is a symbolic link';
  if (stats.isDirectory()) return 'is a git repository of its own';
  if (!stats.isFile()) return 'is neither a file nor a folder';
  if (name.includes('\uFFFD')) return 'has a name that is not UTF-8';
  return releasePathOffence(name);
}

function refusal(root: string, odd: readonly string[]): SluiceError {
  const more = odd.length > 5 ? `, and ${odd.length - 5} more` : '';
  return new SluiceError('bad_request', `${root} cannot become a release: ${odd.slice(0, 5).join('; ')}${more}.`, {
    hint: 'A release holds plain files only. Remove what is named, or list it in .gitignore; data belongs into paths, not into the release.',
    details: { files: odd },
  });
}
