import type { Problem } from '#core';

/** Where something stands in a file; 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A file with thousands of faults has one cause; nobody reads more than this. */
const MOST = 100;

/** Collects the problems of one file; the same place and message are kept once. */
export class ProblemList {
  readonly file: string;
  readonly #found = new Map<string, Problem>();
  #left = 0;

  constructor(file: string) {
    this.file = file;
  }

  add(position: Position, message: string, hint?: string): void {
    const key = `${position.line}:${position.column}:${message}`;
    if (this.#found.has(key)) return;
    if (this.#found.size >= MOST) this.#left += 1;
    else this.#found.set(key, { file: this.file, ...position, message, ...(hint === undefined ? {} : { hint }) });
  }

  get size(): number {
    return this.#found.size;
  }

  /** In the order of the file. */
  toArray(): Problem[] {
    const problems = [...this.#found.values()].sort((a, b) => a.line - b.line || a.column - b.column);
    const last = problems.at(-1);
    if (this.#left > 0 && last !== undefined) {
      const message = `${this.#left} more problems are not shown.`;
      problems.push({ ...last, message, hint: 'Mend the first ones and validate again.' });
    }
    return problems;
  }
}
