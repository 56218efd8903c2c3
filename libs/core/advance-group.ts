import type { Prepared } from './advance.ts';
import { askForLists, closeLists, endItem, nextWithin, openItem } from './advance-within.ts';
import { unreachable } from './errors.ts';
import type { GroupNode } from './graph.ts';
import { itemOf } from './map-index.ts';
import type { Chain, EndsWithin, GroupProgress, RunCache, TaskProgress } from './run-cache.ts';
import { isTerminal } from './states.ts';
import type { TerminalTaskState } from './states.ts';
import { change, createInstance, end, endUntried, finishTask, isClosed, isStopped, setTotal } from './step.ts';
import type { Step } from './step.ts';
import { decideRule, type UpstreamCounts } from './trigger-rules.ts';

/*
 * Tasks that share a fan-out. Until the keys are known a task is one, whose rule sees what is upstream; when they are, all
 * tasks of the group are fanned out at once, and each item has the rule decide for itself: over what is upstream outside
 * the group, and over the same item of what is upstream within. An item of a task is one task run, or several: see
 * `advance-within.ts`.
 */

/** Takes up what a rebuilt cache holds: groups whose items have begun need their keys, those that wait are asked again. */
export function resume(step: Step): void {
  const { run } = step;
  for (const [index, group] of run.graph.groups.entries()) {
    const begun = group.members.find((member) => {
      const task = run.tasks[member];
      return task?.chain?.asWhole === false && task.instances.size > 0;
    });
    if (begun === undefined) continue;
    if (group.mapKeys !== null) openGroup(step, index, group.mapKeys);
    else askForKeys(step, index, begun);
  }
}

/** Lets the rule of a task in a group decide: for the task, or for all items that it concerns. */
export function decideMember(step: Step, taskIndex: number): void {
  const { run } = step;
  const node = run.graph.tasks[taskIndex];
  const task = run.tasks[taskIndex];
  const chain = task?.chain;
  const groupIndex = node?.group ?? -1;
  const group = run.graph.groups[groupIndex];
  if (!node || !task || !chain || !group || isClosed(task)) return;
  if (isStopped(run, taskIndex))
    return task.phase === 'blocked' ? endUntried(step, taskIndex, 'cancelled', 'the run was stopped') : undefined;
  const verdict = decideRule(node.when, task.up);
  if (task.phase === 'blocked') {
    if (verdict === 'skipped' || verdict === 'upstream_failed') endUntried(step, taskIndex, verdict, unmet(node.when));
    else if (verdict === 'run') wantKeys(step, groupIndex, group, taskIndex);
    return;
  }
  const mapKeys = run.groups[groupIndex]?.mapKeys ?? null;
  // Rebuilt, and they are not known again yet.
  if (mapKeys === null) return;
  switch (verdict) {
    case 'wait':
      for (const item of chain.up.keys()) decideItem(step, taskIndex, item);
      return;
    case 'run':
      chain.all = true;
      run.releasable.add(taskIndex);
      return;
    case 'skipped':
    case 'upstream_failed':
      for (let item = 0; item < mapKeys.length; item++) decideItem(step, taskIndex, item);
      return;
    default:
      unreachable(verdict);
  }
}

/** Lets the rule decide about one item. */
export function decideItem(step: Step, taskIndex: number, item: number): void {
  const { run } = step;
  const node = run.graph.tasks[taskIndex];
  const task = run.tasks[taskIndex];
  const chain = task?.chain;
  if (!node || !task || !chain || task.phase !== 'open' || isClosed(task) || isStopped(run, taskIndex)) return;
  if (run.groups[node.group ?? -1]?.mapKeys === null || !isUndecided(task, chain, item)) return;
  const verdict = decideRule(node.when, together(task.up, chain.up.get(item)));
  if (verdict === 'wait') return;
  if (verdict !== 'run') return endItem(step, taskIndex, item, verdict, unmet(node.when));
  chain.wanted.add(item);
  run.releasable.add(taskIndex);
}

function together(up: UpstreamCounts, within: EndsWithin | undefined): UpstreamCounts {
  if (within === undefined) return up;
  return {
    total: up.total + within.more,
    success: up.success + within.success,
    failed: up.failed + within.failed,
    skipped: up.skipped + within.skipped,
    upstreamFailed: up.upstreamFailed + within.upstreamFailed,
  };
}

