import type { CompiledTask, Prepared } from '#core';
import { findCached } from './cache/find-cached.ts';
import type { OwnedRun } from './owned-run.ts';
import { rememberEach } from './owned-run.ts';
import { pinInputs } from './pin-inputs.ts';
import type { Pipelines } from './ports.ts';
import type { PrepareSources } from './prepare.ts';
import { conditionVerdict, expandFanOut, limitProblem } from './task-verdicts.ts';
import { preparePast } from './waits/prepare-past.ts';
import { prepareWait, waitBodyOf } from './waits/prepare-wait.ts';

/** Answers for all tasks of a group what they have in common: their fan-out. One that fans out alone has its condition here, too. */
export function prepareGroup(run: OwnedRun, taskIndex: number, task: CompiledTask): Prepared {
  const held = task.group === undefined ? conditionVerdict(task, run, taskIndex, null) : null;
  if (held !== null) return held;
  const fanOut = expandFanOut(task, run, taskIndex);
  if (!fanOut.ok) return { kind: 'fail', reason: fanOut.message };
  const { graph } = run.plan;
  for (const member of graph.groups[graph.tasks[taskIndex]?.group ?? -1]?.members ?? [])
    run.prepared.set(member, { inputs: [], ...run.prepared.get(member), items: fanOut.items });
  return { kind: 'ready', mapKeys: fanOut.items?.map((item) => item.key) ?? [] };
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
  const held = task.group === undefined ? null : conditionVerdict(task, run, taskIndex, mapIndex);
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
