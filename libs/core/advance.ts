import type { Outcome } from './attempt.ts';
import { applyListPrepared, endItems } from './advance-within.ts';
import {
  applyGroupPrepared,
  applyIndexPrepared,
  decideItem,
  decideMember,
  releaseMember,
  resume,
} from './advance-group.ts';
import type { MarkedState } from './mark.ts';
import type { RunCache, TaskInstance, TaskProgress } from './run-cache.ts';
import { isInQuestion, waitsUntried } from './run-cache.ts';
import { decideAfterAttempt } from './retry.ts';
import { decideRule } from './trigger-rules.ts';
import { isTerminal } from './states.ts';
import type { TaskState, TerminalTaskState } from './states.ts';
import { change, createInstance, end, endUntried, finishTask, forgetOpen, isStopped, setTotal } from './step.ts';
import type { Step } from './step.ts';
import { unreachable } from './errors.ts';

export { isStopped } from './step.ts';

/** What happened to a run, in the order in which it happened. Events about attempts that are no longer live change nothing. */
export type RunEvent =
  /** The run begins, or was just rebuilt from the database: look at every task. */
  | { readonly kind: 'start' }
  /** `mapIndex` and `item` as it was asked. */
  | {
      readonly kind: 'prepared';
      readonly taskIndex: number;
      readonly mapIndex?: number;
      readonly item?: number;
      readonly result: Prepared;
    }
  | {
      readonly kind: 'admitted';
      readonly taskIndex: number;
      readonly mapIndex: number;
      readonly attemptId: string;
      readonly number: number;
      readonly fence: number;
    }
  | { readonly kind: 'started'; readonly taskIndex: number; readonly mapIndex: number; readonly attemptId: string }
  | {
      readonly kind: 'ended';
      readonly taskIndex: number;
      readonly mapIndex: number;
      readonly attemptId: string;
      readonly outcome: Outcome;
      readonly gateClosed: boolean;
      /** Its success does not count before somebody says so; why. Absent: it counts. */
      readonly asks?: string;
    }
  /** What a task run asked is answered, or nobody answered in time. */
  | {
      readonly kind: 'answered';
      readonly taskIndex: number;
      readonly mapIndex: number;
      readonly state: 'success' | 'failed' | 'skipped';
      readonly reason: string;
    }
  /** Time passed: retries that are due become ready. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'stop'; readonly verdict: 'cancelled' | 'timed_out' }
  /** Somebody said how it ends. `taskIndex` null: the run; `mapIndex` null: all of the task. What has ended stays as it is. */
  | {
      readonly kind: 'mark';
      readonly taskIndex: number | null;
      readonly mapIndex: number | null;
      readonly state: MarkedState;
      readonly reason: string;
    };

/**
 * The answer to a `prepare` decision. `mapKeys` null: not fanned out. `cached`: map indexes whose results are there
 * already, which succeed untried.
 */
export type Prepared =
  | {
      readonly kind: 'ready';
      readonly mapKeys: readonly string[] | null;
      readonly cached?: ReadonlySet<number>;
    }
  /**
   * `heard`: somebody tells when to look again. `anew`: what it waited for has come, and this is the next thing.
   */
  | { readonly kind: 'waiting'; readonly reason: string; readonly heard?: true; readonly anew?: boolean }
  /** There is nothing to execute, and what it was for has come. */
  | { readonly kind: 'done'; readonly reason: string }
  | { readonly kind: 'skip'; readonly reason: string }
  | { readonly kind: 'fail'; readonly reason: string };

/** What must be written or done because of the events, in order. */
export type Decision =
  | TaskRunChange
  /**
   * Of a task in a group `mapIndex` says which of its task runs, `item` what those of one item have in common, the list of
   * its own; neither: what its group has in common, the keys.
   */
  | { readonly kind: 'prepare'; readonly taskIndex: number; readonly mapIndex?: number; readonly item?: number }
  | { readonly kind: 'cancel-attempt'; readonly attemptId: string }
  | {
      readonly kind: 'end-run';
      readonly state: 'success' | 'failed' | 'cancelled' | 'timed_out';
      readonly reason: string | null;
    };

