import type { EarlierInputs, InputBinding, MovedPointer, PublishedPath } from '#core';
import type { Db } from '../statement.ts';

/** Versions that a path's readers may be given. Ordered by location. */

export function versionsOfRuns(
  db: Db,
  environment: string,
  pipeline: string,
  path: string,
  runIds: readonly string[],
): Promise<PublishedPath[]> {
  return db.sql<PublishedPath[]>`
    select distinct on (map_key) location, version, manifest_hash as "manifestHash", map_key as "mapKey", run_id::text as "runId",
           interval_start as "intervalStart", interval_end as "intervalEnd"
    from path_version
    where run_id = any(${runIds}::bigint[]) and path = ${path} and environment = ${environment} and pipeline = ${pipeline}
      and removed_at is null
    order by map_key, attempt_id desc`;
}

export function versionsBetween(
  db: Db,
  environment: string,
  pipeline: string,
  path: string,
  from: string,
  to: string,
): Promise<PublishedPath[]> {
  return db.sql<PublishedPath[]>`
    select location, version, manifest_hash as "manifestHash", map_key as "mapKey", run_id::text as "runId",
           interval_start as "intervalStart", interval_end as "intervalEnd"
    from path_pointer
    where environment = ${environment} and pipeline = ${pipeline} and path = ${path} and version is not null
      and interval_end > ${from}::timestamptz and interval_end <= ${to}::timestamptz and interval_start >= ${from}::timestamptz
    order by location`;
}

export function newestVersions(
  db: Db,
  environment: string,
  pipeline: string,
  path: string,
  before: string | null,
): Promise<PublishedPath[]> {
  return db.sql<PublishedPath[]>`
    with newest as (
      select run_id
      from path_pointer
      where environment = ${environment} and pipeline = ${pipeline} and path = ${path} and version is not null
        and (${before}::timestamptz is null or interval_end <= ${before}::timestamptz)
      order by interval_end desc nulls last, attempt_id desc
      limit 1
    )
    select p.location, p.version, p.manifest_hash as "manifestHash", p.map_key as "mapKey", p.run_id::text as "runId",
           p.interval_start as "intervalStart", p.interval_end as "intervalEnd"
    from path_pointer p join newest using (run_id)
    where p.environment = ${environment} and p.pipeline = ${pipeline} and p.path = ${path}
    order by p.location`;
}

export function erasedTaskRuns(db: Db, runId: string): Promise<{ taskId: string; mapIndex: number }[]> {
  return db.sql`
    select distinct t.task_id as "taskId", t.map_index as "mapIndex"
    from task_run t
    join path_version v on v.run_id = coalesce(t.origin_run, t.run_id) and v.task_id = t.task_id and v.map_index = t.map_index
    where t.run_id = ${runId}::bigint and v.removed_at is not null`;
}

/**
 * Two statements. Versions that task runs of `origin` wrote are replaced by what the same task runs of `runId` wrote,
 * unless that run took them over.
 */
export async function earlierInputs(
  db: Db,
  origin: string,
  runId: string,
  taskId: string,
  mapIndex: number | null,
): Promise<EarlierInputs | null> {
  const [row] = await db.sql<{ inputs: InputBinding[] }[]>`
    select inputs from task_run
    where run_id = ${origin}::bigint and task_id = ${taskId} and inputs is not null
      and (${mapIndex}::int is null or map_index = ${mapIndex}::int)
    order by map_index
    limit 1`;
  if (row === undefined) return null;
  const read = row.inputs.flatMap((input) => input.versions.map(({ version }) => version));
  const own = await db.sql<
    { was: string; location: string | null; version: string | null; manifestHash: string | null }[]
  >`
    select o.version as was, n.location, n.version, n.manifest_hash as "manifestHash"
    from path_version o
    join task_run t on t.run_id = ${origin}::bigint and t.task_id = o.task_id and t.map_index = o.map_index
                   and coalesce(t.origin_run, t.run_id) = o.run_id
    left join task_run s on s.run_id = ${runId}::bigint and s.task_id = o.task_id and s.map_index = o.map_index
    left join path_version n on n.run_id = ${runId}::bigint and n.task_id = o.task_id and n.map_index = o.map_index and n.path = o.path
    where o.environment = t.environment and o.version = any(${read}::text[]) and s.origin_run is null`;
  const replaced = own.map(({ was, location, version, manifestHash }) => {
    const now =
      location === null || version === null || manifestHash === null ? null : { location, version, manifestHash };
    return [was, now] as const;
  });
  return { inputs: row.inputs, replaced: new Map(replaced) };
}

export async function baseline(
  db: Db,
  environment: string,
  pipeline: string,
  taskId: string,
  runId: string,
): Promise<Record<string, number>> {
  const rows = await db.sql<{ name: string; value: number }[]>`
    with previous as (
      select r.id from run r
      where r.environment = ${environment} and r.pipeline = ${pipeline} and r.state = 'success' and not r.shadow and r.id < ${runId}::bigint
        and r.withdrawn_at is null
      order by r.id desc
      limit 1
    )
    select distinct on (m.name) m.name, m.value
    from metric m join previous p on p.id = m.run_id
    where m.counted
    order by m.name, (m.task_id = ${taskId}) desc, m.at desc`;
  return Object.fromEntries(rows.map((row) => [row.name, row.value]));
}

export function unprojected(db: Db, limit: number): Promise<MovedPointer[]> {
  return db.sql`
    select environment, location, version, fence::text
    from path_pointer
    where not projected
    order by path_pointer.fence
    limit ${limit}`;
}

/** Only if the pointer has not moved on meanwhile. */
export async function markProjected(db: Db, items: readonly MovedPointer[]): Promise<void> {
  await db.sql`
    with marked as (
      update path_pointer p
      set projected = true
      from jsonb_to_recordset(${JSON.stringify(items)}::jsonb) as t (environment text, location text, fence bigint)
      where p.environment = t.environment and p.location = t.location and p.fence = t.fence
      returning 1
    )
    select count(*) from marked`;
}
