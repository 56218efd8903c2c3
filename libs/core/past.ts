import type { MarkedState } from './mark.ts';
import type { RunState, TaskState } from './states.ts';
import { isTerminal } from './states.ts';
import type { Look } from './wait.ts';

/** The newest run of the interval before, as far as a task that depends on its past asks. */
export interface PastRun {
  readonly runId: string;
  readonly intervalStart: string;
  readonly state: RunState;
  /** What somebody said that the whole run counts as. */
  readonly marked: MarkedState | null;
  /** False: it has no task runs at all, because it ended while it was queued or has not begun. */
  readonly hasBegun: boolean;
  /** Task runs of the tasks that were asked for. */
  readonly taskRuns: readonly PastTaskRun[];
}

export interface PastTaskRun {
  readonly taskId: string;
  readonly state: TaskState;
  /** What it counts as: its last mark, else its state. */
  readonly counts: TaskState;
  /** True: there may be more of its task that have not begun. */
  readonly isFannedOut: boolean;
}

/** A look that also says who holds what is waited for: `RUN/TASK`. */
export type PastLook = Look & { readonly holder: string | null };

/**
 * Whether a task may run as far as its past says: of the interval before, it (the first of `tasks`) and, where asked for,
 * what directly follows it must have ended as success or skipped. The first run of all passes; a task that the run before
 * did not have yet passes.
 */
export function lookAtPast(past: PastRun | null, tasks: readonly string[]): PastLook {
  if (past === null) return { kind: 'met', detail: 'no interval before has a run', holder: null };
  const named = `run ${past.runId} of the interval that begins at ${past.intervalStart}`;
  const isLive = past.state === 'queued' || past.state === 'running';
  if (!isLive && past.marked === 'success') return { kind: 'met', detail: `${named} was marked success`, holder: null };
  for (const taskId of tasks) {
    const why = whatHolds(past, taskId, isLive);
    if (why !== null)
      return { kind: 'not-yet', detail: `task "${taskId}" of ${named} ${why}`, holder: `${past.runId}/${taskId}` };
  }
  return {
    kind: 'met',
    detail: `task ${tasks.map((id) => `"${id}"`).join(', ')} of ${named} ended well`,
    holder: null,
  };
}

/** Null: nothing. */
function whatHolds(past: PastRun, taskId: string, isLive: boolean): string | null {
  const own = past.taskRuns.filter((one) => one.taskId === taskId);
  if (own.length === 0) {
    if (isLive) return 'has not begun';
    return past.hasBegun ? null : `never began: the run ended ${past.state}`;
  }
  const open = own.find(({ state }) => !isTerminal(state));
  if (open) return `is ${open.state}`;
  const bad = own.find(({ counts }) => counts !== 'success' && counts !== 'skipped');
  if (bad) return bad.counts === bad.state ? `is ${bad.state}` : `is marked ${bad.counts}`;
  return isLive && own.some((one) => one.isFannedOut) ? 'is fanned out, and more of it may follow' : null;
}
