import type { RunGraph, TaskNode } from './graph.ts';
import { chainsOf } from './advance-group.ts';
import type { Chain, RunCache, StoredTaskRun, TaskInstance, TaskProgress } from './run-cache.ts';
import { isActive, newRunCache, waitsUntried } from './run-cache.ts';
import { isTerminal } from './states.ts';
import { countEnd, setTotal } from './step.ts';

/**
 * Rebuilds the cache of a run from its stored task runs. Send `start` afterwards: `advance` then asks again for every
 * preparation that was under way, and after it the marks of the run once more: one that was obeyed changes nothing. Rows of tasks that the graph does not have are ignored.
 */
export function loadRunCache(runId: string, graph: RunGraph, stored: readonly StoredTaskRun[]): RunCache {
  const run = newRunCache(runId, graph);
  const mapKeys = new Map<TaskProgress, string[]>();
  const indexOf = new Map(graph.tasks.map((task, index) => [task.id, index]));
  for (const row of stored) {
    const taskIndex = indexOf.get(row.taskId);
    const task = taskIndex === undefined ? undefined : run.tasks[taskIndex];
    if (taskIndex === undefined || !task) continue;
    task.instances.set(row.mapIndex, instanceOf(row, taskIndex));
    if (!task.chain) continue;
    const keys = mapKeys.get(task) ?? [];
    keys[row.mapIndex] = row.mapKey;
    mapKeys.set(task, keys);
  }
  for (const [task, keys] of mapKeys) task.mapKeys = keys;
  for (let index = 0; index < run.tasks.length; index++) openLoaded(run, index);
  for (let index = 0; index < run.tasks.length; index++) countLoaded(run, index);
  for (let index = 0; index < run.groups.length; index++) countUnderWay(run, index);
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
  if (task.chain) return openLoadedMember(run, taskIndex, task.chain);
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

/** The keys of a group's map indexes are asked for when the run starts again. */
function openLoadedMember(run: RunCache, taskIndex: number, chain: Chain): void {
  const task = run.tasks[taskIndex];
  const group = run.graph.groups[run.graph.tasks[taskIndex]?.group ?? -1];
  if (!task || !group) return;
  task.phase = 'open';
  // Only what stands for all map indexes has no key.
  chain.asWhole = task.mapKeys[0] === '';
  if (chain.asWhole) return;
  setTotal(run, taskIndex, group.mapKeys?.length ?? task.instances.size + 1);
  for (const instance of task.instances.values()) if (waitsUntried(instance)) chain.preparing.add(instance.mapIndex);
}

/** Map indexes of a group that began: something of them is, or was, tried or waits. */
function countUnderWay(run: RunCache, groupIndex: number): void {
  const group = run.graph.groups[groupIndex];
  const progress = run.groups[groupIndex];
  if (!group || !progress || group.maxParallel === 0) return;
  const begun = new Set<number>();
  for (const member of group.members) {
    const task = run.tasks[member];
    if (!task?.chain || task.chain.asWhole) continue;
    for (const { mapIndex, state, number } of task.instances.values()) {
      if (isTerminal(state)) progress.ended.set(mapIndex, (progress.ended.get(mapIndex) ?? 0) + 1);
      if (!isTerminal(state) || number > 0) begun.add(mapIndex);
    }
  }
  const chains = chainsOf(run, group);
  for (const mapIndex of begun) {
    const left = chains - (progress.ended.get(mapIndex) ?? 0);
    if (left > 0) progress.underWay.set(mapIndex, left);
  }
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
    countEnd(run, instance);
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
