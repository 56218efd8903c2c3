import { type FSWatcher, watch } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type { LogLine } from '#core';
import { LogCursor } from './log-cursor.ts';
import type { LogSource } from './log-segments.ts';

const BATCH = 2000;
/** Behind the file system's events, which some file systems (network, containers) do not deliver. */
const POLL_MS = 500;
/** While there is nothing to watch yet. */
export const LOOK_MS = 150;

export interface FollowedLog {
  readonly source: LogSource;
  /** What changes when a line is written on this machine. */
  readonly folder: string;
  /** Looks for that folder, while it is not there, between two looks at the source. */
  readonly looks: number;
}

/** Calls back with lines as they come; resolves when the log was closed and read to its end, or when the signal aborts. */
export async function followLog(
  { source, folder, looks }: FollowedLog,
  fromLine: number,
  onLines: (lines: readonly LogLine[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const cursor = new LogCursor(source, fromLine);
  const changes = new FolderChanges(folder, looks, signal);
  try {
    while (!signal.aborted) {
      changes.watchIfThere();
      const lines = await cursor.read(BATCH);
      if (signal.aborted) return;
      if (lines.length > 0) onLines(lines);
      if (cursor.complete) return;
      if (lines.length < BATCH) await changes.next();
      // Batches that were read already come without waiting: others of this process have their turn in between.
      else await turn();
    }
  } finally {
    changes.close();
  }
}

class FolderChanges {
  readonly #folder: string;
  readonly #looks: number;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.#changed();
  #watcher: FSWatcher | null = null;
  #seen = false;
  #wake: (() => void) | null = null;

  constructor(folder: string, looks: number, signal: AbortSignal) {
    this.#folder = folder;
    this.#looks = looks;
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
  }

  /** Watches once the folder exists; until then, and where watching is impossible, the slow poll serves. */
  watchIfThere(): void {
    if (this.#watcher !== null) return;
    try {
      this.#watcher = watch(this.#folder, { persistent: false }, () => this.#changed());
      this.#watcher.on('error', () => this.close());
    } catch {
      this.#watcher = null;
    }
  }

  /** Resolves at a change since the last call, or after the poll's time. */
  async next(): Promise<void> {
    if (this.#watcher !== null) await this.#wait(POLL_MS);
    else
      for (let look = 0; look < this.#looks && this.#watcher === null && !this.#seen; look++) {
        await this.#wait(LOOK_MS);
        this.watchIfThere();
      }
    this.#seen = false;
  }

  async #wait(ms: number): Promise<void> {
    if (this.#seen || this.#signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#watcher?.close();
    this.#watcher = null;
  }

  #changed(): void {
    this.#seen = true;
    this.#wake?.();
  }
}
