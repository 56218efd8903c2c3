import type { RunGraph } from './graph.ts';
import type { MarkedState } from './mark.ts';
import type { TryCounts } from './retry.ts';
import type { TaskState } from './states.ts';
import { isTerminal } from './states.ts';

/** One task run as the owner of its run remembers it. */
export interface TaskInstance extends TryCounts {
  readonly taskIndex: number;
  readonly mapIndex: number;
  state: TaskState;
  /** Attempts made. */
  number: number;
  fence: number;
  retriesUsed: number;
  lost: number;
  deferred: number;
  /** The live attempt; null unless queued or running. */
  attemptId: string | null;
  /** Epoch milliseconds at which a `retrying` or `lost` task run becomes ready again. */
  retryAt: number | null;
  gateClosed: boolean;
  /** What it ends as when its attempt has stopped, whatever that attempt still says; null: as the attempt says. */
  mark: MarkedEnd | null;
}

/** How something ends because somebody said so, and in which words. */
export interface MarkedEnd {
  readonly state: MarkedState;
  readonly reason: string;
}

/** `blocked`: the trigger rule has not decided. `preparing`: waits for `prepared`. `open`: its task runs are known. */
export type TaskPhase = 'blocked' | 'preparing' | 'open' | 'done';

/** One task within the cache. Counters make every step O(children touched). */
export interface TaskProgress {
  phase: TaskPhase;
  /** Task runs by map index; created when released, so a wide fan-out costs memory only for what started. */
  readonly instances: Map<number, TaskInstance>;
  /** Number of task runs; 1 until the fan-out is known. */
  total: number;
  mapKeys: readonly string[];
  /** Next map index to release. */
  nextToRelease: number;
  /** ready, queued, running, retrying or lost. */
  active: number;
  ended: number;
  failed: number;
  /** Upstream counts of this task. */
  up: { total: number; success: number; failed: number; skipped: number; upstreamFailed: number };
}

/**
 * A claimed run in memory: a cache that can be rebuilt from the database at any time. `advance` moves it forward in
 * place; when the decisions were refused by the database the cache is worthless and must be dropped.
 */
export interface RunCache {
  readonly runId: string;
  readonly graph: RunGraph;
  readonly tasks: TaskProgress[];
  state: 'running' | 'ended';
  stopping: 'cancelled' | 'timed_out' | 'marked' | null;
  /** What the run ends as because somebody marked it; null: as its tasks did. */
  verdict: MarkedEnd | null;
  /** Tasks (not task runs) that have not ended, without and with `finally`. */
  openTasks: number;
  openFinalTasks: number;
  finalStarted: boolean;
  finalStopped: boolean;
  anyFailed: boolean;
  finalFailed: boolean;
  active: number;
  /** Task runs that wait for a time, by due time. */
  readonly timers: Set<TaskInstance>;
  /** Tasks with released capacity left, in graph order; only these are looked at when a slot frees. */
  readonly releasable: Set<number>;
}

/** A task run as stored. */
export interface StoredTaskRun extends TryCounts {
  readonly taskId: string;
  readonly mapIndex: number;
  readonly mapKey: string;
  readonly state: TaskState;
  readonly number: number;
  readonly fence: number;
  readonly attemptId: string | null;
  readonly retryAt: number | null;
  readonly gateClosed: boolean;
}

/** An untouched run. */
export function newRunCache(runId: string, graph: RunGraph): RunCache {
  return {
    runId,
    graph,
    tasks: graph.tasks.map((node) => ({
      phase: 'blocked',
      instances: new Map(),
      total: 1,
      mapKeys: [''],
      nextToRelease: 0,
      active: 0,
      ended: 0,
      failed: 0,
      up: { total: node.upstream.length, success: 0, failed: 0, skipped: 0, upstreamFailed: 0 },
    })),
    state: 'running',
    stopping: null,
    verdict: null,
    openTasks: graph.tasks.filter((task) => !task.final).length,
    openFinalTasks: graph.tasks.filter((task) => task.final).length,
    finalStarted: false,
    finalStopped: false,
    anyFailed: false,
    finalFailed: false,
    active: 0,
    timers: new Set(),
    releasable: new Set(),
  };
}

/** Which counter of its children an ended task run moves. A closed gate counts as skipped; cancelled as failed. */
export function countedAs(instance: TaskInstance): 'success' | 'failed' | 'skipped' | 'upstreamFailed' {
  switch (instance.state) {
    case 'success':
      return instance.gateClosed ? 'skipped' : 'success';
    case 'skipped':
      return 'skipped';
    case 'upstream_failed':
      return 'upstreamFailed';
    default:
      return 'failed';
  }
}

/** True: it waits for data, a condition or a person, and nothing of it was tried. */
export function waitsUntried({ state, number }: Pick<TaskInstance, 'state' | 'number'>): boolean {
  return state === 'waiting' && number === 0;
}

/** True: it was executed, and somebody is asked whether its result counts. */
export function isInQuestion({ state, number }: Pick<TaskInstance, 'state' | 'number'>): boolean {
  return state === 'waiting' && number > 0;
}

/** True: nothing of the run moves until a wait of it ends or somebody asks; it may be forgotten until then. */
export function onlyWaits(run: RunCache): boolean {
  if (run.state === 'ended' || run.active > 0) return false;
  // Nothing is active, so what has not ended waits, unless its preparation is still under way.
  const preparing = run.tasks.filter((task) => task.phase === 'preparing');
  if (!preparing.every((task) => task.instances.get(0)?.state === 'waiting')) return false;
  return preparing.length > 0 || run.tasks.some(({ phase, ended, total }) => phase === 'open' && ended < total);
}

export function isActive(state: TaskState): boolean {
  return !isTerminal(state) && state !== 'none' && state !== 'waiting';
}
