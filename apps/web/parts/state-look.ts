import type { AttemptState, RunState, TaskState } from '#core';
import type { GridCell, TaskRun } from '#contracts';

export type AnyState = RunState | TaskState | AttemptState | GridCell;

/** Drawn inside a cell of the grid and used to choose the icon: never colour alone. */
export type Mark =
  | 'check'
  | 'cross'
  | 'play'
  | 'ring'
  | 'dots'
  | 'turn'
  | 'bars'
  | 'dash'
  | 'up'
  | 'slash'
  | 'gap'
  | 'clock'
  | 'again'
  | 'none';

export interface Look {
  readonly label: string;
  readonly mark: Mark;
  /** Name in styles/tokens.css: `--s-<tone>`, `--s-<tone>-fg`, `--s-<tone>-bg`. */
  readonly tone: string;
}

const LOOKS: Readonly<Record<AnyState, Look>> = {
  none: { label: 'not yet', mark: 'none', tone: 'none' },
  waiting: { label: 'waiting', mark: 'bars', tone: 'waiting' },
  ready: { label: 'ready', mark: 'ring', tone: 'ready' },
  queued: { label: 'queued', mark: 'dots', tone: 'queued' },
  running: { label: 'running', mark: 'play', tone: 'running' },
  retrying: { label: 'retrying', mark: 'turn', tone: 'retrying' },
  deferred: { label: 'deferred', mark: 'turn', tone: 'retrying' },
  success: { label: 'success', mark: 'check', tone: 'success' },
  cached: { label: 'cached', mark: 'again', tone: 'success' },
  failed: { label: 'failed', mark: 'cross', tone: 'failed' },
  timed_out: { label: 'timed out', mark: 'clock', tone: 'timed_out' },
  skipped: { label: 'skipped', mark: 'dash', tone: 'skipped' },
  upstream_failed: { label: 'upstream failed', mark: 'up', tone: 'upstream_failed' },
  cancelled: { label: 'cancelled', mark: 'slash', tone: 'cancelled' },
  lost: { label: 'lost', mark: 'gap', tone: 'lost' },
};

export function lookOf(state: AnyState): Look {
  return LOOKS[state] ?? LOOKS.none;
}

/** What is shown of a task run: that it took an earlier result is told apart from a success. */
export function shownState({ state, cache }: Pick<TaskRun, 'state' | 'cache'>): AnyState {
  return state === 'success' && typeof cache?.from === 'string' ? 'cached' : state;
}

/** Whether a run has ended. */
export function isOver(state: RunState): boolean {
  return state !== 'queued' && state !== 'running';
}

/** Runs and task runs that somebody should look at. */
export function isBad(state: AnyState): boolean {
  return state === 'failed' || state === 'timed_out' || state === 'lost';
}
