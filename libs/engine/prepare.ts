import type { CompiledTask, Prepared, Resources } from '#core';
import { exceedsMachine, missingPool, neverFits } from '#core';
import { evaluate, expandMatrix } from '#dag';
import type { CacheSources } from './cache/find-cached.ts';
import { findCached } from './cache/find-cached.ts';
import type { MapItem } from './graph-of.ts';
import type { OwnedRun } from './owned-run.ts';
import { pinInputs } from './pin-inputs.ts';
import type { Pipelines } from './ports.ts';
import { taskScope } from './scope.ts';
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
  taskIndex: number,
  now: number,
): Promise<Prepared> {
  const task = run.plan.pipeline.tasks[taskIndex];
  if (!task) return { kind: 'fail', reason: `the release has no task number ${taskIndex}` };
  const waits = waitBodyOf(task) !== null;
  const limit = waits ? null : limitProblem(task, run, sources.machine ?? {});
  if (limit !== null) return { kind: 'fail', reason: limit };
  const held = conditionVerdict(task, run);
  if (held !== null) return held;
  const past = await preparePast(sources.store, run, taskIndex, task, now);
  if (past.kind === 'waiting') return past;
  const { hasWaited: anew } = past;
  if (waits) {
    const own = await prepareWait(sources.store, run, taskIndex, task, now);
    return own.kind === 'waiting' ? { ...own, heard: true, anew } : own;
  }
  const pinned = await pinInputs(sources.store, pipelines, run, task);
  if (pinned.kind === 'waiting') return { kind: 'waiting', reason: pinned.reason, anew };
  if (pinned.kind === 'missing') return { kind: 'fail', reason: pinned.reason };
  const fanOut = expandFanOut(task, run, taskIndex);
  if (!fanOut.ok) return { kind: 'fail', reason: fanOut.message };
  const prepared = { inputs: pinned.inputs, items: fanOut.items };
  run.prepared.set(taskIndex, prepared);
  const cache = await findCached(sources, run, taskIndex, fanOut.items?.length ?? 1);
  if (cache.size > 0) run.prepared.set(taskIndex, { ...prepared, cache });
  const cached = new Set([...cache].flatMap(([mapIndex, { result }]) => (result === null ? [] : [mapIndex])));
  return { kind: 'ready', mapKeys: fanOut.items?.map((item) => item.key) ?? null, cached };
}

/** Null: there is no condition, or it holds. */
function conditionVerdict({ condition }: CompiledTask, run: OwnedRun): Prepared | null {
  if (condition === null) return null;
  const verdict = evaluate(condition, taskScope(run, null));
  if (!verdict.ok)
    return { kind: 'fail', reason: `its condition \`${condition}\` cannot be evaluated: ${verdict.message}` };
  if (typeof verdict.value !== 'boolean')
    return {
      kind: 'fail',
      reason: `its condition \`${condition}\` gave ${JSON.stringify(verdict.value)}; true or false was expected`,
    };
  return verdict.value ? null : { kind: 'skip', reason: `its condition \`${condition}\` is false` };
}

/** What would wait for ever says so instead. */
function limitProblem(task: CompiledTask, { environment: { config } }: OwnedRun, machine: Resources): string | null {
  return missingPool(task, config) ?? neverFits(task, config) ?? exceedsMachine(task.resources ?? {}, machine);
}

function expandFanOut(
  task: CompiledTask,
  run: OwnedRun,
  taskIndex: number,
): { ok: true; items: readonly MapItem[] | null } | { ok: false; message: string } {
  if (task.matrix === null) return { ok: true, items: null };
  const literal = run.plan.literalItems[taskIndex];
  if (literal) return { ok: true, items: literal };
  const scope = taskScope(run, null);
  let problem: string | null = null;
  const expanded = expandMatrix(task.matrix, (expr) => {
    const value = evaluate(expr, scope);
    if (value.ok) return value.value;
    problem ??= `its matrix \`${expr}\` cannot be evaluated: ${value.message}`;
    return [];
  });
  if (problem !== null) return { ok: false, message: problem };
  if (!expanded.ok) return expanded;
  if (expanded.items.length > task.maxFanout)
    return { ok: false, message: `its fan-out has ${expanded.items.length} items, max_fanout is ${task.maxFanout}` };
  return { ok: true, items: expanded.items };
}
