import type { EndedFire } from '#core';
import type { Db } from '../statement.ts';

/** Failures of scheduled runs in a row. */

/** Walks `run_of_pipeline` from the newest. */
export function endedFires(db: Db, environment: string, pipeline: string, limit: number): Promise<EndedFire[]> {
  return db.sql<EndedFire[]>`
    select r.id::text as "runId", coalesce((
             select m.state from run_mark m where m.run_id = r.id and m.task_id is null order by m.id desc limit 1
           ), r.state) as counts, exists (
             select from run later
             where later.environment = r.environment and later.pipeline = r.pipeline and later.interval_start = r.interval_start
               and later.id > r.id and later.state = 'success' and not later.shadow
           ) as "isMended"
    from run r
    join schedule s on s.environment = r.environment and s.pipeline = r.pipeline
    where r.environment = ${environment} and r.pipeline = ${pipeline} and r.trigger = 'schedule'
      and r.state in ('success', 'failed', 'timed_out') and (s.resumed_at is null or r.finished_at > s.resumed_at)
    order by r.id desc
    limit ${limit}`;
}

export async function pauseBecause(db: Db, environment: string, pipeline: string, reason: string): Promise<boolean> {
  const rows = await db.sql<object[]>`
    with paused as (
      update schedule set paused = true, paused_reason = ${reason}
      where environment = ${environment} and pipeline = ${pipeline} and not paused
      returning environment, pipeline
    )
    select * from paused`;
  return rows.length > 0;
}
