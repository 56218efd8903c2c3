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

/** Runs of a pipeline, newest first, older than `before` when that is given. */
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
    where environment = ${environment} and pipeline = ${pipeline} and (${before}::bigint is null or run.id < ${before}::bigint)
    order by run.id desc
    limit ${limit}`;
}

export interface GridCellsRow {
  readonly runId: string;
  readonly taskIds: readonly string[];
  /** For each task: position, from 0, in `severity` of the worst state of its task runs. */
  readonly worst: readonly number[];
}

/** One row per run instead of one per cell: a hundred thousand cells arrive as a hundred rows. */
export function readGridCells(db: Db, runIds: readonly string[], severity: readonly string[]): Promise<GridCellsRow[]> {
  return db.sql<GridCellsRow[]>`
    select run_id::text as "runId", array_agg(task_id) as "taskIds", array_agg(worst - 1) as worst
    from (
      select run_id, task_id, min(array_position(${severity}::text[], state)) as worst
      from task_run
      where run_id = any(${runIds}::bigint[])
      group by run_id, task_id
    ) cells
    group by run_id`;
}
