/** States of a task run. A task run that has no row yet is `none`. */
export const TASK_STATES = [
  'none',
  'waiting',
  'ready',
  'queued',
  'running',
  'retrying',
  'success',
  'failed',
  'skipped',
  'upstream_failed',
  'cancelled',
  'lost',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

/**
 * The only place that says which task state may follow which.
 * `waiting`: the data that the task reads is not there yet, or what a `wait` or `approve` task waits for, or somebody is asked
 * whether a result counts that its gate does not let pass; it holds no slot and no process.
 * `retrying`: an attempt ended and the next one is due at a later time.
 * `lost`: the process that executed the attempt died; the next attempt follows at once, at most five times.
 * Terminal states absorb: a report that comes later changes nothing.
 */
export const TRANSITIONS: Readonly<Record<TaskState, readonly TaskState[]>> = {
  none: ['waiting', 'ready', 'skipped', 'upstream_failed', 'failed', 'cancelled', 'success'],
  // Waiting again: for the next thing.
  waiting: ['waiting', 'ready', 'skipped', 'failed', 'cancelled', 'success'],
  ready: ['queued', 'cancelled', 'failed', 'success'],
  queued: ['running', 'waiting', 'success', 'failed', 'skipped', 'retrying', 'lost', 'cancelled'],
  running: ['waiting', 'success', 'failed', 'skipped', 'retrying', 'lost', 'cancelled'],
  retrying: ['ready', 'cancelled', 'failed', 'success'],
  lost: ['ready', 'failed', 'cancelled', 'success'],
  success: [],
  failed: [],
  skipped: [],
  upstream_failed: [],
  cancelled: [],
};

export type TerminalTaskState = 'success' | 'failed' | 'skipped' | 'upstream_failed' | 'cancelled';

export function isTerminal(state: TaskState): state is TerminalTaskState {
  return TRANSITIONS[state].length === 0;
}

/** States of a run. `queued` runs wait for `max_active_runs`. */
export const RUN_STATES = ['queued', 'running', 'success', 'failed', 'cancelled', 'timed_out', 'skipped'] as const;
export type RunState = (typeof RUN_STATES)[number];

/** `skipped`: a fire that was recorded but never executed (superseded, or the overlap rule said so). */
export const RUN_TRANSITIONS: Readonly<Record<RunState, readonly RunState[]>> = {
  // Success and failed: somebody marked it so before it began.
  queued: ['running', 'cancelled', 'skipped', 'success', 'failed'],
  running: ['success', 'failed', 'cancelled', 'timed_out'],
  success: [],
  failed: [],
  cancelled: [],
  timed_out: [],
  skipped: [],
};

/** States of an attempt. */
export const ATTEMPT_STATES = [
  'queued',
  'running',
  'success',
  'failed',
  'skipped',
  'timed_out',
  'cancelled',
  'lost',
  'deferred',
] as const;
export type AttemptState = (typeof ATTEMPT_STATES)[number];

export const TRIGGER_RULES = [
  'all_success',
  'all_failed',
  'all_done',
  'all_done_min_one_success',
  'all_skipped',
  'one_success',
  'one_failed',
  'one_done',
  'none_failed',
  'none_failed_min_one_success',
  'none_skipped',
  'always',
] as const;
export type TriggerRule = (typeof TRIGGER_RULES)[number];
