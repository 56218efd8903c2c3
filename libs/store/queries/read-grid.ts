import type { RunState } from '#core';
import type { Db } from '../statement.ts';

export interface GridRunRow {
  readonly id: string;
  readonly state: RunState;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly intervalStart: string | null;
  readonly release: string;
  readonly trigger: string;
}

/** Runs of a pipeline but shadow runs, newest first, older than `before` when that is given. */
export function readGridRuns(
  db: Db,
  environment: string,
  pipeline: string,
  before: string | null,
  limit: number,
): Promise<GridRunRow[]> {
  return db.sql<GridRunRow[]>`
    select id::text, state, created_at as "createdAt", started_at as "startedAt", finished_at as "finishedAt",
           interval_start as "intervalStart", release, trigger
    from run
    where environment = ${environment} and pipeline = ${pipeline} and not shadow and (${before}::bigint is null or run.id < ${before}::bigint)
    order by run.id desc
    limit ${limit}`;
}

export interface GridCellsRow {
  readonly runId: string;
  /** `task state,task state,…`, one for each task run. */
  readonly cells: string;
}

/**
 * One text per run instead of one row per task run: a hundred thousand cells take 0.25 s that way. Finding the worst
 * state of each task here as well would take 1 s, so that is left to the caller.
 */
export function readGridCells(db: Db, runIds: readonly string[]): Promise<GridCellsRow[]> {
  return db.sql<GridCellsRow[]>`
    select run_id::text as "runId", string_agg(task_id || ' ' || case when cached_from is null then state else 'cached' end, ',') as cells
    from task_run
    where run_id = any(${runIds}::bigint[])
    group by run_id`;
}
