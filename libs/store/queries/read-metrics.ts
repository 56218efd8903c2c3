import type { Db } from '../statement.ts';

export interface MetricPointRow {
  readonly task: string;
  readonly name: string;
  readonly mapKey: string;
  readonly runId: string;
  readonly at: string;
  readonly intervalStart: string | null;
  readonly release: string;
  readonly value: number;
}

export interface MetricFilter {
  readonly environment: string;
  readonly pipeline: string;
  /** Null: of any task, any name. */
  readonly task: string | null;
  readonly name: string | null;
  /** The newest so many runs of the pipeline; what shadow runs measured is no course of it. */
  readonly runs: number;
  /** At most so many points, newest runs first. */
  readonly limit: number;
}

/** For each run the last value of each metric of each task run, of successful attempts only; by series, oldest run first. Archived runs follow those that are there. */
export function readMetricSeries(db: Db, filter: MetricFilter): Promise<MetricPointRow[]> {
  return db.sql<MetricPointRow[]>`
    with newest as (
      select id
      from run
      where environment = ${filter.environment} and pipeline = ${filter.pipeline} and not shadow
      order by id desc
      limit ${filter.runs}
    ), archived as (
      select distinct run_id as id
      from metric_history
      where environment = ${filter.environment} and pipeline = ${filter.pipeline}
      order by run_id desc
      limit ${filter.runs} - (select count(*) from newest)
    ), last_values as (
      select distinct on (m.task_id, m.name, m.map_key, m.run_id)
             m.task_id, m.name, m.map_key, m.run_id, m.at, m.interval_start, m.release, m.value
      from metric m
      join newest n on n.id = m.run_id
      where m.counted and (${filter.task}::text is null or m.task_id = ${filter.task})
        and (${filter.name}::text is null or m.name = ${filter.name})
      order by m.task_id, m.name, m.map_key, m.run_id, m.number desc, m.step desc nulls last, m.at desc
    ), kept as (
      select * from (
        select * from last_values
        union all
        select h.task_id, h.name, h.map_key, h.run_id, h.at, h.interval_start, h.release, h.value
        from metric_history h
        join archived a on a.id = h.run_id
        where h.environment = ${filter.environment} and h.pipeline = ${filter.pipeline}
          and (${filter.task}::text is null or h.task_id = ${filter.task})
          and (${filter.name}::text is null or h.name = ${filter.name})
      ) known
      order by run_id desc limit ${filter.limit}
    )
    select task_id as task, name, map_key as "mapKey", run_id::text as "runId", at, interval_start as "intervalStart", release, value
    from kept
    order by task_id, name, map_key, run_id`;
}
