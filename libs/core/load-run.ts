import type { RunGraph, TaskNode } from './graph.ts';
import type { RunCache, StoredTaskRun, TaskInstance } from './run-cache.ts';
import { countedAs, isActive, newRunCache, waitsUntried } from './run-cache.ts';
import { isTerminal } from './states.ts';

/**
 * Rebuilds the cache of a run from its stored task runs. Send `start` afterwards: `advance` then asks again for every
 * preparation that was under way, and after it the marks of the run once more: one that was obeyed changes nothing. Rows of tasks that the graph does not have are ignored.
 */
export function loadRunCache(runId: string, graph: RunGraph, stored: readonly StoredTaskRun[]): RunCache {
  const run = newRunCache(runId, graph);
  const indexOf = new Map(graph.tasks.map((task, index) => [task.id, index]));
  for (const row of stored) {
    const taskIndex = indexOf.get(row.taskId);
    if (taskIndex !== undefined) run.tasks[taskIndex]?.instances.set(row.mapIndex, instanceOf(row, taskIndex));
  }
  for (let index = 0; index < run.tasks.length; index++) openLoaded(run, index);
  for (let index = 0; index < run.tasks.length; index++) countLoaded(run, index);
  run.finalStarted = graph.tasks.some((task, index) => task.final && (run.tasks[index]?.instances.size ?? 0) > 0);
  return run;
}

function instanceOf(row: StoredTaskRun, taskIndex: number): TaskInstance {
  const { mapIndex, state, number, fence, retriesUsed, lost, deferred, attemptId, retryAt, gateClosed } = row;
  const counts = { number, fence, retriesUsed, lost, deferred };
  return { taskIndex, mapIndex, state, ...counts, attemptId, retryAt, gateClosed, mark: null };
}

function openLoaded(run: RunCache, taskIndex: number): void {
  const task = run.tasks[taskIndex];
  const node = run.graph.tasks[taskIndex];
  if (!task || !node || task.instances.size === 0) return;
  const only = task.instances.size === 1 ? task.instances.get(0) : undefined;
  // One row that ended without a try stands for the whole task: skipped, upstream_failed, cancelled or refused.
  const endedUntried = only !== undefined && isTerminal(only.state) && only.state !== 'success' && only.number === 0;
  const mapKeys = endedUntried ? [''] : node.mapKeys;
  const complete = mapKeysKnown(node, only) && task.instances.size === (node.mapKeys?.length ?? 1);
  if (node.needsPreparation && !endedUntried && !complete) {
    task.phase = 'preparing';
    // Not all of its task runs exist yet: until the keys are known again there must be one more than have ended.
    const waiting = only !== undefined && waitsUntried(only);
    setTotal(run, taskIndex, waiting ? 1 : (node.mapKeys?.length ?? task.instances.size + 1));
    return;
  }
  task.mapKeys = mapKeys ?? [''];
  setTotal(run, taskIndex, task.mapKeys.length);
  task.phase = 'open';
  run.releasable.add(taskIndex);
}

function setTotal(run: RunCache, taskIndex: number, total: number): void {
  const task = run.tasks[taskIndex];
  if (!task) return;
  for (const child of run.graph.tasks[taskIndex]?.downstream ?? []) {
    const up = run.tasks[child]?.up;
    if (up) up.total += total - task.total;
  }
  task.total = total;
}

/** Only a task whose fan-out is an expression, or whose one row still waits for data, must be prepared once more. */
function mapKeysKnown(node: TaskNode, only: TaskInstance | undefined): boolean {
  return !node.dynamicFanOut && !(only !== undefined && waitsUntried(only));
}

function countLoaded(run: RunCache, taskIndex: number): void {
  const task = run.tasks[taskIndex];
  const node = run.graph.tasks[taskIndex];
  if (!task || !node) return;
  for (const instance of task.instances.values()) {
    if (isActive(instance.state)) {
      task.active += 1;
      run.active += 1;
      if (instance.retryAt !== null) run.timers.add(instance);
    }
    if (!isTerminal(instance.state)) continue;
    task.ended += 1;
    if (instance.state === 'failed') task.failed += 1;
    for (const child of node.downstream) {
      const up = run.tasks[child]?.up;
      if (up) up[countedAs(instance)] += 1;
    }
  }
  if (task.phase !== 'open' || task.ended < task.total) return;
  task.phase = 'done';
  run.releasable.delete(taskIndex);
  if (node.final) run.openFinalTasks -= 1;
  else run.openTasks -= 1;
  if (task.failed > 0 && !node.caught) {
    if (node.final) run.finalFailed = true;
    else run.anyFailed = true;
  }
}
