import type { CheckResult, EngineStore } from '#core';
import type { Db } from '../statement.ts';

/** Index check_result_series. */
export async function earlierRows(
  db: Db,
  about: Parameters<EngineStore['earlierRows']>[0],
  runs: number,
): Promise<number[]> {
  const rows = await db.sql<{ rows: number }[]>`
    select c.rows::float8 as rows
    from check_result c join run r on r.id = c.run_id
    where c.environment = ${about.environment} and c.pipeline = ${about.pipeline} and c.task_id = ${about.taskId}
      and c.name = ${about.check} and c.map_key = ${about.mapKey} and c.run_id < ${about.id}::bigint
      and c.counted and c.rows is not null and r.state = 'success' and not r.shadow and r.withdrawn_at is null
    order by c.run_id desc
    limit ${runs}`;
  return rows.map((row) => row.rows);
}

export interface CheckPointRow extends Omit<CheckResult, 'sample'> {
  readonly taskId: string;
  readonly mapKey: string;
  readonly runId: string;
  readonly at: string;
  readonly intervalStart: string | null;
}

/**
 * For each run the last result of each check, failed tries included; by series, oldest run first. The newest so many runs
 * of the pipeline, without shadow runs; at most `limit` results, newest runs first.
 */
export function readCheckSeries(
  db: Db,
  filter: {
    readonly environment: string;
    readonly pipeline: string;
    readonly task: string | null;
    readonly runs: number;
    readonly limit: number;
  },
): Promise<CheckPointRow[]> {
  return db.sql<CheckPointRow[]>`
    with newest as (
      select id from run
      where environment = ${filter.environment} and pipeline = ${filter.pipeline} and not shadow
      order by run.id desc
      limit ${filter.runs}
    ), last_results as (
      select distinct on (c.run_id, c.task_id, c.map_index, c.name) c.*
      from check_result c join newest n on n.id = c.run_id
      where ${filter.task}::text is null or c.task_id = ${filter.task}
      order by c.run_id, c.task_id, c.map_index, c.name, c.number desc
    ), kept as (
      select * from last_results order by run_id desc limit ${filter.limit}
    )
    select task_id as "taskId", name, map_key as "mapKey", path, state, rows::float8 as rows, bad::float8 as bad, detail,
           run_id::text as "runId", at, interval_start as "intervalStart"
    from kept
    order by kept.task_id, kept.name, kept.map_key, kept.run_id`;
}

export interface RunCheckRow extends CheckResult {
  readonly taskId: string;
  readonly mapIndex: number;
  readonly mapKey: string;
  readonly number: number;
}

/** Of the last try of each task run, those that it took over included. */
export function readRunChecks(db: Db, runId: string, limit: number): Promise<RunCheckRow[]> {
  return db.sql<RunCheckRow[]>`
    select distinct on (t.task_id, t.map_index, c.name) t.task_id as "taskId", t.map_index as "mapIndex", t.map_key as "mapKey", c.number,
           c.name, c.path, c.state, c.rows::float8 as rows, c.bad::float8 as bad, c.detail, c.sample
    from task_run t
    join check_result c on c.run_id = coalesce(t.cached_from, t.origin_run, t.run_id) and c.task_id = t.task_id and c.map_index = t.map_index
    where t.run_id = ${runId}::bigint
    order by t.task_id, t.map_index, c.name, c.number desc
    limit ${limit}`;
}
