import type { ReceivedEvent, ScheduleRecord, StartedRun, Unseen } from '#core';
import type { Db } from '../statement.ts';

/** What starts runs besides time. Each function is one statement; `path` '' stands for the end of runs. */

export async function syncListeners(
  db: Db,
  environment: string,
  listeners: readonly { pipeline: string; source: string; path: string | null }[],
): Promise<void> {
  await db.sql`
    with given as (
      select distinct pipeline, source, coalesce(path, '') as path
      from jsonb_to_recordset(${JSON.stringify(listeners)}::jsonb) as t (pipeline text, source text, path text)
    ), gone as (
      delete from listener l
      where l.environment = ${environment}
        and not exists (select from given g where g.pipeline = l.pipeline and g.source = l.source and g.path = l.path)
    ), forgotten as (
      delete from unseen u
      where u.environment = ${environment}
        and not exists (select from given g where g.pipeline = u.pipeline and g.source = u.source and g.path = u.path)
    ), asked as (
      update unseen u set asked = false
      where u.environment = ${environment} and u.asked
        and exists (select from given g where g.pipeline = u.pipeline and g.source = u.source and g.path = u.path)
    ), added as (
      insert into listener (environment, source, path, pipeline)
      select ${environment}, source, path, pipeline from given
      on conflict do nothing
    )
    select count(*) from given`;
}

/** Index unseen_unasked, which is empty nearly always. */
export function unasked(db: Db, limit: number): Promise<{ environment: string; pipeline: string }[]> {
  return db.sql`
    select environment, pipeline
    from unseen
    where not asked
    group by environment, pipeline
    order by min(id)
    limit ${limit}`;
}

export async function lockSchedule(db: Db, environment: string, pipeline: string): Promise<ScheduleRecord | null> {
  const [row] = await db.sql<ScheduleRecord[]>`
    select environment, pipeline, activated_at as "activatedAt", last_end as "lastEnd", paused
    from schedule
    where environment = ${environment} and pipeline = ${pipeline}
    for update`;
  return row ?? null;
}

export function readUnseen(db: Db, environment: string, pipeline: string): Promise<Unseen[]> {
  return db.sql<Unseen[]>`
    select id::text, source, nullif(path, '') as path, run_id::text as "runId", state, interval_start as "intervalStart",
           interval_end as "intervalEnd", depth, at
    from unseen
    where environment = ${environment} and pipeline = ${pipeline}
    order by unseen.id`;
}

/** Index path_pointer_of_path. */
export async function newestPublications(
  db: Db,
  environment: string,
  datasets: readonly { pipeline: string; path: string }[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db.sql<{ name: string; at: string }[]>`
    select p.pipeline || '.' || p.path as name, max(p.published_at) as at
    from jsonb_to_recordset(${JSON.stringify(datasets)}::jsonb) as t (pipeline text, path text)
    join path_pointer p on p.environment = ${environment} and p.pipeline = t.pipeline and p.path = t.path
    where p.version is not null
    group by p.pipeline, p.path`;
  return new Map(rows.map(({ name, at }) => [name, at]));
}

export async function settleUnseen(
  db: Db,
  environment: string,
  pipeline: string,
  read: readonly string[],
  forget: readonly string[],
): Promise<void> {
  await db.sql`
    with forgotten as (
      delete from unseen where id = any(${forget}::bigint[])
    ), asked as (
      update unseen set asked = true
      where environment = ${environment} and pipeline = ${pipeline} and not asked
        and id = any(${read}::bigint[]) and not id = any(${forget}::bigint[])
    )
    select 1`;
}

export async function depthOf(db: Db, environment: string, runId: string): Promise<number | null> {
  const [row] = await db.sql<{ depth: number }[]>`
    select depth from run where id = ${runId}::bigint and environment = ${environment}`;
  return row?.depth ?? null;
}

export async function receiveEvent(
  db: Db,
  { environment, name, key, bodyHash, actor }: Omit<ReceivedEvent, 'id'>,
): Promise<string | null> {
  const [row] = await db.sql<{ id: string }[]>`
    with noted as (
      insert into received_event (environment, name, key, body_hash, actor)
      values (${environment}, ${name}, ${key}, ${bodyHash}, ${actor})
      on conflict on constraint received_event_once do nothing
      returning id
    )
    select id::text from noted`;
  return row?.id ?? null;
}

export async function receivedEvent(
  db: Db,
  environment: string,
  name: string,
  key: string,
): Promise<{ event: ReceivedEvent; runs: StartedRun[] } | null> {
  const [row] = await db.sql<(ReceivedEvent & { runs: StartedRun[] })[]>`
    select e.id::text, e.environment, e.name, e.key, e.body_hash as "bodyHash", e.actor,
           coalesce((
             select jsonb_agg(jsonb_build_object('runId', r.id::text, 'pipeline', r.pipeline, 'state', r.state, 'reason', r.reason) order by r.id)
             from run r where r.event_id = e.id
           ), '[]') as runs
    from received_event e
    where e.environment = ${environment} and e.name = ${name} and e.key = ${key}`;
  if (row === undefined) return null;
  const { runs, ...event } = row;
  return { event, runs };
}

/** Forgets what came before, was to start runs with something else and never did; and events that no run is left of. */
export async function forgetStarts(db: Db, environment: string, before: Date): Promise<void> {
  await db.sql`
    with unseen as (
      delete from unseen where environment = ${environment} and at < ${before} returning 1
    ), events as (
      delete from received_event e
      where e.environment = ${environment} and e.at < ${before} and not exists (select from run r where r.event_id = e.id)
      returning 1
    )
    select (select count(*) from unseen), (select count(*) from events)`;
}
