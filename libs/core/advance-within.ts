import type { Prepared } from './advance.ts';
import type { GroupNode } from './graph.ts';
import { firstOf } from './map-index.ts';
import type { GroupProgress, InnerList, TaskProgress } from './run-cache.ts';
import type { TerminalTaskState } from './states.ts';
import { isTerminal } from './states.ts';
import type { Step } from './step.ts';
import { createInstance, end, finishTask, leaveItem, setItemTotal } from './step.ts';

/*
 * A task in a group that fans out once more: what is one task run elsewhere is, for each item of the group, a list of its
 * own, known when the rule says run for that item. Until then the item counts as one; if it never becomes known, one task
 * run stands for it.
 */

/** Begins an item for which the rule says run. */
export function openItem(step: Step, taskIndex: number, item: number): void {
  const inner = step.run.tasks[taskIndex]?.chain?.inner;
  const known = step.run.graph.tasks[taskIndex]?.inner?.mapKeys ?? null;
  if (!inner) return;
  const list: InnerList = { mapKeys: [], phase: 'unknown', total: 1, ended: 0, next: 0 };
  inner.lists.set(item, list);
  if (known === null) askForList(step, taskIndex, item);
  else knowList(step, taskIndex, item, list, known);
}

/** Rebuilt: lists of items that have begun are asked for once more. */
export function askForLists(step: Step, taskIndex: number): void {
  const inner = step.run.tasks[taskIndex]?.chain?.inner;
  for (const [item, { phase }] of inner?.lists ?? [])
    if (phase === 'unknown' && !inner?.asking.has(item)) askForList(step, taskIndex, item);
}

function askForList(step: Step, taskIndex: number, item: number): void {
  step.run.tasks[taskIndex]?.chain?.inner?.asking.add(item);
  step.decisions.push({ kind: 'prepare', taskIndex, item });
}

/** The answer to what the task runs of one item have in common. */
export function applyListPrepared(step: Step, taskIndex: number, item: number, result: Prepared): void {
  const inner = step.run.tasks[taskIndex]?.chain?.inner;
  const list = inner?.lists.get(item);
  if (!inner?.asking.has(item) || !list || result.kind === 'waiting') return;
  inner.asking.delete(item);
  step.run.releasable.add(taskIndex);
  if (result.kind === 'ready') return knowList(step, taskIndex, item, list, result.mapKeys ?? []);
  // Rebuilt, and the list cannot be worked out again: it ends with the task runs that it has.
  if (hasBegun(list)) return closeList(step, taskIndex, item, list);
  const state = result.kind === 'skip' ? 'skipped' : result.kind === 'done' ? 'success' : 'failed';
  endItem(step, taskIndex, item, state, result.reason);
}

function knowList(step: Step, taskIndex: number, item: number, list: InnerList, mapKeys: readonly string[]): void {
  if (mapKeys.length === 0 && !hasBegun(list))
    return endItem(step, taskIndex, item, 'skipped', 'its fan-out has no items here');
  const total = Math.max(mapKeys.length, list.total - 1);
  list.mapKeys = mapKeys;
  list.phase = 'known';
  step.run.tasks[taskIndex]?.chain?.inner?.open.add(item);
  setKnown(step, taskIndex, item, list, total);
}

/** Nothing more of the item begins. */
function closeList(step: Step, taskIndex: number, item: number, list: InnerList): void {
  list.phase = 'known';
  list.next = list.total;
  setKnown(step, taskIndex, item, list, list.total - 1);
}

/** True: of a list that is not known again there are task runs. */
function hasBegun({ total }: InnerList): boolean {
  return total > 1;
}

function setKnown(step: Step, taskIndex: number, item: number, list: InnerList, total: number): void {
  const { run } = step;
  const node = run.graph.tasks[taskIndex];
  const task = run.tasks[taskIndex];
  setItemTotal(run, taskIndex, item, total);
  if (!node || !task || list.ended === 0) return;
  // Rebuilt: what ended was counted before the total was known.
  step.dirty.push(...node.beyond);
  for (const child of node.followers) step.touched.push({ taskIndex: child, item });
  if (list.ended < list.total) return;
  leaveItem(run, taskIndex, item);
  if (task.phase === 'open' && task.ended === task.total) finishTask(step, taskIndex);
}

/** Ends an item untried; of one that would have a list of its own, one task run says so. */
export function endItem(
  step: Step,
  taskIndex: number,
  item: number,
  state: TerminalTaskState,
  reason: string | null,
): void {
  const { run } = step;
  const node = run.graph.tasks[taskIndex];
  const task = run.tasks[taskIndex];
  if (!node || !task) return;
  task.chain?.wanted.delete(item);
  task.chain?.inner?.asking.delete(item);
  task.chain?.inner?.lists.set(item, { mapKeys: [], phase: 'whole', total: 1, ended: 0, next: 1 });
  const mapIndex = firstOf(node, item);
  const known = task.instances.get(mapIndex);
  if (known && isTerminal(known.state)) return;
  end(step, known ?? createInstance(run, taskIndex, mapIndex), state, reason);
}

/** The next task run that may begin of the items that are open; null: there is none now. */
export function nextWithin(
  step: Step,
  taskIndex: number,
  group: GroupNode,
  { underWay }: GroupProgress,
): number | null {
  const node = step.run.graph.tasks[taskIndex];
  const task = step.run.tasks[taskIndex];
  const inner = task?.chain?.inner;
  if (!node || !task || !inner) return null;
  for (const item of inner.open) {
    const list = inner.lists.get(item);
    const mayBegin = group.maxParallel === 0 || underWay.has(item) || underWay.size < group.maxParallel;
    if (!list || !mayBegin) continue;
    while (list.next < list.total) {
      const mapIndex = firstOf(node, item) + list.next++;
      if (!task.instances.has(mapIndex)) return mapIndex;
    }
    inner.open.delete(item);
  }
  return null;
}

/** Ends every item of a task; `isKnown`: those that have no task run yet as well. */
export function endItems(
  step: Step,
  taskIndex: number,
  isKnown: boolean,
  state: TerminalTaskState,
  reason: string,
): void {
  const { run } = step;
  const node = run.graph.tasks[taskIndex];
  const task = run.tasks[taskIndex];
  const inner = task?.chain?.inner;
  if (!node || !task || !inner) return;
  const items = isKnown ? task.mapKeys.keys() : inner.lists.keys();
  for (const item of [...items]) {
    const list = inner.lists.get(item);
    inner.asking.delete(item);
    if (list === undefined || (list.phase === 'unknown' && !hasBegun(list)))
      endItem(step, taskIndex, item, state, reason);
    else if (list.phase === 'unknown') closeList(step, taskIndex, item, list);
    else if (list.phase === 'known') createRest(step, taskIndex, task, firstOf(node, item), list);
  }
  for (const instance of [...task.instances.values()])
    if (instance.attemptId === null && !isTerminal(instance.state)) end(step, instance, state, reason);
}

function createRest({ run }: Step, taskIndex: number, task: TaskProgress, first: number, list: InnerList): void {
  for (let mapIndex = first; mapIndex < first + list.total; mapIndex++)
    if (!task.instances.has(mapIndex)) createInstance(run, taskIndex, mapIndex);
  list.next = list.total;
}

/** Rebuilt, and the group's items are not known again: each ends with the task runs that it has. */
export function closeLists(step: Step, taskIndex: number): void {
  const inner = step.run.tasks[taskIndex]?.chain?.inner;
  for (const [item, list] of inner?.lists ?? []) if (list.phase === 'unknown') closeList(step, taskIndex, item, list);
}
