import type { CompiledTask, Prepared } from '#core';
import { findCached } from './cache/find-cached.ts';
import type { OwnedRun } from './owned-run.ts';
import { rememberEach, rememberList } from './owned-run.ts';
import { pinInputs } from './pin-inputs.ts';
import type { Pipelines } from './ports.ts';
import type { PrepareSources } from './prepare.ts';
import { itemScope, taskScope } from './scope.ts';
import { conditionVerdict, expandFanOut, expandList, limitProblem } from './task-verdicts.ts';
import { preparePast } from './waits/prepare-past.ts';
import { prepareWait, waitBodyOf } from './waits/prepare-wait.ts';

/** Answers for all tasks of a group what they have in common: their fan-out. One that fans out alone has its condition here, too. */
export function prepareGroup(run: OwnedRun, taskIndex: number, task: CompiledTask): Prepared {
  const held = task.group === undefined ? conditionVerdict(task, () => taskScope(run, taskIndex, null)) : null;
  if (held !== null) return held;
  const fanOut = expandFanOut(task, run, taskIndex);
  if (!fanOut.ok) return { kind: 'fail', reason: fanOut.message };
  const { graph } = run.plan;
  for (const member of graph.groups[graph.tasks[taskIndex]?.group ?? -1]?.members ?? [])
    run.prepared.set(member, { inputs: [], ...run.prepared.get(member), items: fanOut.items });
  return { kind: 'ready', mapKeys: fanOut.items?.map((item) => item.key) ?? [] };
}

/** Answers for what the task runs of one item have in common that its task fans out into: condition and list. */
export function prepareList(run: OwnedRun, taskIndex: number, item: number, task: CompiledTask): Prepared {
  if (task.inner === undefined) return { kind: 'fail', reason: 'it has no matrix of its own' };
  const scope = itemScope(run, taskIndex, item);
  const held = conditionVerdict(task, () => scope);
  if (held !== null) return held;
  const list = expandList(task.inner.matrix, task.inner.maxFanout, scope);
  if (!list.ok) return { kind: 'fail', reason: list.message };
  rememberList(run, taskIndex, item, list.items);
  return { kind: 'ready', mapKeys: list.items.map(({ key }) => key) };
}

/** Answers for one task run in a group what `prepareTask` answers for a task. */
export async function prepareEach(
  sources: PrepareSources,
  pipelines: Pipelines,
  run: OwnedRun,
  about: { readonly taskIndex: number; readonly mapIndex: number; readonly task: CompiledTask },
  now: number,
): Promise<Prepared> {
  const { taskIndex, mapIndex, task } = about;
  const waits = waitBodyOf(task) !== null;
  const limit = waits ? null : limitProblem(task, run, sources.machine ?? {});
  if (limit !== null) return { kind: 'fail', reason: limit };
  const isAsked = task.group !== undefined && task.inner === undefined;
  const held = isAsked ? conditionVerdict(task, () => taskScope(run, taskIndex, mapIndex)) : null;
  if (held !== null) return held;
  const past = await preparePast(sources.store, run, about, now);
  if (past.kind === 'waiting') return past;
  const { hasWaited: anew } = past;
  if (waits) {
    const own = await prepareWait(sources.store, run, about, now);
    return own.kind === 'waiting' ? { ...own, heard: true, anew } : own;
  }
  const pinned = await pinInputs(sources.store, pipelines, run, taskIndex, mapIndex);
  if (pinned.kind === 'waiting') return { kind: 'waiting', reason: pinned.reason, anew };
  if (pinned.kind === 'missing') return { kind: 'fail', reason: pinned.reason };
  const { inputs } = pinned;
  rememberEach(run, taskIndex, mapIndex, { inputs });
  const cache = (await findCached(sources, run, taskIndex, [mapIndex])).get(mapIndex);
  if (cache === undefined) return { kind: 'ready', mapKeys: null };
  rememberEach(run, taskIndex, mapIndex, { inputs, cache });
  return { kind: 'ready', mapKeys: null, cached: new Set(cache.result === null ? [] : [mapIndex]) };
}
