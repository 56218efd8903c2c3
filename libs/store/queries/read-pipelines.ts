import type { RunState } from '#core';
import type { Db } from '../statement.ts';

export interface RunBarRow {
  readonly pipeline: string;
  readonly id: string;
  readonly state: RunState;
  readonly createdAt: string;
  readonly durationMs: number | null;
  readonly intervalStart: string | null;
}

/** The last 30 runs, shadow runs apart, of each pipeline named, newest first. One walk along `run_of_pipeline` per pipeline. */
export function readLastRuns(db: Db, environment: string, pipelines: readonly string[]): Promise<RunBarRow[]> {
  return db.sql<RunBarRow[]>`
    select r.*
    from unnest(${pipelines}::text[]) as p (name)
    cross join lateral (
      select pipeline, id::text, state, created_at as "createdAt", interval_start as "intervalStart",
             (extract(epoch from finished_at - started_at) * 1000)::float8 as "durationMs"
      from run
      where environment = ${environment} and pipeline = p.name and not shadow
      order by run.id desc
      limit 30
    ) r`;
}

export interface ScheduleRow {
  readonly pipeline: string;
  readonly paused: boolean;
  /** Null: it is not, or somebody paused it. */
  readonly pausedReason: string | null;
  readonly activatedAt: string;
  /** End of the last interval that was handled. */
  readonly lastEnd: string | null;
  /** Runs of this pipeline that are queued or running. */
  readonly active: number;
}

/** One row for each pipeline that was ever active in the environment. */
export function readSchedules(db: Db, environment: string): Promise<ScheduleRow[]> {
  return db.sql<ScheduleRow[]>`
    with live as (
      select pipeline, count(*)::int as active
      from run
      where environment = ${environment} and state in ('queued', 'running')
      group by pipeline
    )
    select s.pipeline, s.paused, s.paused_reason as "pausedReason", s.activated_at as "activatedAt", s.last_end as "lastEnd", coalesce(live.active, 0) as active
    from schedule s
    left join live using (pipeline)
    where s.environment = ${environment}`;
}

/** Scheduled intervals of a pipeline whose run has ended. Reads all its runs: only for pipelines that are catching up. */
export async function countHandledIntervals(db: Db, environment: string, pipeline: string): Promise<number> {
  const [row] = await db.sql<{ done: number }[]>`
    select count(*)::int as done
    from run
    where environment = ${environment} and pipeline = ${pipeline} and trigger = 'schedule' and finished_at is not null`;
  return row?.done ?? 0;
}