/** The whole new state of one task run; `from: none` inserts the row, anything else updates it if it is still in that state. */
export interface TaskRunChange {
  readonly kind: 'task-run';
  readonly taskIndex: number;
  readonly mapIndex: number;
  readonly mapKey: string;
  readonly from: TaskState;
  readonly to: TaskState;
  readonly number: number;
  readonly fence: number;
  readonly retriesUsed: number;
  readonly lost: number;
  readonly deferred: number;
  /** Epoch milliseconds; null unless `retrying` or `lost`. */
  readonly retryAt: number | null;
  readonly reason: string | null;
  readonly gateClosed: boolean;
}

/**
 * Moves a run forward. Deterministic and total: the same cache, events and `now` (epoch milliseconds) give the same
 * decisions, and no event is an error. The cost follows what the events touch, never the size of the run or its history.
 */
export function advance(run: RunCache, events: readonly RunEvent[], now: number): Decision[] {
  const step: Step = { run, now, decisions: [], dirty: [], touched: [] };
  if (run.state === 'ended') return [];
  for (const event of events) applyEvent(step, event);
  settle(step);
  return step.decisions;
}

function applyEvent(step: Step, event: RunEvent): void {
  const { run } = step;
  switch (event.kind) {
    case 'start':
      resume(step);
      run.tasks.forEach((_, index) => step.dirty.push(index));
      return;
    case 'prepared':
      if (event.mapIndex !== undefined) return applyIndexPrepared(step, event.taskIndex, event.mapIndex, event.result);
      if (event.item !== undefined) return applyListPrepared(step, event.taskIndex, event.item, event.result);
      if (run.tasks[event.taskIndex]?.chain) {
        applyGroupPrepared(step, event.taskIndex, event.result);
        const group = run.groups[run.graph.tasks[event.taskIndex]?.group ?? -1];
        for (const { taskIndex, state, reason } of group?.marks.splice(0) ?? [])
          endTask(step, taskIndex, state, reason);
        return;
      }
      return applyPrepared(step, event.taskIndex, event.result);
    case 'admitted': {
      const instance = run.tasks[event.taskIndex]?.instances.get(event.mapIndex);
      if (instance?.state !== 'ready') return;
      // Admission wrote the row in its own transaction, so there is nothing left to decide.
      Object.assign(instance, {
        state: 'queued',
        attemptId: event.attemptId,
        number: event.number,
        fence: event.fence,
      });
      // A stop that was decided while the admission was under way.
      if (isStopped(run, event.taskIndex)) step.decisions.push({ kind: 'cancel-attempt', attemptId: event.attemptId });
      return;
    }
    case 'started': {
      const instance = liveInstance(run, event);
      if (instance?.state === 'queued') change(step, instance, 'running', null);
      return;
    }
    case 'ended':
      return applyEnded(step, event);
    case 'answered': {
      const instance = run.tasks[event.taskIndex]?.instances.get(event.mapIndex);
      if (instance !== undefined && isInQuestion(instance)) end(step, instance, event.state, event.reason);
      return;
    }
    case 'tick':
      for (const instance of run.timers) {
        if (instance.retryAt === null || instance.retryAt > step.now) continue;
        run.timers.delete(instance);
        instance.retryAt = null;
        change(step, instance, 'ready', null);
      }
      return;
    case 'stop':
      return stop(step, event.verdict);
    case 'mark':
      return mark(step, event);
    default:
      return unreachable(event);
  }
}

function liveInstance(
  run: RunCache,
  event: { taskIndex: number; mapIndex: number; attemptId: string },
): TaskInstance | undefined {
  const instance = run.tasks[event.taskIndex]?.instances.get(event.mapIndex);
  return instance?.attemptId === event.attemptId ? instance : undefined;
}

