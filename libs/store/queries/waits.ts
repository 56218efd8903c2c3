import type { DueWait, Question, StoredWait, WaitAnswer, WaitKey, WaitKind } from '#core';
import { inTransaction, type Db } from '../statement.ts';

/** Waits of `wait` and `approve` tasks. Instants come from the caller: the engine's clock, as for retries. */

export async function waitOf(db: Db, { runId, taskId, mapIndex }: WaitKey): Promise<StoredWait | null> {
  const [row] = await db.sql<StoredWait[]>`
    select run_id::text as "runId", task_id as "taskId", map_index as "mapIndex", kind, what, target, outcome, reason
    from task_wait
    where run_id = ${runId}::bigint and task_id = ${taskId} and map_index = ${mapIndex}`;
  return row ?? null;
}

/** Walks the primary key of both tables. */
export function questionsOf(db: Db, runId: string, taskId: string): Promise<Question[]> {
  return db.sql<Question[]>`
    select map_index as "mapIndex", t.map_key as "mapKey", w.target -> 'groups' as groups, w.outcome, w.reason
    from task_wait w
    join task_run t using (run_id, task_id, map_index)
    where w.run_id = ${runId}::bigint and w.task_id = ${taskId} and w.kind = 'approve'
      and (w.outcome is not null or t.state = 'waiting')
    order by map_index`;
}

/**
 * Walks `task_wait_due`. Who takes a row moves its due time by the lease, so that others leave it alone while it is
 * looked at. Locks: the rows, skipping those that somebody else is taking.
 */
export function takeDueWaits(
  db: Db,
  kinds: readonly WaitKind[],
  now: number,
  limit: number,
  leaseMs: number,
): Promise<DueWait[]> {
  return db.sql<DueWait[]>`
    with due as (
      select w.run_id, w.task_id, w.map_index, exists (
        select from task_run t
        where t.run_id = w.run_id and t.task_id = w.task_id and t.map_index = w.map_index and t.state = 'waiting'
      ) as waits
      from task_wait w
      where w.next_check_at <= to_timestamp(${now}::float8 / 1000) and w.kind = any(${kinds}::text[])
      order by w.next_check_at
      limit ${limit}
      for update of w skip locked
    ), over as (
      delete from task_wait w using due
      where (w.run_id, w.task_id, w.map_index) = (due.run_id, due.task_id, due.map_index) and not due.waits
    ), taken as (
      update task_wait w
      set next_check_at = to_timestamp((${now}::float8 + ${leaseMs}::float8) / 1000)
      from due
      where (w.run_id, w.task_id, w.map_index) = (due.run_id, due.task_id, due.map_index) and due.waits
      returning w.*
    )
    select run_id::text as "runId", task_id as "taskId", map_index as "mapIndex", environment, target, every_ms::float8 as "everyMs", on_timeout as "onTimeout",
           (extract(epoch from timeout_at) * 1000)::float8 as "timeoutAt"
    from taken`;
}

/** Waits that ended meanwhile stay as they are. */
export async function noteLooks(
  db: Db,
  looks: readonly (WaitKey & { detail: string; nextCheckAt: number | null })[],
  now: number,
): Promise<void> {
  if (looks.length === 0) return;
  await db.sql`
    with noted as (
      update task_wait w
      set checked_at = to_timestamp(${now}::float8 / 1000), detail = l.detail, next_check_at = to_timestamp(l."nextCheckAt" / 1000)
      from jsonb_to_recordset(${JSON.stringify(looks)}::jsonb) as l ("runId" bigint, "taskId" text, "mapIndex" int, detail text, "nextCheckAt" float8)
      where w.run_id = l."runId" and w.task_id = l."taskId" and w.map_index = l."mapIndex" and w.outcome is null
      returning 1
    )
    select count(*) from noted`;
}

/**
 * Two statements in one transaction. The runs are locked first, by id, as a run is before it is parked: whoever comes
 * second sees what the first did, so that no run is parked whose wait has ended.
 */
export async function answerWaits(db: Db, answers: readonly WaitAnswer[]): Promise<WaitKey[]> {
  if (answers.length === 0) return [];
  return inTransaction(db, async (manager) => {
    const runIds = answers.map(({ runId }) => runId);
    await manager.sql`select id from run where id = any(${runIds}::bigint[]) order by id for update`;
    return manager.sql<WaitKey[]>`
      with answered as (
        update task_wait w
        set outcome = a.outcome, reason = a.reason, next_check_at = null
        from jsonb_to_recordset(${JSON.stringify(answers)}::jsonb) as a ("runId" bigint, "taskId" text, "mapIndex" int, outcome text, reason text)
        where w.run_id = a."runId" and w.task_id = a."taskId" and w.map_index = a."mapIndex" and w.outcome is null
        returning w.run_id, w.task_id, w.map_index
      ), unparked as (
        update run r set parked = false
        where r.parked and r.id in (select run_id from answered)
        returning 1
      ), told as (
        insert into inbox (run_id, kind, payload)
        select run_id, 'wait', jsonb_build_object('taskId', task_id, 'mapIndex', map_index) from answered
      ), woken as (
        select pg_notify('sluice_inbox', '') from (select from answered limit 1) one
      )
      select run_id::text as "runId", task_id as "taskId", map_index as "mapIndex"
      from answered, (select count(*) from woken) as notified`;
  });
}

