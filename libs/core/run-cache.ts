import type { MarkedState } from './mark.ts';
import type { RunGraph } from './graph.ts';
import type { TryCounts } from './retry.ts';
import type { TaskState, TerminalTaskState } from './states.ts';
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
  /** Upstream counts of this task; in a group without what its items have upstream each for itself. */
  up: { total: number } & Ends;
  /** Null: it is in no group. */
  readonly chain: Chain | null;
}

/** How many task runs ended how. */
export interface Ends {
  success: number;
  failed: number;
  skipped: number;
  upstreamFailed: number;
}

/** How far the items of a task in a group are, and its task runs that do not exist yet or wait. */
export interface Chain {
  /** True: it ended before its group's keys counted for it; its one row stands for every item. */
  asWhole: boolean;
  /** By item: how what is upstream within the group ended there. */
  readonly up: Map<number, EndsWithin>;
  /** Its rule says run for every item. */
  all: boolean;
  /** Items for which its rule says run; in that order. */
  readonly wanted: Set<number>;
  /** Map indexes. */
  readonly preparing: Set<number>;
  readonly prepared: Set<number>;
  /** Null: one task run for each item. */
  readonly inner: InnerProgress | null;
}

/** `more`: task runs upstream within the group, beyond one for each task. */
export type EndsWithin = Ends & { more: number };

/** Of a task that fans out once more within each item. */
export interface InnerProgress {
  /** By item: those that were opened. */
  readonly lists: Map<number, InnerList>;
  /** Items whose lists are asked for. */
  readonly asking: Set<number>;
  /** Items that have task runs left to begin. */
  readonly open: Set<number>;
}

/** The task runs of one item. */
export interface InnerList {
  /** `unknown`: not yet, or not again. `whole`: it never becomes known, and its first task run stands for all of it. */
  phase: 'unknown' | 'known' | 'whole';
  mapKeys: readonly string[];
  /** Number of task runs; of an unknown list one more than there are. */
  total: number;
  ended: number;
  /** The next to begin. */
  next: number;
}

/** One group within the cache. */
export interface GroupProgress {
  /** Null: not known yet. */
  mapKeys: readonly string[] | null;
  /** Somebody was asked for the keys and has not answered. */
  asking: boolean;
  /** Items that are under way, with how many of its tasks have not ended there; kept only with `maxParallel`. */
  readonly underWay: Map<number, number>;
  /** How many of its tasks have ended, by item; kept only with `maxParallel`. */
  readonly ended: Map<number, number>;
  /** Of whole tasks whose task runs are not all known before the keys are. */
  readonly marks: { readonly taskIndex: number; readonly state: TerminalTaskState; readonly reason: string }[];
}

/**
 * A claimed run in memory: a cache that can be rebuilt from the database at any time. `advance` moves it forward in
 * place; when the decisions were refused by the database the cache is worthless and must be dropped.
 */
export interface RunCache {
  readonly runId: string;
  readonly graph: RunGraph;
  readonly tasks: TaskProgress[];
  readonly groups: GroupProgress[];
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
      chain: node.group === null ? null : newChain(node.inner !== null),
    })),
    groups: graph.groups.map(() => ({
      mapKeys: null,
      asking: false,
      underWay: new Map(),
      ended: new Map(),
      marks: [],
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

function newChain(fansOutWithin: boolean): Chain {
  return {
    asWhole: false,
    up: new Map(),
    all: false,
    wanted: new Set(),
    preparing: new Set(),
    prepared: new Set(),
    inner: fansOutWithin ? { lists: new Map(), asking: new Set(), open: new Set() } : null,
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
  if (run.groups.some(({ asking }) => asking)) return false;
  if (run.tasks.some(({ chain }) => (chain?.inner?.asking.size ?? 0) > 0)) return false;
  // Nothing is active, so what has not ended waits, unless its preparation is still under way.
  const preparing = run.tasks.flatMap((task) => [
    ...(task.phase === 'preparing' ? [task.instances.get(0)] : []),
    ...[...(task.chain?.preparing ?? [])].map((mapIndex) => task.instances.get(mapIndex)),
  ]);
  if (!preparing.every((instance) => instance?.state === 'waiting')) return false;
  return preparing.length > 0 || run.tasks.some(({ phase, ended, total }) => phase === 'open' && ended < total);
}

export function isActive(state: TaskState): boolean {
  return !isTerminal(state) && state !== 'none' && state !== 'waiting';
}
