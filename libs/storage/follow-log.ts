import { type FSWatcher, watch } from 'node:fs';
import type { LogLine } from '#core';
import { LogCursor } from './log-cursor.ts';

const BATCH = 2000;
/** Behind the file system's events, which some file systems (network, containers) do not deliver. */
const POLL_MS = 500;
/** While there is nothing to watch yet. */
const POLL_UNWATCHED_MS = 150;

/** Calls back with lines as they come; resolves when the log was closed and read to its end, or when the signal aborts. */
export async function followLog(
  folder: string,
  fromLine: number,
  onLines: (lines: readonly LogLine[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const cursor = new LogCursor(folder, fromLine);
  const changes = new FolderChanges(folder, signal);
  try {
    while (!signal.aborted) {
      changes.watchIfThere();
      const lines = await cursor.read(BATCH);
      if (signal.aborted) return;
      if (lines.length > 0) onLines(lines);
      if (cursor.complete) return;
      if (lines.length < BATCH) await changes.next();
    }
  } finally {
    changes.close();
  }
}

class FolderChanges {
  readonly #folder: string;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.#changed();
  #watcher: FSWatcher | null = null;
  #seen = false;
  #wake: (() => void) | null = null;

  constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder;
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
    if (!this.#seen && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#watcher === null ? POLL_UNWATCHED_MS : POLL_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
    this.#seen = false;
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
