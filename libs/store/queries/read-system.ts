import type { Db } from '../statement.ts';

export interface PoolRow {
  readonly environment: string;
  readonly name: string;
  readonly slots: number;
  readonly used: number;
  /** Task runs that wait for a slot. */
  readonly ready: number;
}

export function readPools(db: Db): Promise<PoolRow[]> {
  return db.sql<PoolRow[]>`
    select p.environment, p.name, p.slots, p.used, coalesce(r.ready, 0) as ready
    from pool p
    left join (
      select environment, pool, count(*)::int as ready
      from task_run
      where state = 'ready'
      group by environment, pool
    ) r on r.environment = p.environment and r.pool = p.name
    order by p.environment, p.name`;
}

export interface StateCountRow {
  readonly environment: string;
  readonly state: string;
  readonly count: number;
}

/** Runs that are queued or running; `run_live` holds no others. */
export function countLiveRuns(db: Db): Promise<StateCountRow[]> {
  return db.sql<StateCountRow[]>`
    select environment, state, count(*)::int as count
    from run
    where state in ('queued', 'running')
    group by environment, state`;
}

/** Task runs of running runs that have not ended, by state. */
export function countLiveTaskRuns(db: Db): Promise<StateCountRow[]> {
  return db.sql<StateCountRow[]>`
    select r.environment, t.state, count(*)::int as count
    from run r
    join task_run t on t.run_id = r.id
    where r.state = 'running' and t.finished_at is null
    group by r.environment, t.state`;
}

export async function countPendingAlerts(db: Db): Promise<number> {
  const [row] = await db.sql<{ pending: number }[]>`
    select count(*)::int as pending from alert_delivery where state = 'pending'`;
  return row?.pending ?? 0;
}

/**
 * How long the oldest thing waits that could go on at once: a ready task run of a pool with a free slot, or a queued run
 * of a pipeline below its max_active_runs. Milliseconds by the database's clock; 0: nothing.
 */
export async function readSchedulerLag(db: Db): Promise<number> {
  const [row] = await db.sql<{ lag: number }[]>`
    with slots as (
      select min(t.ready_at) as since
      from task_run t
      join pool p on p.environment = t.environment and p.name = t.pool
      where t.state = 'ready' and p.slots - p.used >= t.slots
    ), queues as (
      select min(created_at) filter (where state = 'queued') as since
      from run
      where state in ('queued', 'running')
      group by environment, pipeline
      having count(*) filter (where state = 'running') < min(max_active_runs)
    )
    select coalesce(greatest(0, extract(epoch from clock_timestamp() - least(
      (select since from slots), (select min(since) from queues))) * 1000), 0)::float8 as lag`;
  return row?.lag ?? 0;
}

/** Attempts that living workers execute at once, and those that they have. */
export async function readWorkers(db: Db): Promise<{ capacity: number; running: number }> {
  const [row] = await db.sql<{ capacity: number; running: number }[]>`
    select (select coalesce(sum(capacity), 0)::int from process where kind = 'worker' and alive_until > now()) as capacity,
           (select count(*)::int from assignment where worker is not null and result is null and not fenced) as running`;
  return row ?? { capacity: 0, running: 0 };
}
