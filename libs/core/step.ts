import type { Decision } from './advance.ts';
import { innerOf, itemOf, joinKeys } from './map-index.ts';
import type { Chain, EndsWithin, GroupProgress, RunCache, TaskInstance, TaskProgress } from './run-cache.ts';
import { countedAs, isActive } from './run-cache.ts';
import type { TaskState, TerminalTaskState } from './states.ts';

/** One call of `advance` under way. */
export interface Step {
  readonly run: RunCache;
  readonly now: number;
  readonly decisions: Decision[];
  /** Tasks whose trigger rule may decide now. */
  readonly dirty: number[];
  /** Items of tasks in groups for which the rule may decide now. */
  readonly touched: { readonly taskIndex: number; readonly item: number }[];
}

/** `finally` tasks run after a stop, too; only a second stop, which comes while they run, is meant for them. */
export function isStopped(run: RunCache, taskIndex: number): boolean {
  return run.graph.tasks[taskIndex]?.final ? run.finalStopped : run.stopping !== null;
}

export function createInstance(run: RunCache, taskIndex: number, mapIndex: number): TaskInstance {
  const instance: TaskInstance = {
    taskIndex,
    mapIndex,
    state: 'none',
    number: 0,
    fence: 0,
    retriesUsed: 0,
    lost: 0,
    deferred: 0,
    attemptId: null,
    retryAt: null,
    gateClosed: false,
    mark: null,
  };
  run.tasks[taskIndex]?.instances.set(mapIndex, instance);
  return instance;
}

/** Says how many task runs a task has. Those that follow it in its group see those of one item each. */
export function setTotal(run: RunCache, taskIndex: number, total: number): void {
  const task = run.tasks[taskIndex];
  if (!task) return;
  for (const child of run.graph.tasks[taskIndex]?.beyond ?? []) {
    const up = run.tasks[child]?.up;
    if (up) up.total += total - task.total;
  }
  task.total = total;
}

/** Says how many task runs an item has of a task that fans out within its group. */
export function setItemTotal(run: RunCache, taskIndex: number, item: number, total: number): void {
  const task = run.tasks[taskIndex];
  const list = task?.chain?.inner?.lists.get(item);
  if (!task || !list) return;
  const more = total - list.total;
  list.total = total;
  setTotal(run, taskIndex, task.total + more);
  for (const child of run.graph.tasks[taskIndex]?.followers ?? []) {
    const chain = run.tasks[child]?.chain;
    if (chain) endsAt(chain, item).more += more;
  }
}

/** Counts a task run that has ended where its children look. */
export function countEnd(run: RunCache, instance: TaskInstance): void {
  const node = run.graph.tasks[instance.taskIndex];
  const chain = run.tasks[instance.taskIndex]?.chain;
  const counter = countedAs(instance);
  for (const child of node?.beyond ?? []) {
    const up = run.tasks[child]?.up;
    if (up) up[counter] += 1;
  }
  for (const child of node?.followers ?? []) {
    const task = run.tasks[child];
    if (!task?.chain) continue;
    if (chain?.asWhole) task.up[counter] += 1;
    else if (node) endsAt(task.chain, itemOf(node, instance.mapIndex))[counter] += 1;
  }
}

function endsAt(chain: Chain, item: number): EndsWithin {
  const known = chain.up.get(item) ?? { success: 0, failed: 0, skipped: 0, upstreamFailed: 0, more: 0 };
  chain.up.set(item, known);
  return known;
}

/** Ends a task as a whole before any of its task runs was tried; leaves one row that says why. */
export function endUntried(step: Step, taskIndex: number, state: TerminalTaskState, reason: string): void {
  const task = step.run.tasks[taskIndex];
  if (!task) return;
  setTotal(step.run, taskIndex, 1);
  task.mapKeys = [''];
  task.phase = 'open';
  if (task.chain) task.chain.asWhole = true;
  end(step, task.instances.get(0) ?? createInstance(step.run, taskIndex, 0), state, reason);
}

export function end(step: Step, instance: TaskInstance, state: TerminalTaskState, reason: string | null): void {
  const { run } = step;
  const task = run.tasks[instance.taskIndex];
  if (!task) return;
  run.timers.delete(instance);
  instance.retryAt = null;
  change(step, instance, state, reason);
  task.ended += 1;
  if (state === 'failed') task.failed += 1;
  countEnd(run, instance);
  step.dirty.push(...(run.graph.tasks[instance.taskIndex]?.beyond ?? []));
  if (task.chain) endInGroup(step, instance, task.chain);
  if (task.phase === 'open' && task.ended === task.total) finishTask(step, instance.taskIndex);
}

