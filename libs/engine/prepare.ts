import type { Prepared, Resources } from '#core';
import type { CacheSources } from './cache/find-cached.ts';
import { findCached } from './cache/find-cached.ts';
import type { OwnedRun, PreparedPlace } from './owned-run.ts';
import { isChained } from './owned-run.ts';
import { pinInputs } from './pin-inputs.ts';
import { prepareEach, prepareGroup, prepareList } from './prepare-group.ts';
import type { Pipelines } from './ports.ts';
import { taskScope } from './scope.ts';
import { conditionVerdict, expandFanOut, limitProblem } from './task-verdicts.ts';
import { preparePast } from './waits/prepare-past.ts';
import { prepareWait, waitBodyOf } from './waits/prepare-wait.ts';

export interface PrepareSources extends CacheSources {
  /** What attempts together may take where they run. Absent: others decide where that is. */
  readonly machine?: Resources;
}

/**
 * Answers a `prepare` decision: pool, resources, condition, past, inputs, fan-out, cache, in this order; what it finds is remembered in
 * `run.prepared` for the assignments. Never throws for an author's mistake: that fails the task with the reason.
 */
export async function prepareTask(
  sources: PrepareSources,
  pipelines: Pipelines,
  run: OwnedRun,
  { taskIndex, mapIndex, item }: PreparedPlace,
  now: number,
): Promise<Prepared> {
  const task = run.plan.pipeline.tasks[taskIndex];
  if (!task) return { kind: 'fail', reason: `the release has no task number ${taskIndex}` };
  if (mapIndex !== undefined) return prepareEach(sources, pipelines, run, { taskIndex, mapIndex, task }, now);
  if (item !== undefined) return prepareList(run, taskIndex, item, task);
  if (isChained(run, taskIndex)) return prepareGroup(run, taskIndex, task);
  const waits = waitBodyOf(task) !== null;
  const limit = waits ? null : limitProblem(task, run, sources.machine ?? {});
  if (limit !== null) return { kind: 'fail', reason: limit };
  const held = conditionVerdict(task, () => taskScope(run, taskIndex, null));
  if (held !== null) return held;
  const past = await preparePast(sources.store, run, { taskIndex, mapIndex: null, task }, now);
  if (past.kind === 'waiting') return past;
  const { hasWaited: anew } = past;
  if (waits) {
    const own = await prepareWait(sources.store, run, { taskIndex, mapIndex: null, task }, now);
    return own.kind === 'waiting' ? { ...own, heard: true, anew } : own;
  }
  const pinned = await pinInputs(sources.store, pipelines, run, taskIndex, null);
  if (pinned.kind === 'waiting') return { kind: 'waiting', reason: pinned.reason, anew };
  if (pinned.kind === 'missing') return { kind: 'fail', reason: pinned.reason };
  const fanOut = expandFanOut(task, run, taskIndex);
  if (!fanOut.ok) return { kind: 'fail', reason: fanOut.message };
  const prepared = { inputs: pinned.inputs, items: fanOut.items };
  run.prepared.set(taskIndex, prepared);
  const cache = await findCached(sources, run, taskIndex, (fanOut.items ?? [null]).keys());
  if (cache.size > 0) run.prepared.set(taskIndex, { ...prepared, cache });
  const cached = new Set([...cache].flatMap(([mapIndex, { result }]) => (result === null ? [] : [mapIndex])));
  return { kind: 'ready', mapKeys: fanOut.items?.map((item) => item.key) ?? null, cached };
}
