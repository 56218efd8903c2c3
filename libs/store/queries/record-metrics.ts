import { SluiceError } from '#core';
import type { Db } from '../statement.ts';

export interface GivenPoint {
  readonly taskId: string;
  readonly mapIndex: number;
  readonly name: string;
  readonly value: number;
  readonly step: number | null;
}

/**
 * Adds metric points that were told from outside to the newest try of their task runs. They count unless that try has
 * failed already. Throws `not_found`, and adds none, when the run or one of the task runs does not exist.
 */
export async function recordMetrics(db: Db, runId: string, points: readonly GivenPoint[]): Promise<void> {
  const [result] = await db.sql<{ known: boolean; missing: string[] }[]>`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(points)}::jsonb) as t ("taskId" text, "mapIndex" int, name text,
        value double precision, step int)
    ), missing as (
      select distinct g."taskId" || '[' || g."mapIndex" || ']' as task_run
      from given g
      where not exists (
        select from task_run t where t.run_id = ${runId}::bigint and t.task_id = g."taskId" and t.map_index = g."mapIndex"
      )
    ), noted as (
      insert into metric (environment, pipeline, task_id, map_index, map_key, name, value, step, at, interval_start, run_id, number, release, counted)
      select r.environment, r.pipeline, t.task_id, t.map_index, t.map_key, g.name, g.value, g.step, clock_timestamp(), r.interval_start,
             r.id, t.number, r.release, t.state in ('queued', 'running', 'success')
      from given g
      join run r on r.id = ${runId}::bigint
      join task_run t on t.run_id = r.id and t.task_id = g."taskId" and t.map_index = g."mapIndex"
      where not exists (select from missing)
      returning 1
    )
    select exists (select from run where id = ${runId}::bigint) as known,
           (select coalesce(array_agg(task_run), '{}') from missing) as missing, (select count(*) from noted) as noted`;
  if (!result?.known)
    throw new SluiceError('not_found', `There is no run ${runId}.`, { hint: 'See `sluice runs list`.' });
  if (result.missing.length > 0)
    throw new SluiceError('not_found', `Run ${runId} has no task run ${result.missing.slice(0, 5).join(', ')} (yet).`, {
      hint: 'Metrics belong to task runs that are at least ready. Nothing was recorded.',
    });
}
