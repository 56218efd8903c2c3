import type { LogPageShape } from '#contracts';

export type LogLine = LogPageShape['lines'][number];

/** Lines per page: also the unit in which missing ones are asked for. */
export const PAGE = 1000;

/**
 * The lines of one attempt that were read so far, in pages; the rest of a long log stays on the server.
 * Lines may come in any order and more than once.
 */
export class LogBuffer {
  readonly #pages = new Map<number, (LogLine | undefined)[]>();
  #total = 0;

  /** Lines known to exist, from 1 to this. */
  get total(): number {
    return this.#total;
  }

  /** Tells that at least this many lines exist. */
  grow(total: number): void {
    this.#total = Math.max(this.#total, total);
  }

  put(lines: readonly LogLine[]): void {
    for (const line of lines) {
      const number = Math.floor((line.n - 1) / PAGE);
      let page = this.#pages.get(number);
      if (page === undefined) this.#pages.set(number, (page = []));
      page[(line.n - 1) % PAGE] = line;
      if (line.n > this.#total) this.#total = line.n;
    }
  }

  /** Undefined: not read yet. */
  get(n: number): LogLine | undefined {
    return this.#pages.get(Math.floor((n - 1) / PAGE))?.[(n - 1) % PAGE];
  }

  /** First line of every page between these lines that lacks one of them. */
  missing(from: number, to: number): number[] {
    const starts: number[] = [];
    const last = Math.min(to, this.#total);
    for (let n = Math.max(1, from); n <= last;) {
      const page = Math.floor((n - 1) / PAGE);
      const end = Math.min((page + 1) * PAGE, last);
      let whole = this.#pages.has(page);
      for (let line = n; whole && line <= end; line++) whole = this.get(line) !== undefined;
      if (!whole) starts.push(page * PAGE + 1);
      n = (page + 1) * PAGE + 1;
    }
    return starts;
  }
}
