import type { OpenAttempt, Outcome, UnplacedAttempt } from '#core';
import type { Db } from '../statement.ts';

/** Attempts for which machines are made. Each function is one statement. */

/** Index: assignment_waiting. */
export async function readUnplaced(db: Db, limit: number): Promise<UnplacedAttempt[]> {
  const rows = await db.sql<{ attempt: UnplacedAttempt }[]>`
    select content - array['release', 'body', 'env', 'secrets', 'reads', 'writes', 'tables', 'context', 'logs'] as attempt
    from assignment
    where worker is null
    order by attempt_id
    limit ${limit}`;
  return rows.map(({ attempt }) => attempt);
}

/** Index: assignment_pkey. */
export function readOpen(db: Db, attemptIds: readonly string[]): Promise<OpenAttempt[]> {
  return db.sql<OpenAttempt[]>`
    select attempt_id::text as "attemptId", worker is not null as "isTaken", cancel is not null as "isCancelled"
    from assignment
    where attempt_id = any(${attemptIds}::bigint[]) and result is null and not fenced`;
}

/** Locks: the rows, and only those that it changes. */
export async function noteHindrances(
  db: Db,
  notes: readonly { readonly attemptId: string; readonly note: string | null }[],
): Promise<void> {
  await db.sql`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(notes)}::jsonb) as t ("attemptId" bigint, note text)
    ), noted as (
      update assignment s set note = g.note
      from given g
      where s.attempt_id = g."attemptId" and s.note is distinct from g.note
      returning 1
    )
    select count(*) from noted`;
}

/**
 * The same comparison as a report's decides, so that an attempt ends once. Fence and row change together, as for the
 * attempts of a dead worker. Locks: the rows, then their task runs.
 */
export async function giveUpAttempts(
  db: Db,
  ended: readonly { readonly attemptId: string; readonly outcome: Outcome }[],
): Promise<string[]> {
  const [row] = await db.sql<{ ids: string[] }[]>`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(ended)}::jsonb) as t ("attemptId" bigint, outcome jsonb)
    ), fenced as (
      update assignment s
      set fenced = true, news = true,
          worker = coalesce(s.worker, 'nobody'),
          claimed_at = coalesce(s.claimed_at, clock_timestamp()),
          result = jsonb_build_object(
            'attemptId', s.content -> 'attemptId', 'runId', s.content -> 'runId', 'fence', s.content -> 'fence',
            'outcome', case when s.cancel is null then g.outcome
                            else jsonb_build_object('kind', 'cancelled', 'message', 'cancelled: ' || s.cancel) end,
            'startedAt', floor(extract(epoch from coalesce(s.claimed_at, clock_timestamp())) * 1000),
            'finishedAt', floor(extract(epoch from clock_timestamp()) * 1000),
            'outputs', '{}'::jsonb, 'metrics', '[]'::jsonb, 'summary', null, 'versions', '[]'::jsonb, 'logLines', 0)
      from given g
      where s.attempt_id = g."attemptId" and s.result is null and not s.fenced
      returning s.attempt_id, s.run_id, s.content ->> 'taskId' as task_id, (s.content ->> 'mapIndex')::int as map_index
    ), raised as (
      update task_run t set fence = t.fence + 1
      from fenced f
      where t.run_id = f.run_id and t.task_id = f.task_id and t.map_index = f.map_index
      returning 1
    ), woken as (
      select pg_notify('sluice_news', '') from (select 1 from fenced limit 1) one
    )
    select (select coalesce(array_agg(attempt_id::text), '{}') from fenced) as ids,
           (select count(*) from raised), (select count(*) from woken)`;
  return row?.ids ?? [];
}

export interface HindranceRow {
  readonly taskId: string;
  readonly mapIndex: number;
  readonly note: string;
}

/** Of the attempts of a run that no worker has taken; index: assignment_run. */
export function readHindrances(db: Db, runId: string): Promise<HindranceRow[]> {
  return db.sql<HindranceRow[]>`
    select content ->> 'taskId' as "taskId", (content ->> 'mapIndex')::int as "mapIndex", note
    from assignment
    where run_id = ${runId}::bigint and worker is null and note is not null`;
}