/** The answer to what a group has in common. */
export function applyGroupPrepared(step: Step, taskIndex: number, result: Prepared): void {
  const { run } = step;
  const groupIndex = run.graph.tasks[taskIndex]?.group ?? -1;
  const progress = run.groups[groupIndex];
  const group = run.graph.groups[groupIndex];
  if (!progress?.asking || !group) return;
  progress.asking = false;
  if (run.stopping !== null) return;
  if (result.kind === 'ready') return openGroup(step, groupIndex, result.mapKeys ?? []);
  const state = result.kind === 'skip' ? 'skipped' : result.kind === 'done' ? 'success' : 'failed';
  for (const member of group.members) {
    const task = run.tasks[member];
    if (!task || isClosed(task)) continue;
    // The others ask for themselves, or have their rules decide from how this one ended.
    if (task.instances.size === 0 && member !== taskIndex) step.dirty.push(member);
    else if (task.instances.size === 0) endUntried(step, member, state, result.reason);
    else {
      // Rebuilt, and the keys cannot be worked out again: it ends with the task runs that it has.
      closeLists(step, member);
      setTotal(run, member, task.instances.size);
      askAgain(step, member);
      if (task.ended === task.total) finishTask(step, member);
    }
  }
}

/** The answer to the preparation of one task run. */
export function applyIndexPrepared(step: Step, taskIndex: number, mapIndex: number, result: Prepared): void {
  const { run } = step;
  const task = run.tasks[taskIndex];
  const chain = task?.chain;
  if (!chain?.preparing.has(mapIndex)) return;
  if (result.kind === 'waiting') {
    const known = task?.instances.get(mapIndex);
    if (known === undefined || result.anew === true)
      change(step, known ?? createInstance(run, taskIndex, mapIndex), 'waiting', result.reason);
    return;
  }
  chain.preparing.delete(mapIndex);
  switch (result.kind) {
    case 'ready':
      if (result.cached?.has(mapIndex)) return endIndex(step, taskIndex, mapIndex, 'success', null);
      chain.prepared.add(mapIndex);
      run.releasable.add(taskIndex);
      return;
    case 'done':
      return endIndex(step, taskIndex, mapIndex, 'success', result.reason);
    case 'skip':
      return endIndex(step, taskIndex, mapIndex, 'skipped', result.reason);
    case 'fail':
      return endIndex(step, taskIndex, mapIndex, 'failed', result.reason);
    default:
      unreachable(result);
  }
}

/** Begins task runs of a task in a group, and makes prepared ones ready, as far as the limits allow. */
export function releaseMember(step: Step, taskIndex: number): void {
  const { run } = step;
  const node = run.graph.tasks[taskIndex];
  const task = run.tasks[taskIndex];
  const chain = task?.chain;
  const group = run.graph.groups[node?.group ?? -1];
  const progress = run.groups[node?.group ?? -1];
  if (!node || !task || !chain || !group || !progress) return;
  const limit = run.graph.maxActiveTasks || Number.MAX_SAFE_INTEGER;
  const parallel = node.maxParallel || Number.MAX_SAFE_INTEGER;
  for (const mapIndex of chain.prepared) {
    if (run.active >= limit) break;
    chain.prepared.delete(mapIndex);
    change(step, task.instances.get(mapIndex) ?? createInstance(run, taskIndex, mapIndex), 'ready', null);
  }
  const items = progress.mapKeys?.length ?? 0;
  const asking = chain.inner?.asking;
  while (task.active + chain.preparing.size + chain.prepared.size + (asking?.size ?? 0) < parallel) {
    if (!node.needsPreparation && run.active >= limit) break;
    const within = nextWithin(step, taskIndex, group, progress);
    const item = within === null ? nextOf(task, chain, group, progress, items) : itemOf(node, within);
    if (item === null) break;
    begin(run, group, progress, item);
    if (chain.inner && within === null) {
      openItem(step, taskIndex, item);
      continue;
    }
    const mapIndex = within ?? item;
    if (node.needsPreparation) {
      chain.preparing.add(mapIndex);
      step.decisions.push({ kind: 'prepare', taskIndex, mapIndex });
    } else change(step, createInstance(run, taskIndex, mapIndex), 'ready', null);
  }
  const isLeft = chain.all && task.nextToRelease < items;
  if (chain.prepared.size + chain.wanted.size + (chain.inner?.open.size ?? 0) === 0 && !isLeft)
    run.releasable.delete(taskIndex);
}

