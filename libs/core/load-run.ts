import type { RunGraph, TaskNode } from './graph.ts';
import { chainsOf } from './advance-group.ts';
import { innerOf, itemOf, splitKey } from './map-index.ts';
import type { Chain, InnerProgress, RunCache, StoredTaskRun, TaskInstance, TaskProgress } from './run-cache.ts';
import { isActive, newRunCache, waitsUntried } from './run-cache.ts';
import { isTerminal } from './states.ts';
import { countEnd, setItemTotal, setTotal } from './step.ts';

/**
 * Rebuilds the cache of a run from its stored task runs. Send `start` afterwards: `advance` then asks again for every
 * preparation that was under way, and after it the marks of the run once more: one that was obeyed changes nothing. Rows of tasks that the graph does not have are ignored.
 */
export function loadRunCache(runId: string, graph: RunGraph, stored: readonly StoredTaskRun[]): RunCache {
  const run = newRunCache(runId, graph);
  const loaded = new Map<TaskProgress, Map<number, string>>();
  const indexOf = new Map(graph.tasks.map((task, index) => [task.id, index]));
  for (const row of stored) {
    const taskIndex = indexOf.get(row.taskId);
    const task = taskIndex === undefined ? undefined : run.tasks[taskIndex];
    if (taskIndex === undefined || !task) continue;
    task.instances.set(row.mapIndex, instanceOf(row, taskIndex));
    const keys = loaded.get(task) ?? new Map<number, string>();
    loaded.set(task, keys.set(row.mapIndex, row.mapKey));
  }
  for (const [index, task] of run.tasks.entries()) openLoaded(run, index, loaded.get(task) ?? new Map());
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

function openLoaded(run: RunCache, taskIndex: number, keys: ReadonlyMap<number, string>): void {
  const task = run.tasks[taskIndex];
  const node = run.graph.tasks[taskIndex];
  if (!task || !node || task.instances.size === 0) return;
  if (task.chain) return openLoadedMember(run, taskIndex, task.chain, keys);
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

/** The keys of a group's items are asked for when the run starts again. */
function openLoadedMember(run: RunCache, taskIndex: number, chain: Chain, keys: ReadonlyMap<number, string>): void {
  const task = run.tasks[taskIndex];
  const node = run.graph.tasks[taskIndex];
  const group = run.graph.groups[node?.group ?? -1];
  if (!task || !node || !group) return;
  task.phase = 'open';
  // Only what stands for all items has no key.
  chain.asWhole = keys.get(0) === '';
  if (chain.asWhole) return;
  const mapKeys: string[] = [];
  for (const [mapIndex, key] of keys) mapKeys[itemOf(node, mapIndex)] = splitKey(key)?.item ?? key;
  task.mapKeys = mapKeys;
  const begun = new Set([...keys.keys()].map((mapIndex) => itemOf(node, mapIndex)));
  setTotal(run, taskIndex, group.mapKeys?.length ?? begun.size + 1);
  if (chain.inner) openLoadedLists(run, taskIndex, chain.inner, keys);
  for (const instance of task.instances.values()) if (waitsUntried(instance)) chain.preparing.add(instance.mapIndex);
}

/** Lists that are not literal are asked for once more, item by item. */
function openLoadedLists(
  run: RunCache,
  taskIndex: number,
  inner: InnerProgress,
  keys: ReadonlyMap<number, string>,
): void {
  const node = run.graph.tasks[taskIndex];
  const known = new Map<number, string[]>();
  for (const [mapIndex, key] of keys) {
    const item = itemOf({ inner }, mapIndex);
    const own = known.get(item) ?? [];
    known.set(item, own);
    const { inner: innerKey } = splitKey(key) ?? {};
    if (innerKey !== undefined) own[innerOf(mapIndex)] = innerKey;
  }
  const literal = node?.inner?.mapKeys ?? null;
  for (const [item, own] of known) {
    // Only what stands for all of its item has no key of its own.
    const phase = own.length === 0 ? 'whole' : literal === null ? 'unknown' : 'known';
    const begun = Object.keys(own).length;
    inner.lists.set(item, { phase, mapKeys: literal ?? own, total: 1, ended: 0, next: 0 });
    if (phase === 'known') inner.open.add(item);
    if (phase !== 'whole') setItemTotal(run, taskIndex, item, literal?.length ?? begun + 1);
  }
}

/** Items of a group that began: something of them is, or was, tried or waits. */
function countUnderWay(run: RunCache, groupIndex: number): void {
  const group = run.graph.groups[groupIndex];
  const progress = run.groups[groupIndex];
  if (!group || !progress || group.maxParallel === 0) return;
  const begun = new Set<number>();
  for (const member of group.members) {
    const task = run.tasks[member];
    if (!task?.chain || task.chain.asWhole) continue;
    const open = new Set<number>();
    const ended = new Set<number>();
    for (const { mapIndex, state, number } of task.instances.values()) {
      const item = itemOf(run.graph.tasks[member] ?? { inner: null }, mapIndex);
      const list = task.chain.inner?.lists.get(item);
      if (!isTerminal(state) || (list && list.ended < list.total)) open.add(item);
      else ended.add(item);
      if (!isTerminal(state) || number > 0) begun.add(item);
    }
    for (const item of ended) if (!open.has(item)) progress.ended.set(item, (progress.ended.get(item) ?? 0) + 1);
  }
  const chains = chainsOf(run, group);
  for (const item of begun) {
    const left = chains - (progress.ended.get(item) ?? 0);
    if (left > 0) progress.underWay.set(item, left);
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
    const list = task.chain?.inner?.lists.get(itemOf(node, instance.mapIndex));
    if (list) list.ended += 1;
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