function applyPrepared(step: Step, taskIndex: number, result: Prepared): void {
  const { run } = step;
  const task = run.tasks[taskIndex];
  if (task?.phase !== 'preparing') return;
  const first = task.instances.get(0);
  const waiting = first !== undefined && waitsUntried(first) ? first : undefined;
  // After a rebuild some task runs may exist already: then only the keys are news.
  const begun = task.instances.size > 0 && !waiting;
  switch (result.kind) {
    case 'ready':
      open(step, taskIndex, result.mapKeys ?? ['']);
      for (const mapIndex of result.cached ?? []) endCached(step, taskIndex, mapIndex);
      return;
    case 'waiting':
      if (!begun && (!waiting || result.anew === true))
        change(step, waiting ?? createInstance(run, taskIndex, 0), 'waiting', result.reason);
      return;
    case 'done':
    case 'skip':
    case 'fail':
      // What cannot be prepared again ends with the task runs that it has.
      if (begun)
        return open(
          step,
          taskIndex,
          Array.from({ length: task.instances.size }, () => ''),
        );
      return endUntried(step, taskIndex, UNTRIED[result.kind], result.reason);
    default:
      return unreachable(result);
  }
}

const UNTRIED = { done: 'success', skip: 'skipped', fail: 'failed' } as const;

function applyEnded(step: Step, event: Extract<RunEvent, { kind: 'ended' }>): void {
  const { run } = step;
  const instance = liveInstance(run, event);
  if (!instance || isTerminal(instance.state)) return;
  const node = run.graph.tasks[event.taskIndex];
  if (!node) return;
  instance.attemptId = null;
  if (instance.mark !== null) return end(step, instance, instance.mark.state, instance.mark.reason);
  const stopping = isStopped(run, event.taskIndex);
  // Nobody asked to cancel: its executor was shut down, which is a loss like any other.
  const outcome: Outcome =
    event.outcome.kind === 'cancelled' && !stopping ? { kind: 'lost', message: event.outcome.message } : event.outcome;
  const after = decideAfterAttempt(outcome, node.retries, instance, `${run.runId}/${node.id}/${event.mapIndex}`);
  Object.assign(instance, {
    retriesUsed: after.counts.retriesUsed,
    lost: after.counts.lost,
    deferred: after.counts.deferred,
  });
  if (after.kind === 'end' && after.state === 'success' && event.asks !== undefined) {
    if (stopping) return end(step, instance, 'cancelled', event.asks);
    return change(step, instance, 'waiting', event.asks);
  }
  if (after.kind === 'end') {
    instance.gateClosed = event.gateClosed;
    return end(step, instance, after.state, after.reason);
  }
  if (stopping) return end(step, instance, 'cancelled', after.reason);
  instance.retryAt = step.now + after.delayMs;
  run.timers.add(instance);
  change(step, instance, after.state, after.reason);
}

function stop(step: Step, verdict: 'cancelled' | 'timed_out' | 'marked'): void {
  const { run } = step;
  const again = run.stopping !== null;
  if (again && !run.finalStarted) return;
  run.stopping ??= verdict;
  if (again) run.finalStopped = true;
  const reason = whyStopped(run, verdict);
  run.tasks.forEach((task, taskIndex) => {
    if (task.phase !== 'done' && run.graph.tasks[taskIndex]?.final === again)
      endTask(step, taskIndex, 'cancelled', reason);
  });
}

/** Why what is under way ends before its time. */
export function whyStopped(run: RunCache, stopping = run.stopping): string {
  switch (stopping) {
    case 'timed_out':
      return 'the run took longer than its run_timeout';
    case 'cancelled':
      return 'the run was cancelled';
    case 'marked':
      return `the run was ${run.verdict?.reason ?? 'marked'}`;
    case null:
      return 'its task was marked';
    default:
      return unreachable(stopping);
  }
}

