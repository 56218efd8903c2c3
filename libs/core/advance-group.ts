import type { Prepared } from './advance.ts';
import { unreachable } from './errors.ts';
import type { GroupNode } from './graph.ts';
import type { Chain, Ends, GroupProgress, RunCache, TaskProgress } from './run-cache.ts';
import { isTerminal } from './states.ts';
import type { TerminalTaskState } from './states.ts';
import { change, createInstance, end, endUntried, finishTask, isClosed, isStopped, setTotal } from './step.ts';
import type { Step } from './step.ts';
import { decideRule, type UpstreamCounts } from './trigger-rules.ts';

/*
 * Tasks that share a fan-out. Until the keys are known a task is one, whose rule sees what is upstream; when they are, all
 * tasks of the group are fanned out at once, and each map index has the rule decide for itself: over what is upstream
 * outside the group, and over the same map index of what is upstream within.
 */

/** Takes up what a rebuilt cache holds: groups whose map indexes have begun need their keys, those that wait are asked again. */
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

/** Lets the rule of a task in a group decide: for the task, or for all map indexes that it concerns. */
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
  // Rebuilt, and the keys are not known again yet.
  if (run.groups[groupIndex]?.mapKeys === null) return;
  switch (verdict) {
    case 'wait':
      for (const mapIndex of chain.up.keys()) decideIndex(step, taskIndex, mapIndex);
      return;
    case 'run':
      chain.all = true;
      run.releasable.add(taskIndex);
      return;
    case 'skipped':
    case 'upstream_failed':
      for (let mapIndex = 0; mapIndex < task.total; mapIndex++) decideIndex(step, taskIndex, mapIndex);
      return;
    default:
      unreachable(verdict);
  }
}

/** Lets the rule decide about one map index. */
export function decideIndex(step: Step, taskIndex: number, mapIndex: number): void {
  const { run } = step;
  const node = run.graph.tasks[taskIndex];
  const task = run.tasks[taskIndex];
  const chain = task?.chain;
  if (!node || !task || !chain || task.phase !== 'open' || isClosed(task) || isStopped(run, taskIndex)) return;
  if (run.groups[node.group ?? -1]?.mapKeys === null || !isUndecided(task, chain, mapIndex)) return;
  const verdict = decideRule(node.when, together(task.up, chain.up.get(mapIndex)));
  if (verdict === 'wait') return;
  if (verdict !== 'run') return endIndex(step, taskIndex, mapIndex, verdict, unmet(node.when));
  chain.wanted.add(mapIndex);
  run.releasable.add(taskIndex);
}

function together(up: UpstreamCounts, within: Ends | undefined): UpstreamCounts {
  if (within === undefined) return up;
  return {
    total: up.total,
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
      setTotal(run, member, task.instances.size);
      askAgain(step, member);
      if (task.ended === task.total) finishTask(step, member);
    }
  }
}

/** The answer to the preparation of one map index. */
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

/** Begins map indexes of a task in a group, and makes prepared ones ready, as far as the limits allow. */
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
  while (task.active + chain.preparing.size + chain.prepared.size < parallel) {
    if (!node.needsPreparation && run.active >= limit) break;
    const mapIndex = nextOf(task, chain, group, progress);
    if (mapIndex === null) break;
    begin(run, group, progress, mapIndex);
    if (node.needsPreparation) {
      chain.preparing.add(mapIndex);
      step.decisions.push({ kind: 'prepare', taskIndex, mapIndex });
    } else change(step, createInstance(run, taskIndex, mapIndex), 'ready', null);
  }
  if (chain.prepared.size === 0 && chain.wanted.size === 0 && !(chain.all && task.nextToRelease < task.total))
    run.releasable.delete(taskIndex);
}

/** The next map index that may begin, taken out of those that want to; null: there is none now. */
function nextOf(task: TaskProgress, chain: Chain, group: GroupNode, progress: GroupProgress): number | null {
  const take = (mapIndex: number): number => {
    chain.wanted.delete(mapIndex);
    return mapIndex;
  };
  if (group.maxParallel > 0 && progress.underWay.size >= group.maxParallel) {
    // No other one may begin; those that are under way go on.
    for (const mapIndex of progress.underWay.keys())
      if (chain.wanted.has(mapIndex) || (chain.all && isUndecided(task, chain, mapIndex))) return take(mapIndex);
    return null;
  }
  const [wanted] = chain.wanted;
  if (wanted !== undefined) return take(wanted);
  while (chain.all && task.nextToRelease < task.total) {
    const mapIndex = task.nextToRelease++;
    if (isUndecided(task, chain, mapIndex)) return mapIndex;
  }
  return null;
}

function begin(run: RunCache, group: GroupNode, progress: GroupProgress, mapIndex: number): void {
  if (group.maxParallel === 0 || progress.underWay.has(mapIndex)) return;
  progress.underWay.set(mapIndex, chainsOf(run, group) - (progress.ended.get(mapIndex) ?? 0));
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
    setTotal(run, member, mapKeys.length);
    task.mapKeys = mapKeys;
    task.phase = 'open';
    askAgain(step, member);
    step.dirty.push(member);
    if (task.ended < task.total) continue;
    step.dirty.push(...(run.graph.tasks[member]?.beyond ?? []));
    finishTask(step, member);
  }
}

/** Rebuilt: what waits is looked at once more. */
function askAgain({ run, decisions }: Step, taskIndex: number): void {
  for (const mapIndex of run.tasks[taskIndex]?.chain?.preparing ?? [])
    decisions.push({ kind: 'prepare', taskIndex, mapIndex });
}

/** True: nothing was decided about this map index. */
function isUndecided(task: TaskProgress, chain: Chain, mapIndex: number): boolean {
  return !(
    task.instances.has(mapIndex) ||
    chain.wanted.has(mapIndex) ||
    chain.preparing.has(mapIndex) ||
    chain.prepared.has(mapIndex)
  );
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
