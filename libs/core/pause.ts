import type { RunState } from './states.ts';

/** A scheduled run that ended, as far as a row of failures asks. */
export interface EndedFire {
  readonly runId: string;
  /** What it counts as: its last mark, else how it ended. */
  readonly counts: RunState;
  /** True: a later run of the same interval succeeded. */
  readonly isMended: boolean;
}

/** Why a pipeline is paused after `most` failed scheduled runs in a row, of which `ended` are the newest first; null: it is not. */
export function whyPaused(most: number, ended: readonly EndedFire[]): string | null {
  const row = ended.slice(0, most);
  const failed = row.every(({ counts, isMended }) => (counts === 'failed' || counts === 'timed_out') && !isMended);
  if (row.length < most || !failed) return null;
  const runs = row.map(({ runId }) => runId).reverse();
  const which = runs.length > 5 ? `${runs[0]} to ${runs.at(-1)}` : runs.join(', ');
  return most === 1
    ? `scheduled run ${which} failed; max_consecutive_failed_runs is 1`
    : `${most} scheduled runs failed in a row (${which}); max_consecutive_failed_runs is ${most}`;
}

/** What pausing by itself asks of the database. */
export interface PauseStore {
  /** Scheduled runs that ended since the pipeline was last continued, newest first; cancelled ones do not count. */
  endedFires(environment: string, pipeline: string, limit: number): Promise<readonly EndedFire[]>;
  /** Pauses a schedule that is not paused, and notes why. */
  pauseBecause(environment: string, pipeline: string, reason: string): Promise<boolean>;
}
