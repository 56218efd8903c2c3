import type { AlertInsert, PendingAlert } from '#core';
import type { Db } from '../statement.ts';

/**
 * Pending alerts that are due. Only the oldest pending one of each (run, target) is offered, so `recovered` never
 * overtakes `failed`. Marks them in doubt and gives them a minute, after which another process may try.
 */
export function takeAlerts(db: Db, limit: number): Promise<PendingAlert[]> {
  return db.sql<PendingAlert[]>`
    with first as (
      select distinct on (run_id, target) id
      from alert_delivery
      where state = 'pending'
      order by run_id, target, id
    ), due as (
      select d.id, d.in_doubt
      from alert_delivery d join first using (id)
      where d.state = 'pending' and d.next_try_at <= now()
      order by d.id
      limit ${limit}
      for update of d skip locked
    ), taken as (
      update alert_delivery d
      set in_doubt = true, tries = d.tries + 1, next_try_at = now() + interval '1 minute'
      from due
      where d.id = due.id
      returning d.id, d.target, d.run_id, d.environment, d.message, d.tries, due.in_doubt
    )
    select t.id::text, t.target, t.run_id::text as "runId", t.environment, t.message, t.tries, t.in_doubt as "inDoubt",
           (select s.thread from alert_delivery s
            where s.run_id = t.run_id and s.target = t.target and s.state = 'sent' and s.thread is not null
            order by s.id desc limit 1) as thread
    from taken t
    order by t.id`;
}

/**
 * Notes how a send went. A try that is to be repeated stays in doubt: it may have arrived. What is no longer pending
 * stays as it is: a slow sender that was overtaken must not take back what another one sent.
 */
export async function recordAlert(
  db: Db,
  id: string,
  result: { state: string; thread: string | null; detail: string; retryInMs: number | null },
): Promise<void> {
  await db.sql`
    with recorded as (
      update alert_delivery
      set state = ${result.state}, thread = ${result.thread}, detail = ${result.detail}, in_doubt = ${result.state} = 'pending',
          next_try_at = now() + coalesce(${result.retryInMs}::float8, 0) * interval '1 millisecond',
          sent_at = case when ${result.state} = 'sent' then now() end
      where id = ${id}::bigint and state = 'pending'
      returning id, environment
    ), shown as (
      insert into event (environment, payload)
      select environment, jsonb_build_object('kind', 'alert', 'environment', environment, 'deliveryId', id::text) from recorded
    )
    select count(*) from recorded`;
}

export async function insertAlerts(db: Db, alerts: readonly AlertInsert[]): Promise<string[]> {
  const rows = await db.sql<{ id: string }[]>`
    with inserted as (
      insert into alert_delivery (environment, pipeline, run_id, event, target, message, state, detail)
      select environment, pipeline, "runId", event, target, message, state, detail
      from jsonb_to_recordset(${JSON.stringify(alerts)}::jsonb) as t (environment text, pipeline text, "runId" bigint, event text, target text,
             message jsonb, state text, detail text)
      returning id
    )
    select id::text from inserted order by inserted.id`;
  return rows.map((row) => row.id);
}

/** The marked runs decide which alerts are written, so that of two callers only one tells of a run. */
export async function raiseLate(db: Db, runIds: readonly string[], alerts: readonly AlertInsert[]): Promise<void> {
  await db.sql`
    with marked as (
      update run
      set deadline_at = null
      where id = any(${runIds}::bigint[]) and deadline_at < now() and state in ('queued', 'running')
      returning id
    ), inserted as (
      insert into alert_delivery (environment, pipeline, run_id, event, target, message, state, detail)
      select t.environment, t.pipeline, t."runId", t.event, t.target, t.message, t.state, t.detail
      from jsonb_to_recordset(${JSON.stringify(alerts)}::jsonb) as t (environment text, pipeline text, "runId" bigint, event text, target text,
             message jsonb, state text, detail text)
      join marked on marked.id = t."runId"
      returning 1
    )
    select (select count(*) from marked), (select count(*) from inserted)`;
}

/**
 * Of the runs that it was made from, else of its pipeline, the newest that was alerted as failed and not yet as recovered.
 * Walks the chain of origins; index alert_delivery_unmended, of which the first entry is enough.
 */
export async function mendedRun(db: Db, environment: string, pipeline: string, runId: string): Promise<string | null> {
  const [row] = await db.sql<{ runId: string }[]>`
    with recursive chain as (
      select origin_run as id from run where id = ${runId}::bigint
      union
      select r.origin_run from run r join chain c on c.id = r.id where r.origin_run is not null
    ), unmended as (
      select a.run_id, true as made_from
      from chain c
      join alert_delivery a on a.run_id = c.id and a.environment = ${environment} and a.pipeline = ${pipeline}
      where a.event = 'run.failed' and not a.mended
      union all
      (select run_id, false
       from alert_delivery
       where environment = ${environment} and pipeline = ${pipeline} and event = 'run.failed' and not mended and run_id < ${runId}::bigint
       order by alert_delivery.run_id desc
       limit 1)
    )
    select run_id::text as "runId"
    from unmended
    order by made_from desc, unmended.run_id desc
    limit 1`;
  return row?.runId ?? null;
}
