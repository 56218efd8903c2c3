import type { Batch, CalledRun, WaitKey } from '#core';
import type { Db } from '../statement.ts';
import { endQueued, send } from './runs.ts';

/** Runs that tasks call. */

/** Whose runs give way to a called one. */
export interface Rivals {
  readonly environment: string;
  readonly pipeline: string;
}

/**
 * To be called in a transaction. Two statements: whoever held the run's lock before may have ended the task, which only a
 * statement that begins afterwards sees.
 * Locks: the run, and with `rivals` the live runs of the pipeline that it calls, which may have to give way and may be
 * older; all of them by id, in one order with every batch.
 */
export async function lockCaller(
  db: Db,
  { runId, taskId, mapIndex }: WaitKey,
  rivals: Rivals | null,
): Promise<number | null> {
  await db.sql`
    select id from run
    where id = ${runId}::bigint
       or (environment = ${rivals?.environment ?? null} and pipeline = ${rivals?.pipeline ?? null} and state in ('queued', 'running'))
    order by id
    for update`;
  const [row] = await db.sql<{ depth: number }[]>`
    select r.depth
    from run r
    join task_run t on t.run_id = r.id and t.task_id = ${taskId} and t.map_index = ${mapIndex} and t.state = 'waiting'
    join task_wait w on w.run_id = r.id and w.task_id = ${taskId} and w.map_index = ${mapIndex} and w.target ->> 'runId' is null
    where r.id = ${runId}::bigint and not r.cancel_requested`;
  return row?.depth ?? null;
}

export async function noteCalled(db: Db, { runId, taskId, mapIndex }: WaitKey, calledId: string): Promise<void> {
  await db.sql`
    with noted as (
      update task_wait set target = jsonb_set(target, '{runId}', to_jsonb(${calledId}::text))
      where run_id = ${runId}::bigint and task_id = ${taskId} and map_index = ${mapIndex}
      returning 1
    )
    select count(*) from noted`;
}

export async function calledRuns(db: Db, runIds: readonly string[]): Promise<(CalledRun | null)[]> {
  if (runIds.length === 0) return [];
  const rows = await db.sql<(CalledRun & { id: string })[]>`
    select id::text, state, reason from run where id = any(${runIds}::bigint[])`;
  const byId = new Map(rows.map(({ id, ...run }) => [id, run]));
  return runIds.map((id) => byId.get(id) ?? null);
}

/**
 * Locks a batch's runs and those that its ended tasks had called, by id: a called run is newer than its caller, but not
 * than every other run of the batch.
 */
export async function lockWithCalled(db: Db, { runs, endedCalls }: Pick<Batch, 'runs' | 'endedCalls'>): Promise<void> {
  await db.sql`
    select r.id from run r
    where r.id = any(${runs.map(({ id }) => id)}::bigint[])
       or r.id in (
         select (w.target ->> 'runId')::bigint
         from jsonb_to_recordset(${JSON.stringify(endedCalls)}::jsonb) as c ("runId" bigint, "taskId" text)
         join task_wait w on w.run_id = c."runId" and w.task_id = c."taskId"
         where w.target ->> 'runId' is not null)
    order by r.id
    for update of r`;
}

/** Stops the runs of calls whose tasks have ended without them; `lockWithCalled` came before. */
export async function stopCalled(db: Db, calls: readonly WaitKey[]): Promise<void> {
  if (calls.length === 0) return;
  const live = await db.sql<{ id: string; callerId: string }[]>`
    select r.id::text, w.run_id::text as "callerId"
    from jsonb_to_recordset(${JSON.stringify(calls)}::jsonb) as c ("runId" bigint, "taskId" text, "mapIndex" int)
    join task_wait w on w.run_id = c."runId" and w.task_id = c."taskId" and w.map_index = c."mapIndex"
    join run r on r.id = (w.target ->> 'runId')::bigint
    where r.state in ('queued', 'running')
    order by r.id`;
  // One after the other: each says which run it was.
  for (const { id, callerId } of live) {
    const reason = `run ${callerId}, which called it, does not wait for it any more`;
    const ended = await endQueued(db, [id], 'cancelled', reason);
    if (ended === 0) await send(db, [{ runId: id, kind: 'cancel', payload: { reason } }]);
  }
}