/** What follows within the group may decide now; with its last task an item gives its place to another one. */
function endInGroup(step: Step, { taskIndex, mapIndex }: TaskInstance, chain: Chain): void {
  const { run } = step;
  const node = run.graph.tasks[taskIndex];
  if (!node) return;
  const { asWhole } = chain;
  const item = itemOf(node, mapIndex);
  for (const open of [chain.preparing, chain.prepared]) open.delete(mapIndex);
  if (!chain.inner) chain.wanted.delete(item);
  for (const child of node.followers)
    if (asWhole) step.dirty.push(child);
    else step.touched.push({ taskIndex: child, item });
  const list = asWhole ? undefined : chain.inner?.lists.get(item);
  if (list && ++list.ended < list.total) return;
  if (!asWhole) return leaveItem(run, taskIndex, item);
  // Rebuilt, it may end as a whole while others of the group have begun.
  const progress = run.groups[node.group ?? -1];
  if (progress) for (const begun of [...progress.underWay.keys()]) leave(progress, begun);
}

/** A task has ended in an item of its group. */
export function leaveItem(run: RunCache, taskIndex: number, item: number): void {
  const group = run.graph.tasks[taskIndex]?.group ?? -1;
  const progress = run.groups[group];
  if (!progress || run.graph.groups[group]?.maxParallel === 0) return;
  progress.ended.set(item, (progress.ended.get(item) ?? 0) + 1);
  leave(progress, item);
}

function leave({ underWay }: GroupProgress, item: number): void {
  const left = underWay.get(item);
  if (left === undefined) return;
  if (left > 1) underWay.set(item, left - 1);
  else underWay.delete(item);
}

export function finishTask(step: Step, taskIndex: number): void {
  const { run } = step;
  const task = run.tasks[taskIndex];
  const node = run.graph.tasks[taskIndex];
  if (!task || !node || task.phase === 'done') return;
  task.phase = 'done';
  forgetOpen(task.chain);
  run.releasable.delete(taskIndex);
  if (node.final) run.openFinalTasks -= 1;
  else run.openTasks -= 1;
  if (task.failed > 0 && !node.caught) {
    if (node.final) run.finalFailed = true;
    else run.anyFailed = true;
  }
  for (const opened of node.opens)
    if (run.groups[opened]?.mapKeys === null) step.dirty.push(...(run.graph.groups[opened]?.members ?? []));
}

/** True: no task run of it begins any more. */
export function isClosed(task: TaskProgress): boolean {
  return task.phase === 'done' || task.nextToRelease === Number.MAX_SAFE_INTEGER;
}

/** Items and task runs of which nothing more will come. */
export function forgetOpen(chain: Chain | null): void {
  const { wanted, preparing, prepared, inner } = chain ?? {};
  for (const open of [wanted, preparing, prepared, inner?.asking, inner?.open]) open?.clear();
}

export function change(step: Step, instance: TaskInstance, to: TaskState, reason: string | null): void {
  const { run } = step;
  const task = run.tasks[instance.taskIndex];
  const from = instance.state;
  instance.state = to;
  const delta = Number(isActive(to)) - Number(isActive(from));
  run.active += delta;
  if (task) task.active += delta;
  step.decisions.push({
    kind: 'task-run',
    taskIndex: instance.taskIndex,
    mapIndex: instance.mapIndex,
    mapKey: mapKeyOf(run, instance),
    from,
    to,
    number: instance.number,
    fence: instance.fence,
    retriesUsed: instance.retriesUsed,
    lost: instance.lost,
    deferred: instance.deferred,
    retryAt: instance.retryAt,
    reason,
    gateClosed: instance.gateClosed,
  });
}

function mapKeyOf({ graph, tasks }: RunCache, { taskIndex, mapIndex }: TaskInstance): string {
  const node = graph.tasks[taskIndex];
  const task = tasks[taskIndex];
  const inner = task?.chain?.asWhole ? null : task?.chain?.inner;
  if (!node || !inner) return task?.mapKeys[mapIndex] ?? '';
  const item = itemOf(node, mapIndex);
  const key = task?.mapKeys[item] ?? '';
  const list = inner.lists.get(item);
  return list?.phase === 'whole' ? key : joinKeys(key, list?.mapKeys[innerOf(mapIndex)] ?? '');
}
