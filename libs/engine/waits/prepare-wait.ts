import type { CompiledTask, EngineStore, Prepared, TaskBody, WaitInsert } from '#core';
import { firstCheckAt } from '#core';
import type { OwnedRun } from '../owned-run.ts';
import { resolveWait } from './wait-target.ts';

export type WaitBody = Extract<TaskBody, { kind: 'wait' | 'approve' | 'call' }>;

/** The body of a task that executes nothing; null: attempts are made of it. */
export function waitBodyOf(task: CompiledTask | undefined): WaitBody | null {
  const body = task?.body;
  return body?.kind === 'wait' || body?.kind === 'approve' || body?.kind === 'call' ? body : null;
}

/** The end of a called run is told of; this is for what is not heard. */
const CALL_EVERY_MS = 30_000;

const ENDS = { met: 'done', skipped: 'skip', failed: 'fail' } as const;

/**
 * Answers a `prepare` decision for a task that waits. The first time it resolves what for, and leaves in `run.waits` what
 * is to be noted in the commit of the task run's state; later it says how the wait stands.
 */
export async function prepareWait(
  store: EngineStore,
  run: OwnedRun,
  taskIndex: number,
  task: CompiledTask,
  now: number,
): Promise<Prepared> {
  const key = { runId: run.record.id, taskId: task.id };
  const isWaiting = run.cache.tasks[taskIndex]?.instances.get(0)?.state === 'waiting';
  const stored = isWaiting ? await store.waitOf(key) : null;
  // Its past is behind it; what it waits for itself is not noted yet.
  if (isWaiting && stored?.target.kind !== 'past') {
    if (stored === null) return { kind: 'fail', reason: 'what it waited for is not known any more' };
    const { outcome, reason, what, target } = stored;
    if (outcome !== null && target.kind === 'call' && target.runId !== null)
      run.prepared.set(taskIndex, { inputs: [], items: null, outputs: { run_id: target.runId } });
    return outcome === null
      ? { kind: 'waiting', reason: `waits for ${what}` }
      : { kind: ENDS[outcome], reason: reason ?? '' };
  }
  // It publishes nothing, so what it would wait for protects nobody; and whoever is asked would be asked twice.
  if (run.record.shadow)
    return { kind: 'done', reason: 'a run that publishes nothing does not wait and calls nothing' };
  const resolved = resolveWait(run, taskIndex, task);
  if (!resolved.ok) return { kind: 'fail', reason: resolved.message };
  const { target, what, subject } = resolved;
  if (target.kind === 'time' && Date.parse(target.at) <= now) return { kind: 'done', reason: `${what} had come` };
  run.waits.set(taskIndex, waitInsert(run, task.body as WaitBody, { ...key, target, what, subject }, now));
  return { kind: 'waiting', reason: `waits for ${what}` };
}

function waitInsert(
  { record }: OwnedRun,
  body: WaitBody,
  found: Pick<WaitInsert, 'runId' | 'taskId' | 'target' | 'what' | 'subject'>,
  now: number,
): WaitInsert {
  const timeoutAt = body.timeoutMs === null ? null : now + body.timeoutMs;
  return {
    ...found,
    environment: record.environment,
    kind: found.target.kind,
    everyMs: body.kind === 'wait' ? body.everyMs : body.kind === 'call' ? CALL_EVERY_MS : 0,
    onTimeout: body.onTimeout,
    since: now,
    timeoutAt,
    nextCheckAt: firstCheckAt(found.target.kind, timeoutAt, now),
  };
}