/** Walks `task_wait_of_subject`. */
export async function hastenWaits(db: Db, subjects: readonly string[], now: number): Promise<WaitKind[]> {
  const rows = await db.sql<{ kind: WaitKind }[]>`
    with hastened as (
      update task_wait
      set next_check_at = to_timestamp(${now}::float8 / 1000)
      where subject = any(${subjects}::text[]) and outcome is null and next_check_at > to_timestamp(${now}::float8 / 1000)
      returning 1
    )
    select distinct kind from task_wait, (select count(*) from hastened) as done
    where subject = any(${subjects}::text[]) and outcome is null`;
  return rows.map(({ kind }) => kind);
}

export async function publishedFor(
  db: Db,
  wanted: readonly { environment: string; pipeline: string; path: string; covers: string | null }[],
): Promise<(string | null)[]> {
  if (wanted.length === 0) return [];
  const rows = await db.sql<{ version: string | null }[]>`
    select (
      select p.version
      from path_pointer p
      where p.environment = w.environment and p.pipeline = w.pipeline and p.path = w.path and p.version is not null
        and (w.covers is null or (p.interval_start < w.covers and p.interval_end >= w.covers))
      order by p.interval_end desc nulls last
      limit 1
    ) as version
    from jsonb_array_elements(${JSON.stringify(wanted)}::jsonb) with ordinality as e (item, place),
         jsonb_to_record(e.item) as w (environment text, pipeline text, path text, covers timestamptz)
    order by e.place`;
  return rows.map(({ version }) => version);
}

export async function runsFor(
  db: Db,
  wanted: readonly { environment: string; pipeline: string; covers: string }[],
): Promise<({ id: string; state: string } | null)[]> {
  if (wanted.length === 0) return [];
  const rows = await db.sql<{ found: { id: string; state: string } | null }[]>`
    select (
      select jsonb_build_object('id', r.id::text, 'state', r.state)
      from (
        select r.id, m.state
        from run r, lateral (
          -- What somebody marked counts as that, once it has ended.
          select coalesce((
            select state from run_mark
            where run_id = r.id and task_id is null and r.finished_at is not null
            order by run_mark.id desc
            limit 1
          ), r.state) as state
        ) m
        where r.environment = w.environment and r.pipeline = w.pipeline and not r.shadow and r.state <> 'skipped'
          and r.interval_start < w.covers and r.interval_end >= w.covers
        union all
        select run_id, state from archived_run
        where environment = w.environment and pipeline = w.pipeline and not shadow and state <> 'skipped'
          and interval_start < w.covers and interval_end >= w.covers
      ) r
      order by r.state = 'success' desc, r.id desc
      limit 1
    ) as found
    from jsonb_array_elements(${JSON.stringify(wanted)}::jsonb) with ordinality as e (item, place),
         jsonb_to_record(e.item) as w (environment text, pipeline text, covers timestamptz)
    order by e.place`;
  return rows.map(({ found }) => found);
}

/** Two statements in one transaction: the second sees what whoever held a run's lock before has written. */
export async function parkRuns(
  db: Db,
  processId: string,
  runs: readonly { id: string; token: string }[],
): Promise<string[]> {
  return inTransaction(db, async (manager) => {
    const ids = runs.map(({ id }) => id);
    await manager.sql`select id from run where id = any(${ids}::bigint[]) order by id for update`;
    const rows = await manager.sql<{ id: string }[]>`
      with parked as (
        update run r
        set parked = true, lease_owner = null
        from unnest(${ids}::bigint[], ${runs.map(({ token }) => token)}::bigint[]) as ours (id, token)
        where r.id = ours.id and r.lease_token = ours.token and r.lease_owner = ${processId}
          and r.state = 'running' and not r.cancel_requested
          and not exists (select from inbox i where i.run_id = r.id)
          and not exists (
            select from task_wait w join task_run t using (run_id, task_id, map_index)
            where w.run_id = r.id and w.outcome is not null and t.state = 'waiting')
        returning r.id
      )
      select id::text from parked`;
    return rows.map(({ id }) => id);
  });
}

export async function unpark(db: Db, runIds: readonly string[]): Promise<void> {
  await db.sql`
    with unparked as (
      update run set parked = false where id = any(${runIds}::bigint[]) and parked returning 1
    )
    select count(*) from unparked`;
}

export async function unparkDue(db: Db, now: number): Promise<number> {
  const [row] = await db.sql<{ count: number }[]>`
    with unparked as (
      update run
      set parked = false
      where parked and timeout_at <= to_timestamp(${now}::float8 / 1000)
      returning 1
    )
    select count(*)::int as count from unparked`;
  return row?.count ?? 0;
}

/**
 * For the sweep: waits whose task does not wait any more are forgotten; a parked run whose wait ended unheard is given
 * back. Walks `task_wait_ended`.
 */
export async function sweepWaits(db: Db): Promise<void> {
  await db.sql`
    with ended as (
      select w.run_id, w.task_id, w.map_index, exists (
        select from task_run t
        where t.run_id = w.run_id and t.task_id = w.task_id and t.map_index = w.map_index and t.state = 'waiting'
      ) as waits
      from task_wait w
      where w.outcome is not null
    ), forgotten as (
      delete from task_wait w using ended e
      where (w.run_id, w.task_id, w.map_index) = (e.run_id, e.task_id, e.map_index) and not e.waits
      returning 1
    ), unparked as (
      update run r set parked = false
      where r.parked and r.id in (select run_id from ended where waits)
      returning 1
    )
    select (select count(*) from forgotten), (select count(*) from unparked)`;
}
