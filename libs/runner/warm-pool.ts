import type { WarmProcess } from './warm-process.ts';

export interface WarmPoolOptions {
  /** Processes at most, busy ones included. */
  readonly limit: number;
  /** An idle process is closed after this. */
  readonly idleMs: number;
  /** A process is replaced after so many attempts: what user code leaks must not grow for ever. */
  readonly maxAttempts: number;
  readonly now: () => number;
}

interface Idle {
  readonly key: string;
  readonly process: WarmProcess;
  readonly since: number;
}

/** Idle warm processes by key. When there is no room, the one that was idle longest makes it. */
export class WarmPool {
  readonly #options: WarmPoolOptions;
  /** Longest idle first. */
  #idle: Idle[] = [];
  #busy = 0;
  #sweeper: NodeJS.Timeout | null = null;

  constructor(options: WarmPoolOptions) {
    this.#options = options;
  }

  /**
   * An idle process of this key, or a new one; it belongs to the caller until `giveBack`. With `memory` not one in which
   * earlier attempts left so much that less than half of that is free for this one.
   */
  take(key: string, create: () => WarmProcess, memory = Infinity): WarmProcess {
    this.#busy += 1;
    // The latest one: its memory is warm, and the others may grow old and be closed.
    const at = this.#idle.findLastIndex(
      (entry) => entry.key === key && entry.process.alive && entry.process.holdsLessThan(memory / 2),
    );
    const [found] = at === -1 ? [] : this.#idle.splice(at, 1);
    if (found !== undefined) return found.process;
    while (this.#idle.length > 0 && this.#idle.length + this.#busy > this.#options.limit)
      this.#idle.shift()!.process.end(0);
    return create();
  }

  /** `reusable: false` closes it, as after an error: nobody knows what state it left. */
  giveBack(key: string, process: WarmProcess, reusable: boolean): void {
    this.#busy -= 1;
    if (!reusable || !process.alive || process.attempts >= this.#options.maxAttempts) {
      process.end(0);
      return;
    }
    this.#idle.push({ key, process, since: this.#options.now() });
    this.#sweeper ??= setInterval(() => this.#sweep(), this.#options.idleMs / 4).unref();
  }

  close(): void {
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    for (const { process } of this.#idle) process.end(0);
    this.#idle = [];
  }

  #sweep(): void {
    const oldest = this.#options.now() - this.#options.idleMs;
    for (const { process, since } of this.#idle) if (since < oldest) process.end(0);
    this.#idle = this.#idle.filter(({ process, since }) => process.alive && since >= oldest);
  }
}
