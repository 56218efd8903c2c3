import type { Assignment, AttemptNews, WaitingAttempt } from '#core';
import type { Db } from '../statement.ts';

/** Attempts that workers elsewhere execute, as the scheduler sees them. Each function is one statement. */

export async function putAssignments(db: Db, assignments: readonly Assignment[]): Promise<void> {
  await db.sql`
    with noted as (
      insert into assignment (attempt_id, run_id, environment, pool, content)
      select (content ->> 'attemptId')::bigint, (content ->> 'runId')::bigint, content ->> 'environment', content ->> 'pool', content
      from jsonb_array_elements(${JSON.stringify(assignments)}::jsonb) as given (content)
      on conflict (attempt_id) do nothing
      returning 1
    )
    select count(*) from noted`;
}

/** A row that nobody has taken is taken here, so that no worker can: the same comparison as a claim's decides. */
export async function cancelAssignments(
  db: Db,
  cancelled: readonly { readonly attemptId: string; readonly reason: string }[],
): Promise<void> {
  await db.sql`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(cancelled)}::jsonb) as t ("attemptId" bigint, reason text)
    ), asked as (
      update assignment s
      set cancel = coalesce(s.cancel, g.reason),
          worker = coalesce(s.worker, 'nobody'),
          claimed_at = coalesce(s.claimed_at, clock_timestamp()),
          news = s.news or s.worker is null,
          result = case when s.worker is not null then s.result else jsonb_build_object(
            'attemptId', s.content -> 'attemptId', 'runId', s.content -> 'runId', 'fence', s.content -> 'fence',
            'outcome', jsonb_build_object('kind', 'cancelled', 'message', 'cancelled: ' || g.reason),
            'startedAt', floor(extract(epoch from clock_timestamp()) * 1000),
            'finishedAt', floor(extract(epoch from clock_timestamp()) * 1000),
            'outputs', '{}'::jsonb, 'metrics', '[]'::jsonb, 'summary', null, 'versions', '[]'::jsonb, 'logLines', 0) end
      from given g
      where s.attempt_id = g."attemptId"
      returning s.news
    ), woken as (
      select pg_notify('sluice_news', '') from (select 1 from asked where news limit 1) one
    )
    select (select count(*) from asked), (select count(*) from woken)`;
}

/** Locks: the rows, skipping those that somebody is writing right now; index: assignment_news. */
export function takeNews(db: Db, processId: string, limit: number): Promise<AttemptNews[]> {
  return db.sql<AttemptNews[]>`
    with told as (
      select s.attempt_id
      from assignment s
      join run r on r.id = s.run_id
      where s.news and r.lease_owner = ${processId}
      limit ${limit}
      for update of s skip locked
    ), taken as (
      update assignment s
      set news = false
      from told
      where s.attempt_id = told.attempt_id
      returning s.content as assignment, s.worker, floor(extract(epoch from s.claimed_at) * 1000)::float8 as "claimedAt", s.result, s.fenced
    )
    select * from taken`;
}

export async function tellAnew(db: Db, processId: string): Promise<void> {
  await db.sql`
    with anew as (
      update assignment s
      set news = true
      from run r
      where r.id = s.run_id and r.state = 'running' and r.lease_owner = ${processId} and s.worker is not null
      returning 1
    )
    select count(*) from anew`;
}

/**
 * A worker is dead when its row has run out or is gone, and some API has served all the while: without one it had nobody
 * to tell. Fence and row change together. Locks: the rows, then their task runs.
 */
export async function reapAssignments(db: Db): Promise<number> {
  const [row] = await db.sql<{ reaped: number }[]>`
    with orphaned as (
      select s.attempt_id, s.run_id, s.content ->> 'taskId' as task_id, (s.content ->> 'mapIndex')::int as map_index
      from assignment s
      left join process p on p.id = s.worker
      where s.worker is not null and s.result is null and not s.fenced
        and (p.id is null or p.alive_until < now())
        and exists (select from process a where a.kind = 'api' and a.alive_until > now() and a.started_at < now() - interval '10 seconds')
      for update of s skip locked
    ), fenced as (
      update assignment s set fenced = true, news = true
      from orphaned o
      where s.attempt_id = o.attempt_id
      returning 1
    ), raised as (
      update task_run t set fence = t.fence + 1
      from orphaned o
      where t.run_id = o.run_id and t.task_id = o.task_id and t.map_index = o.map_index
      returning 1
    ), woken as (
      select pg_notify('sluice_news', '') from (select 1 from fenced limit 1) one
    )
    select (select count(*) from fenced)::int as reaped, (select count(*) from raised), (select count(*) from woken)`;
  return row?.reaped ?? 0;
}

export function waitingAssignments(db: Db, limit: number): Promise<WaitingAttempt[]> {
  return db.sql<WaitingAttempt[]>`
    select attempt_id::text as "attemptId", environment, pool
    from assignment
    where worker is null
    order by attempt_id
    limit ${limit}`;
}
