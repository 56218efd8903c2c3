import type { Replicas, Resources } from '#core';
import type { Db } from '../statement.ts';

/** A task run that stands in line, or holds slots and resources. */
export interface LineRow {
  readonly pool: string;
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly pipeline: string;
  /** What each of its replicas takes. */
  readonly slots: number;
  readonly resources: Resources | null;
  /** Null: its task has none. */
  readonly replicas: Replicas | null;
  /** How many it needs at least, or has. */
  readonly times: number;
  readonly environment: string;
  /** The process that owns its run, or executes it. */
  readonly owner: string;
}

export interface HolderRow extends LineRow {
  readonly since: string;
}

/** The first `limit` in line for each of these pools. Walks `task_run_ready`. */
export function readLine(db: Db, environment: string, pools: readonly string[], limit: number): Promise<LineRow[]> {
  return db.sql<LineRow[]>`
    select l.*
    from unnest(${pools}::text[]) as p (name), lateral (
      select t.pool, t.run_id::text as "runId", t.task_id as "taskId", t.map_index as "mapIndex", t.pipeline, t.slots, t.resources,
             t.replicas, coalesce((t.replicas ->> 'min')::int, 1) as times, t.environment, coalesce(r.lease_owner, '') as owner
      from task_run t join run r on r.id = t.run_id
      where t.environment = ${environment} and t.pool = p.name and t.state = 'ready'
      order by t.priority desc, t.interval_start, t.map_index, t.run_id
      limit ${limit}
    ) l`;
}

/**
 * Who holds slots of these pools, or resources of the environment or of any process, at most `limit`. Walks
 * `attempt_one_live_per_task_run`.
 */
export function readHolding(
  db: Db,
  environment: string,
  pools: readonly string[],
  limit: number,
): Promise<HolderRow[]> {
  return db.sql<HolderRow[]>`
    select t.pool, t.run_id::text as "runId", t.task_id as "taskId", t.map_index as "mapIndex", t.pipeline, t.slots, t.resources,
           t.replicas, coalesce(a.replicas, 1) as times, t.environment, a.worker as owner, coalesce(a.started_at, a.queued_at) as since
    from attempt a
    join task_run t using (run_id, task_id, map_index)
    where a.state in ('queued', 'running')
      and ((t.environment = ${environment} and t.pool = any(${pools}::text[])) or t.resources is not null)
    order by a.id
    limit ${limit}`;
}

/**
 * What successful task runs of these tasks took, in the newest runs of their pipelines, by their median in milliseconds; a
 * task without any is left out. Looks at 20 runs of each pipeline and at five task runs of each task in them.
 */
export async function readUsualTimes(
  db: Db,
  tasks: readonly { readonly environment: string; readonly pipeline: string; readonly taskId: string }[],
): Promise<readonly { environment: string; pipeline: string; taskId: string; usualMs: number }[]> {
  if (tasks.length === 0) return [];
  return db.sql<{ environment: string; pipeline: string; taskId: string; usualMs: number }[]>`
    select w.environment, w.pipeline, w."taskId",
           percentile_cont(0.5) within group (order by extract(epoch from t.finished_at - t.started_at) * 1000) as "usualMs"
    from jsonb_to_recordset(${JSON.stringify(tasks)}::jsonb) as w (environment text, pipeline text, "taskId" text),
    lateral (
      select id from run o
      where o.environment = w.environment and o.pipeline = w.pipeline
      order by o.id desc
      limit 20
    ) r,
    lateral (
      select started_at, finished_at
      from task_run
      where run_id = r.id and task_id = w."taskId" and state = 'success' and started_at is not null
      order by map_index
      limit 5
    ) t
    group by w.environment, w.pipeline, w."taskId"`;
}
