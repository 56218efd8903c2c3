import type { Mark } from './mark.ts';
import type { RunRecord } from './store-port.ts';

export interface StoredMark extends Mark {
  readonly at: string;
}

/** What marks ask of the database. */
export interface MarkStore {
  /**
   * To be called in a transaction: the run, its row locked until the end. Whoever writes to the run has written by then, or
   * writes afterwards.
   */
  lockRun(runId: string): Promise<RunRecord | null>;
  addMarks(marks: readonly Mark[]): Promise<void>;
  /** In the order in which they were made. */
  marksOf(runIds: readonly string[]): Promise<readonly StoredMark[]>;
}
