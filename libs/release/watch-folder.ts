import { createHash } from 'node:crypto';
import { type FSWatcher, lstatSync, readdirSync, watch } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isIgnoredFolder } from './list-files.ts';

export interface WatchOptions {
  /** `onChange` comes when nothing happened for this long: editors write a file in several steps. Default 200. */
  readonly quietMs?: number;
  /** How often the folder is looked at, for changes that no event tells (network mounts, containers). Default 1000. */
  readonly pollMs?: number;
}

export interface FolderWatch {
  /** No call of `onChange` begins after this returns. */
  close(): void;
}

/** When something keeps changing, `onChange` comes this often all the same. */
const MAX_WAIT_MS = 1_000;
/** A look at a huge folder must not become most of what this process does. */
const POLL_SHARE = 15;
const SLICE = 500;

/**
 * Calls back after files below `folder` were added, changed or removed, in new subfolders too; the folder itself may
 * come and go. A call is a hint to look: it may come without a change that matters. Reports no change that happened
 * before it returns.
 */
export function watchFolder(folder: string, onChange: () => void, options: WatchOptions = {}): FolderWatch {
  return new TreeWatch(folder, onChange, options.quietMs ?? 200, options.pollMs ?? 1_000);
}

/** One watcher for each subfolder: Node's own recursive watching misses files in folders made a moment ago on Linux. */
class TreeWatch implements FolderWatch {
  readonly #watchers = new Map<string, { watcher: FSWatcher; inode: number }>();
  #quiet: NodeJS.Timeout | null = null;
  #poll: NodeJS.Timeout | null = null;
  #firstEvent: number | null = null;
  #signature: string;
  #closed = false;

  constructor(
    private readonly folder: string,
    private readonly onChange: () => void,
    private readonly quietMs: number,
    private readonly pollMs: number,
  ) {
    this.#signature = this.#firstLook();
    this.#schedulePoll(pollMs);
  }

  close(): void {
    this.#closed = true;
    for (const folder of [...this.#watchers.keys()]) this.#unwatch(folder);
    if (this.#quiet !== null) clearTimeout(this.#quiet);
    if (this.#poll !== null) clearTimeout(this.#poll);
  }

  #changed(): void {
    if (this.#closed) return;
    this.#firstEvent ??= performance.now();
    if (this.#quiet !== null) clearTimeout(this.#quiet);
    const wait = Math.min(this.quietMs, Math.max(0, this.#firstEvent + MAX_WAIT_MS - performance.now()));
    this.#quiet = setTimeout(() => {
      this.#firstEvent = null;
      this.#quiet = null;
      this.onChange();
    }, wait);
  }

  #event(folder: string, name: string | null): void {
    if (name !== null && isIgnoredFolder(name)) return;
    this.#changed();
    // A new subfolder must be watched at once; what is in it already is seen by the look that follows.
    const entry = name === null ? null : path.join(folder, name);
    if (entry !== null && lstatSync(entry, { throwIfNoEntry: false })?.isDirectory()) void this.#look();
  }

  #schedulePoll(ms: number): void {
    if (this.#closed) return;
    this.#poll = setTimeout(() => {
      const started = performance.now();
      void this.#look().finally(() =>
        this.#schedulePoll(Math.max(this.pollMs, (performance.now() - started) * POLL_SHARE)),
      );
    }, ms);
  }

  /** Walks the tree and compares with the last walk. */
  async #look(): Promise<void> {
    const steps = walk(this.folder);
    let step = steps.next();
    for (; !step.done; step = steps.next()) await nextTurn();
    if (this.#closed) return;
    this.#watch(step.value.folders);
    const before = this.#signature;
    this.#signature = step.value.signature;
    if (before !== this.#signature) this.#changed();
  }

  /** The baseline, in one go: whatever happens after the constructor is a change. */
  #firstLook(): string {
    for (;;) {
      const steps = walk(this.folder);
      let step = steps.next();
      while (!step.done) step = steps.next();
      // Again until all folders were watched before the walk that counts.
      if (!this.#watch(step.value.folders)) return step.value.signature;
    }
  }

  /** Watches folders that are new or were made anew, forgets those that are gone; true when it added one. */
  #watch(folders: ReadonlyMap<string, number>): boolean {
    for (const [folder, { inode }] of this.#watchers) if (folders.get(folder) !== inode) this.#unwatch(folder);
    let added = false;
    for (const [folder, inode] of folders) {
      if (this.#watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, (_event, name) => this.#event(folder, name));
        watcher.on('error', () => this.#unwatch(folder));
        this.#watchers.set(folder, { watcher, inode });
        added = true;
      } catch {
        // It is gone, or the system's limit of watches is reached: the poll sees changes all the same.
      }
    }
    return added;
  }

  #unwatch(folder: string): void {
    this.#watchers.get(folder)?.watcher.close();
    this.#watchers.delete(folder);
  }
}

interface Look {
  /** Inode by folder, the root included when it exists. */
  readonly folders: ReadonlyMap<string, number>;
  readonly signature: string;
}

/** Yields now and then, so that a caller may let others run. Unreadable folders count as empty. */
function* walk(root: string): Generator<void, Look> {
  const hash = createHash('sha1');
  const folders = new Map<string, number>();
  const rootStats = lstatSync(root, { throwIfNoEntry: false });
  if (rootStats?.isDirectory()) folders.set(root, rootStats.ino);
  let seen = 0;
  // A map visits what is added meanwhile.
  for (const folder of folders.keys()) {
    for (const name of namesIn(folder)) {
      if (isIgnoredFolder(name)) continue;
      const full = path.join(folder, name);
      const stats = lstatSync(full, { throwIfNoEntry: false });
      if (stats?.isDirectory()) folders.set(full, stats.ino);
      else if (stats !== undefined) hash.update(`${full}\0${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.mode}\n`);
      if (++seen % SLICE === 0) yield;
    }
  }
  return { folders, signature: hash.digest('hex') };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // gone since it was listed; or not ours to read, and then nothing in it can be part of a release
  }
}