/** The next item that may begin, taken out of those that want to; null: there is none now. */
function nextOf(
  task: TaskProgress,
  chain: Chain,
  group: GroupNode,
  progress: GroupProgress,
  items: number,
): number | null {
  const take = (item: number): number => {
    chain.wanted.delete(item);
    return item;
  };
  if (group.maxParallel > 0 && progress.underWay.size >= group.maxParallel) {
    // No other one may begin; those that are under way go on.
    for (const item of progress.underWay.keys())
      if (chain.wanted.has(item) || (chain.all && isUndecided(task, chain, item))) return take(item);
    return null;
  }
  const [wanted] = chain.wanted;
  if (wanted !== undefined) return take(wanted);
  while (chain.all && task.nextToRelease < items) {
    const item = task.nextToRelease++;
    if (isUndecided(task, chain, item)) return item;
  }
  return null;
}

function begin(run: RunCache, group: GroupNode, progress: GroupProgress, item: number): void {
  if (group.maxParallel === 0 || progress.underWay.has(item)) return;
  progress.underWay.set(item, chainsOf(run, group) - (progress.ended.get(item) ?? 0));
}

/** Tasks of a group that did not end as a whole. */
export function chainsOf(run: RunCache, { members }: GroupNode): number {
  return members.filter((member) => run.tasks[member]?.chain?.asWhole === false).length;
}

function wantKeys(step: Step, groupIndex: number, group: GroupNode, taskIndex: number): void {
  const { run } = step;
  const progress = run.groups[groupIndex];
  if (group.mapKeys !== null) return openGroup(step, groupIndex, group.mapKeys);
  const isAsked = progress?.asking === true;
  const isEarly = group.upstream.some((parent) => run.tasks[parent]?.phase !== 'done');
  if (!isAsked && !isEarly) askForKeys(step, groupIndex, taskIndex);
}

function askForKeys(step: Step, groupIndex: number, taskIndex: number): void {
  const progress = step.run.groups[groupIndex];
  if (progress) progress.asking = true;
  step.decisions.push({ kind: 'prepare', taskIndex });
}

/** Makes the task runs of all tasks of a group known that have not ended as a whole. */
function openGroup(step: Step, groupIndex: number, mapKeys: readonly string[]): void {
  const { run } = step;
  const progress = run.groups[groupIndex];
  const group = run.graph.groups[groupIndex];
  // After a stop nothing new becomes known.
  if (!progress || !group || progress.mapKeys !== null || run.stopping !== null) return;
  progress.mapKeys = mapKeys;
  for (const member of group.members) {
    const task = run.tasks[member];
    if (!task?.chain || isClosed(task)) continue;
    if (mapKeys.length === 0) {
      endUntried(step, member, 'skipped', `the fan-out of ${group.id} has no items`);
      continue;
    }
    const lists = [...(task.chain.inner?.lists.values() ?? [])];
    setTotal(run, member, mapKeys.length + lists.reduce((more, { total }) => more + total - 1, 0));
    task.mapKeys = mapKeys;
    task.phase = 'open';
    if (lists.length > 0) run.releasable.add(member);
    askAgain(step, member);
    step.dirty.push(member);
    if (task.ended < task.total) continue;
    step.dirty.push(...(run.graph.tasks[member]?.beyond ?? []));
    finishTask(step, member);
  }
}

/** Rebuilt: what waits is looked at once more. */
function askAgain(step: Step, taskIndex: number): void {
  for (const mapIndex of step.run.tasks[taskIndex]?.chain?.preparing ?? [])
    step.decisions.push({ kind: 'prepare', taskIndex, mapIndex });
  askForLists(step, taskIndex);
}

/** True: nothing was decided about this item. */
function isUndecided(task: TaskProgress, { wanted, preparing, prepared, inner }: Chain, item: number): boolean {
  if (wanted.has(item)) return false;
  return inner ? !inner.lists.has(item) : !(task.instances.has(item) || preparing.has(item) || prepared.has(item));
}

function endIndex(
  step: Step,
  taskIndex: number,
  mapIndex: number,
  state: TerminalTaskState,
  reason: string | null,
): void {
  const known = step.run.tasks[taskIndex]?.instances.get(mapIndex);
  if (known && isTerminal(known.state)) return;
  end(step, known ?? createInstance(step.run, taskIndex, mapIndex), state, reason);
}

function unmet(rule: string): string {
  return `its rule \`${rule}\` cannot be met by how its upstream tasks ended`;
}
