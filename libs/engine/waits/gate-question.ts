import type { EngineStore, RunEvent, TaskInstance, WaitInsert } from '#core';
import { firstCheckAt, isInQuestion } from '#core';
import type { Ending } from '../live-attempts.ts';
import { isChained, type OwnedRun, type PreparedPlace } from '../owned-run.ts';

const STATES = { met: 'success', skipped: 'skipped', failed: 'failed' } as const;

/** The wait that is noted when the gate of a task run asks a person whether its result counts; null: it asks nobody. */
export function gateQuestion(
  { record, plan }: OwnedRun,
  { taskIndex, mapIndex }: { readonly taskIndex: number; readonly mapIndex: number },
  number: number,
  { result, judged }: Ending,
  now: number,
): WaitInsert | null {
  const task = plan.pipeline.tasks[taskIndex];
  if (task === undefined || judged.asks === null) return null;
  const { groups = [], timeoutMs = null, onTimeout = 'fail' } = task.gate?.asks ?? {};
  const { attemptId, fence, outputs, versions } = result;
  const timeoutAt = timeoutMs === null ? null : now + timeoutMs;
  return {
    runId: record.id,
    taskId: task.id,
    mapIndex,
    environment: record.environment,
    kind: 'approve',
    target: { kind: 'approve', groups, result: { attemptId, fence, number, outputs, versions } },
    what: judged.asks,
    subject: null,
    everyMs: 0,
    onTimeout,
    since: now,
    timeoutAt,
    nextCheckAt: firstCheckAt('approve', timeoutAt, now),
  };
}

/** Task runs of a task, or the one that is meant, whose results are in question; none when a group's keys are meant. */
export function inQuestion(run: OwnedRun, { taskIndex, mapIndex }: PreparedPlace): number[] {
  const instances = run.cache.tasks[taskIndex]?.instances ?? new Map<number, TaskInstance>();
  if (mapIndex !== undefined) {
    const meant = instances.get(mapIndex);
    return meant !== undefined && isInQuestion(meant) ? [mapIndex] : [];
  }
  return isChained(run, taskIndex) ? [] : [...instances.values()].filter(isInQuestion).map((one) => one.mapIndex);
}

/** How the question stands; null: nobody has answered. What counts from now on is left in `run.approved`. */
export async function answerOfGate(
  store: EngineStore,
  run: OwnedRun,
  taskIndex: number,
  mapIndex: number,
): Promise<Extract<RunEvent, { kind: 'answered' }> | null> {
  const about = { kind: 'answered', taskIndex, mapIndex } as const;
  const wait = await store.waitOf({
    runId: run.record.id,
    taskId: run.plan.pipeline.tasks[taskIndex]?.id ?? '',
    mapIndex,
  });
  if (wait?.target.kind !== 'approve' || wait.target.result === undefined)
    return { ...about, state: 'failed', reason: 'what was asked about its result is not known any more' };
  if (wait.outcome === null) return null;
  if (wait.outcome === 'met') run.approved.set(`${taskIndex}/${mapIndex}`, wait.target.result);
  return { ...about, state: STATES[wait.outcome], reason: `${wait.reason ?? ''}; ${wait.what}` };
}
