import { randomBytes } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { relativeSegments } from '#core';
import type { Blobs } from './blobs.ts';
import { inLanes } from './in-lanes.ts';
import type { ReleaseRecord } from './release-record.ts';

/** Shown to be untouched this recently: not looked at again. */
const TRUST_MS = 5_000;
const LANES = 4;
const SLICE = 500;

/** Read-only working copies of releases, one folder each, made when first asked for. */
export class UnpackedReleases {
  readonly #folder: string;
  readonly #blobs: Blobs;
  readonly #ready = new Map<string, { checkedAt: number; folder: Promise<string> }>();

  constructor(folder: string, blobs: Blobs) {
    this.#folder = folder;
    this.#blobs = blobs;
  }

  /** Absolute folder with exactly the release's files. One that was changed by hand or by a task is made anew. */
  folder(digest: string, load: () => Promise<ReleaseRecord>): Promise<string> {
    const ready = this.#ready.get(digest);
    if (ready !== undefined && performance.now() - ready.checkedAt < TRUST_MS) return ready.folder;
    const folder = this.#check(digest, load);
    const entry = { checkedAt: Infinity, folder };
    this.#ready.set(digest, entry);
    // Infinity until then: callers that come meanwhile share this check.
    folder.then(
      () => (entry.checkedAt = performance.now()),
      () => this.#ready.delete(digest),
    );
    return folder;
  }

  /** Looks at the disk again when next asked. */
  forget(digest: string): void {
    this.#ready.delete(digest);
  }

  /** Removes the copy of a release that is gone. */
  async remove(digest: string): Promise<void> {
    this.forget(digest);
    await rm(path.join(this.#folder, digest), { recursive: true, force: true });
    await rm(path.join(this.#folder, `${digest}.stamp`), { force: true });
  }

  async #check(digest: string, load: () => Promise<ReleaseRecord>): Promise<string> {
    const folder = path.join(this.#folder, digest);
    const stampFile = `${folder}.stamp`;
    const stamp = await readFile(stampFile, 'utf8').catch(() => null);
    const record = await load();
    if (stamp !== null && stamp === (await stampOf(folder, record))) return folder;
    const fresh = `${folder}.${randomBytes(4).toString('hex')}`;
    await this.#unpack(record, fresh);
    await replace(folder, fresh);
    await writeFile(stampFile, await stampOf(folder, record));
    return folder;
  }

  async #unpack(record: ReleaseRecord, folder: string): Promise<void> {
    await mkdir(folder, { recursive: true });
    for (const parent of foldersOf(record)) await mkdir(path.join(folder, parent), { recursive: true });
    await inLanes(LANES, record.files, async (file) => {
      const target = path.join(folder, ...relativeSegments(file.path));
      await writeFile(target, await this.#blobs.get(file.sha256), { flag: 'wx' });
      await chmod(target, file.executable ? 0o555 : 0o444);
    });
  }
}

/**
 * What changes when anybody touches the copy: times and sizes of its files, and times of its folders, which change when
 * an entry is added or removed. Far cheaper than hashing, and enough against accidents; malice needs another user.
 */
async function stampOf(folder: string, record: ReleaseRecord): Promise<string> {
  const parts: string[] = [];
  const names = ['', ...foldersOf(record), ...record.files.map((file) => file.path)];
  for (const [index, name] of names.entries()) {
    if (index % SLICE === SLICE - 1) await nextTurn();
    const stats = lstatSync(path.join(folder, name), { throwIfNoEntry: false });
    if (stats === undefined) return 'incomplete';
    parts.push(`${stats.mode} ${stats.mtimeMs} ${stats.isFile() ? stats.size : '-'}`);
  }
  return parts.join('\n');
}

function foldersOf(record: ReleaseRecord): string[] {
  const folders = new Set<string>();
  for (const { path: name } of record.files)
    for (let at = path.posix.dirname(name); at !== '.'; at = path.posix.dirname(at)) folders.add(at);
  return [...folders].sort();
}

/** A folder cannot be renamed over another that is not empty, so the old one steps aside first. */
async function replace(folder: string, fresh: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const aside = `${folder}.old-${randomBytes(4).toString('hex')}`;
    await rename(folder, aside).catch(unless('ENOENT'));
    const taken = await rename(fresh, folder).then(() => false, unless('ENOTEMPTY', 'EEXIST'));
    await rm(aside, { recursive: true, force: true });
    if (taken === false || tries === 10) return;
  }
}

/** Another process may be doing the same at the same moment. */
function unless(...codes: readonly string[]) {
  return (error: NodeJS.ErrnoException): void => {
    if (!codes.includes(error.code ?? '')) throw error;
  };
}
