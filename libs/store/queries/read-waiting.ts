import type { Db } from '../statement.ts';

export interface QueuePlace {
  /** 1: next. */
  readonly position: number;
  readonly maxActiveRuns: number;
  /** Running runs of the same pipeline, at most ten. */
  readonly holders: readonly string[];
  /** What the last successful runs of the pipeline took, at most twenty, by their median; null: there are none. */
  readonly usualMs: number | null;
  /** It does not start before that goes on: the pipeline, or its backfill by id. */
  readonly pausedBy: { readonly backfill: string | null; readonly reason: string | null } | null;
}

/** Where a queued run stands in its pipeline's queue; null when it is not queued. */
export async function readQueuePlace(db: Db, runId: string): Promise<QueuePlace | null> {
  const [row] = await db.sql<QueuePlace[]>`
    select q.max_active_runs as "maxActiveRuns", (
      select count(*)::int + 1
      from run o
      where o.environment = q.environment and o.pipeline = q.pipeline and o.state = 'queued'
        and (o.queue_order, o.id) < (q.queue_order, q.id)
    ) as position, (
      select coalesce(array_agg(h.id::text), '{}')
      from (
        select id from run o
        where o.environment = q.environment and o.pipeline = q.pipeline and o.state = 'running'
        order by o.id
        limit 10
      ) h
    ) as holders, (
      select percentile_cont(0.5) within group (order by extract(epoch from d.finished_at - d.started_at) * 1000)
      from (
        select started_at, finished_at from run o
        where o.environment = q.environment and o.pipeline = q.pipeline and o.state = 'success' and not o.shadow
        order by o.id desc
        limit 20
      ) d
    ) as "usualMs", (
      select jsonb_build_object('backfill', p.backfill, 'reason', p.reason)
      from (
        select b.id::text as backfill, null as reason from backfill b where b.id = q.backfill_id and b.state = 'paused'
        union all
        select null, s.paused_reason from schedule s
        where s.environment = q.environment and s.pipeline = q.pipeline and s.paused
          and q.trigger in ('schedule', 'dataset', 'after', 'event')
      ) p
      limit 1
    ) as "pausedBy"
    from run q
    where q.id = ${runId}::bigint and q.state = 'queued'`;
  return row ?? null;
}

export interface ReadyPlace {
  readonly taskId: string;
  readonly mapIndex: number;
  readonly pool: string;
  /** Place among all that wait for this pool; 1: next. */
  readonly position: number;
}

/** Where the ready task runs of a run stand in their pools' queues, at most `limit`. */
export function readReadyPlaces(db: Db, environment: string, runId: string, limit: number): Promise<ReadyPlace[]> {
  return db.sql<ReadyPlace[]>`
    with placed as (
      select run_id, task_id, map_index, pool,
             row_number() over (partition by pool order by priority desc, interval_start, map_index, run_id)::int as position
      from task_run
      where environment = ${environment} and state = 'ready'
    )
    select task_id as "taskId", map_index as "mapIndex", pool, position
    from placed
    where run_id = ${runId}::bigint
    order by position
    limit ${limit}`;
}

export interface PoolSlotsRow {
  readonly pool: string;
  readonly slots: number;
  readonly used: number;
}

export function readPoolSlots(db: Db, environment: string, pools: readonly string[]): Promise<PoolSlotsRow[]> {
  return db.sql<PoolSlotsRow[]>`
    select name as pool, slots, used
    from pool
    where environment = ${environment} and name = any(${pools}::text[])`;
}
