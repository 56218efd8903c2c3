import type { ScheduleRecord } from '#core';
import type { Db } from '../statement.ts';

/**
 * Adds missing rows; a changed definition keeps the watermark, so what was handled is not handled again. A pipeline that
 * was manual and handled nothing yet is activated by getting a schedule, or it would have to make up for all that time.
 */
export function syncSchedules(
  db: Db,
  environment: string,
  schedules: readonly { pipeline: string; definition: string }[],
): Promise<ScheduleRecord[]> {
  return db.sql<ScheduleRecord[]>`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(schedules)}::jsonb) as t (pipeline text, definition text)
    ), synced as (
      insert into schedule (environment, pipeline, definition)
      select ${environment}, pipeline, definition from given
      on conflict (environment, pipeline) do update
      set definition = excluded.definition,
          activated_at = case when schedule.definition = '{"kind":"manual"}' and schedule.last_end is null then now() else schedule.activated_at end
      where schedule.definition <> excluded.definition
      returning environment, pipeline, activated_at, last_end, paused
    ), all_rows as (
      select environment, pipeline, activated_at, last_end, paused from synced
      union all
      select s.environment, s.pipeline, s.activated_at, s.last_end, s.paused
      from schedule s
      where s.environment = ${environment} and not exists (select from synced y where y.pipeline = s.pipeline)
    )
    select environment, pipeline, activated_at as "activatedAt", last_end as "lastEnd", paused from all_rows order by pipeline`;
}

export function readSchedules(db: Db, environment: string, pipelines: readonly string[]): Promise<ScheduleRecord[]> {
  return db.sql<ScheduleRecord[]>`
    select environment, pipeline, activated_at as "activatedAt", last_end as "lastEnd", paused
    from schedule
    where environment = ${environment} and pipeline = any(${pipelines})
    order by pipeline`;
}

/** False when the environment has no such pipeline. Failures before it is continued do not count any more; what happened while it was paused is looked at again. */
export async function setPaused(db: Db, environment: string, pipeline: string, paused: boolean): Promise<boolean> {
  const rows = await db.sql<object[]>`
    with changed as (
      update schedule
      set paused = ${paused}, paused_reason = null, resumed_at = case when ${paused}::boolean then resumed_at else clock_timestamp() end
      where environment = ${environment} and pipeline = ${pipeline} returning 1
    ), asked as (
      update unseen set asked = false
      where not ${paused}::boolean and environment = ${environment} and pipeline = ${pipeline} and asked
    )
    select * from changed`;
  return rows.length > 0;
}
