import type { Problem } from '#core';

/** Where something stands in a file; 1-based. */
export interface Position {
  /** Absent: the file whose problems are collected. */
  readonly file?: string;
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
    const key = `${position.file ?? ''}:${position.line}:${position.column}:${message}`;
    if (this.#found.has(key)) return;
    if (this.#found.size >= MOST) this.#left += 1;
    else this.#found.set(key, { file: this.file, ...position, message, ...(hint === undefined ? {} : { hint }) });
  }

  /** What was found in another file that this one is made of. */
  addAll(problems: readonly Problem[]): void {
    for (const { file, line, column, message, hint } of problems) this.add({ file, line, column }, message, hint);
  }

  get size(): number {
    return this.#found.size;
  }

  /** In the order of the file; of other files after those of this one. */
  toArray(): Problem[] {
    const rank = ({ file }: Problem): string => (file === this.file ? '' : file);
    const problems = [...this.#found.values()].sort(
      (a, b) => compare(rank(a), rank(b)) || a.line - b.line || a.column - b.column,
    );
    const last = problems.at(-1);
    if (this.#left > 0 && last !== undefined) {
      const message = `${this.#left} more problems are not shown.`;
      problems.push({ ...last, message, hint: 'Mend the first ones and validate again.' });
    }
    return problems;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