/** Ends what of a task has not ended. Attempts are asked to stop; their task runs end when they have. */
function endTask(step: Step, taskIndex: number, state: TerminalTaskState, reason: string): void {
  const task = step.run.tasks[taskIndex];
  if (!task) return;
  for (const { attemptId } of task.instances.values())
    if (attemptId !== null) step.decisions.push({ kind: 'cancel-attempt', attemptId });
  if (task.instances.size === 0) return endUntried(step, taskIndex, state, reason);
  if (task.chain && step.run.stopping === null) return endEach(step, taskIndex, task, state, reason);
  shrink(step, taskIndex, task.instances.size);
  for (const instance of [...task.instances.values()])
    if (instance.attemptId === null && !isTerminal(instance.state)) end(step, instance, state, reason);
}

/** Others of its group go on and follow it item by item, so that each has an end of its own. */
function endEach(step: Step, taskIndex: number, task: TaskProgress, state: TerminalTaskState, reason: string): void {
  const { run } = step;
  const group = run.groups[run.graph.tasks[taskIndex]?.group ?? -1];
  // Rebuilt, and the keys are being asked for: the others end when they are known.
  const isAsking = group?.asking === true;
  if (isAsking) group.marks.push({ taskIndex, state, reason });
  if (task.chain?.inner) return endItems(step, taskIndex, !isAsking, state, reason);
  for (const mapIndex of isAsking ? [...task.instances.keys()] : Array(task.total).keys()) {
    const instance = task.instances.get(mapIndex) ?? createInstance(run, taskIndex, mapIndex);
    if (instance.attemptId === null && !isTerminal(instance.state)) end(step, instance, state, reason);
  }
}

function mark(step: Step, { taskIndex, mapIndex, state, reason }: Extract<RunEvent, { kind: 'mark' }>): void {
  const { run } = step;
  if (taskIndex === null) {
    run.verdict = { state, reason };
    if (run.stopping === null) stop(step, 'marked');
    return;
  }
  const task = run.tasks[taskIndex];
  if (!task || task.phase === 'done') return;
  for (const instance of task.instances.values())
    if (covers(mapIndex, instance) && instance.attemptId !== null) instance.mark = { state, reason };
  if (mapIndex === null) return endTask(step, taskIndex, state, reason);
  const one = task.instances.get(mapIndex);
  if (one === undefined || isTerminal(one.state)) return;
  if (one.attemptId === null) end(step, one, state, reason);
  else step.decisions.push({ kind: 'cancel-attempt', attemptId: one.attemptId });
}

function covers(mapIndex: number | null, instance: TaskInstance): boolean {
  return mapIndex === null || mapIndex === instance.mapIndex;
}

/** Forgets the task runs that were never released, and the preparation that was under way: its answer comes too late. */
function shrink(step: Step, taskIndex: number, total: number): void {
  const { run } = step;
  const task = run.tasks[taskIndex];
  if (!task) return;
  setTotal(run, taskIndex, total);
  task.nextToRelease = Number.MAX_SAFE_INTEGER;
  forgetOpen(task.chain);
  task.phase = 'open';
  run.releasable.delete(taskIndex);
  if (task.ended === task.total) finishTask(step, taskIndex);
}

/** Decides, releases and finishes until nothing moves any more. */
function settle(step: Step): void {
  const { run } = step;
  for (;;) {
    // In the order in which they were touched, so that equals start in the order of the file. Grows while it is walked.
    for (const index of step.dirty) decideTask(step, index);
    step.dirty.length = 0;
    for (const { taskIndex, item } of step.touched) decideItem(step, taskIndex, item);
    step.touched.length = 0;
    release(step);
    if (step.dirty.length + step.touched.length > 0) continue;
    if (run.openTasks > 0) return;
    if (run.openFinalTasks > 0) {
      if (run.finalStarted) return;
      run.finalStarted = true;
      run.graph.tasks.forEach((task, index) => task.final && step.dirty.push(index));
      continue;
    }
    return endRun(step);
  }
}

