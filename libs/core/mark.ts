import type { RunState, TaskState } from './states.ts';
import { isTerminal } from './states.ts';

export const MARKED_STATES = ['success', 'failed'] as const;
export type MarkedState = (typeof MARKED_STATES)[number];

/** What somebody says that a run, or something of it, counts as. Marks are only ever added; the last one holds. */
export interface Mark {
  readonly runId: string;
  /** Null: the run itself. */
  readonly taskId: string | null;
  /** Null: all of the task. */
  readonly mapIndex: number | null;
  readonly state: MarkedState;
  readonly reason: string;
  readonly actor: string;
}

/** In the reason of what a mark ended. */
export function markedBy({ state, actor, reason }: Pick<Mark, 'state' | 'actor' | 'reason'>): string {
  return `marked ${state} by ${actor}: ${reason}`;
}

/** The mark that holds for a task run; null: it counts as what it ended as. `marks` in the order in which they were made. */
export function markOf<M extends Pick<Mark, 'taskId' | 'mapIndex'>>(
  marks: readonly M[],
  taskId: string | null,
  mapIndex = 0,
): M | null {
  const holds = (mark: M): boolean => mark.taskId === taskId && (mark.mapIndex === null || mark.mapIndex === mapIndex);
  return marks.findLast(holds) ?? null;
}

/** What a mark meets. */
export interface Markable {
  readonly runState: RunState;
  /** The task runs that it names, as far as they have rows; null: it names the run. */
  readonly taskRuns:
    readonly { readonly state: TaskState; readonly tries: number; readonly counts: TaskState }[] | null;
  /** What the run counts as by its marks so far. */
  readonly runCounts: RunState;
}

export type MarkStep =
  /** It has not begun: it ends now. */
  | { readonly kind: 'end-queued' }
  /** It goes on: its owner ends it. */
  | { readonly kind: 'ask-owner' }
  /** It has ended: history stays, and the mark is what counts from now on. */
  | { readonly kind: 'note' }
  | { readonly kind: 'refuse'; readonly why: 'counts-already' | 'never-began' | 'not-yet' };

/**
 * What follows from a mark. A task run that has ended keeps its state for ever; who asks what it counts as is told the
 * mark. `one`: it names one task run of a fan-out, which must have begun, since until then the fan-out is one thing.
 */
export function decideMark(to: MarkedState, found: Markable, one: boolean): MarkStep {
  const isOver = found.runState !== 'queued' && found.runState !== 'running';
  if (found.taskRuns === null) {
    if (found.runCounts === to) return { kind: 'refuse', why: 'counts-already' };
    return { kind: isOver ? 'note' : found.runState === 'queued' ? 'end-queued' : 'ask-owner' };
  }
  const { taskRuns } = found;
  if (taskRuns.length === 0) return isOver ? { kind: 'refuse', why: 'never-began' } : whole(one);
  if (taskRuns.every(({ counts }) => counts === to)) return { kind: 'refuse', why: 'counts-already' };
  if (one && taskRuns.some(({ state, tries }) => tries === 0 && !isTerminal(state)))
    return { kind: 'refuse', why: 'not-yet' };
  return { kind: isOver || taskRuns.every(({ state }) => isTerminal(state)) ? 'note' : 'ask-owner' };
}

function whole(one: boolean): MarkStep {
  return one ? { kind: 'refuse', why: 'not-yet' } : { kind: 'ask-owner' };
}
