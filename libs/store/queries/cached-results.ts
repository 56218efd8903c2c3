import type { CachedResult, CacheNote, EarlierCache } from '#core';
import type { Db } from '../statement.ts';

/** Index task_run_by_cache_key; versions and metrics by their runs. */
export function cachedResults(
  db: Db,
  environment: string,
  pipeline: string,
  taskId: string,
  keys: readonly string[],
): Promise<CachedResult[]> {
  return db.sql<CachedResult[]>`
    with found as (
      select distinct on (t.cache_key) t.cache_key, t.run_id, t.cached_from, t.task_id, t.map_index, t.outputs, t.summary
      from task_run t join run r on r.id = t.run_id
      where t.environment = ${environment} and t.pipeline = ${pipeline} and t.task_id = ${taskId} and t.cache_key = any(${keys}::text[])
        and t.state = 'success' and not r.shadow and r.withdrawn_at is null
        -- What somebody marked executed nothing, or not well.
        and not exists (
          select from run_mark m
          where m.run_id = t.run_id and m.task_id = t.task_id and coalesce(m.map_index, t.map_index) = t.map_index)
      order by t.cache_key, t.run_id desc
    )
    select f.cache_key as key, f.run_id::text as "runId", coalesce(f.cached_from, f.run_id)::text as "executedIn", f.outputs, f.summary,
           (select coalesce(jsonb_agg(jsonb_build_object('path', v.path, 'location', v.location, 'version', v.version,
                   'manifestHash', v.manifest_hash, 'isGone', v.removed_at is not null) order by v.path), '[]')
            from path_version v
            where v.run_id = f.run_id and v.task_id = f.task_id and v.map_index = f.map_index) as versions,
           (select coalesce(jsonb_agg(jsonb_build_object('name', m.name, 'value', m.value, 'step', m.step,
                   'ts', extract(epoch from m.at) * 1000) order by m.at, m.name, m.step), '[]')
            from metric m
            where m.run_id = f.run_id and m.task_id = f.task_id and m.map_index = f.map_index and m.counted) as metrics
    from found f`;
}

/** Looks at the newest 50 runs of the pipeline: an explanation need not go back further. */
export async function earlierCache(
  db: Db,
  environment: string,
  pipeline: string,
  taskId: string,
  intervalStart: string | null,
): Promise<EarlierCache | null> {
  const rows = await db.sql<{ runId: string; release: string; mapIndex: number; parts: CacheNote['parts'] }[]>`
    with recent as (
      select id, release, interval_start from run
      where environment = ${environment} and pipeline = ${pipeline} and not shadow and withdrawn_at is null
      order by run.id desc
      limit 50
    ), last as (
      select r.id, r.release from recent r
      where exists (select from task_run t
                    where t.run_id = r.id and t.task_id = ${taskId} and t.state = 'success' and t.cache_key is not null)
      order by (r.interval_start is not distinct from ${intervalStart}::timestamptz) desc, r.id desc
      limit 1
    )
    select l.id::text as "runId", l.release, t.map_index as "mapIndex", t.cache -> 'parts' as parts
    from last l join task_run t on t.run_id = l.id and t.task_id = ${taskId} and t.state = 'success' and t.cache_key is not null`;
  const [first] = rows;
  if (first === undefined) return null;
  const { runId, release } = first;
  return { runId, release, parts: new Map(rows.map(({ mapIndex, parts }) => [mapIndex, parts])) };
}