function decideTask(step: Step, taskIndex: number): void {
  const { run } = step;
  const node = run.graph.tasks[taskIndex];
  const task = run.tasks[taskIndex];
  if (!node || !task) return;
  if (task.chain) return decideMember(step, taskIndex);
  // A rebuilt cache may hold a task in the middle of its preparation.
  if (task.phase === 'preparing') return void step.decisions.push({ kind: 'prepare', taskIndex });
  if (task.phase !== 'blocked' || (node.final && !run.finalStarted)) return;
  if (isStopped(run, taskIndex)) return endUntried(step, taskIndex, 'cancelled', 'the run was stopped');
  const verdict = decideRule(node.when, task.up);
  switch (verdict) {
    case 'wait':
      return;
    case 'run':
      if (!node.needsPreparation) return open(step, taskIndex, node.mapKeys ?? ['']);
      task.phase = 'preparing';
      return void step.decisions.push({ kind: 'prepare', taskIndex });
    case 'skipped':
    case 'upstream_failed':
      return endUntried(
        step,
        taskIndex,
        verdict,
        `its rule \`${node.when}\` cannot be met by how its upstream tasks ended`,
      );
    default:
      return unreachable(verdict);
  }
}

/** Makes the task runs of a task known. */
function open(step: Step, taskIndex: number, mapKeys: readonly string[]): void {
  const { run } = step;
  const task = run.tasks[taskIndex];
  if (!task) return;
  if (mapKeys.length === 0) return endUntried(step, taskIndex, 'skipped', 'its fan-out has no items');
  setTotal(run, taskIndex, mapKeys.length);
  task.mapKeys = mapKeys;
  task.phase = 'open';
  run.releasable.add(taskIndex);
  if (task.ended < task.total) return;
  // Rebuilt, and all of it had ended: its children were counted before the total was known.
  step.dirty.push(...(run.graph.tasks[taskIndex]?.downstream ?? []));
  finishTask(step, taskIndex);
}

/** A task run that began before its process died goes on as it is. */
function endCached(step: Step, taskIndex: number, mapIndex: number): void {
  const known = step.run.tasks[taskIndex]?.instances.get(mapIndex);
  if (known === undefined || waitsUntried(known))
    end(step, known ?? createInstance(step.run, taskIndex, mapIndex), 'success', null);
}

/** Turns opened task runs into ready ones, as far as `max_parallel` and `max_active_tasks` allow. */
function release(step: Step): void {
  const { run } = step;
  const limit = run.graph.maxActiveTasks || Number.MAX_SAFE_INTEGER;
  for (const taskIndex of run.releasable) {
    const task = run.tasks[taskIndex];
    const node = run.graph.tasks[taskIndex];
    if (!task || !node) continue;
    if (task.chain) {
      releaseMember(step, taskIndex);
      continue;
    }
    const parallel = node.maxParallel || Number.MAX_SAFE_INTEGER;
    while (task.nextToRelease < task.total && task.active < parallel && run.active < limit) {
      const mapIndex = task.nextToRelease++;
      const known = task.instances.get(mapIndex);
      if (known === undefined || waitsUntried(known))
        change(step, known ?? createInstance(run, taskIndex, mapIndex), 'ready', null);
    }
    if (task.nextToRelease >= task.total) run.releasable.delete(taskIndex);
    // What waits in a group takes no place of it.
    if (run.active >= limit && run.groups.length === 0) return;
  }
}

function endRun(step: Step): void {
  const { run } = step;
  run.state = 'ended';
  const failed = run.graph.tasks
    .filter((node, index) => !node.caught && (run.tasks[index]?.failed ?? 0) > 0)
    .map((node) => `"${node.id}"`);
  if (run.verdict !== null) return void step.decisions.push({ kind: 'end-run', ...run.verdict });
  const stopped = run.stopping === 'marked' ? null : run.stopping;
  const state = stopped ?? (run.anyFailed || run.finalFailed ? 'failed' : 'success');
  const reason =
    state === 'success'
      ? null
      : state === 'timed_out'
        ? 'took longer than its run_timeout'
        : state === 'cancelled'
          ? 'cancelled'
          : `task ${failed.join(', ')} failed`;
  step.decisions.push({ kind: 'end-run', state, reason });
}
