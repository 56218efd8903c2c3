import type { NewRun } from '#core';
import type { Db } from '../statement.ts';

/**
 * Creates scheduled runs and moves the watermarks of their pipelines, in one statement however many there are: at
 * midnight ten thousand pipelines fire together.
 * Locks: rows of `fire`, in the order of pipeline and place in the list, so that two processes that fire the same tick
 * wait for each other instead of crossing; the second then creates none. Ids follow the same order.
 */
export async function fireRuns(
  db: Db,
  environment: string,
  runs: readonly NewRun[],
  handled: readonly { readonly pipeline: string; readonly lastEnd: string }[],
): Promise<number> {
  const [result] = await db.sql<{ created: number }[]>`
    with given as (
      select row_number() over () as place, *
      from jsonb_to_recordset(${JSON.stringify(runs)}::jsonb) as t (
        pipeline text, release text, "configHash" text, trigger text, "triggerKey" text, why text, "intervalStart" timestamptz,
        "intervalEnd" timestamptz, params jsonb, state text, reason text, "maxActiveRuns" int, "queueOrder" float8,
        "deadlineMs" float8, "runTimeoutMs" float8)
    ), fired as (
      insert into fire (environment, pipeline, trigger_key)
      select ${environment}, pipeline, "triggerKey" from given order by pipeline, place
      on conflict do nothing
      returning pipeline, trigger_key
    ), created as (
      insert into run (environment, pipeline, release, config_hash, trigger, why, interval_start, interval_end, params, state, reason,
                       max_active_runs, queue_order, deadline_at, timeout_at, finished_at)
      select ${environment}, g.pipeline, g.release, g."configHash", g.trigger, g.why, g."intervalStart", g."intervalEnd", g.params, g.state,
             g.reason, g."maxActiveRuns", g."queueOrder", now() + g."deadlineMs" * interval '1 millisecond',
             now() + g."runTimeoutMs" * interval '1 millisecond', case when g.state = 'skipped' then now() end
      from given g
      join fired f on f.pipeline = g.pipeline and f.trigger_key = g."triggerKey"
      order by g.pipeline, g.place
      returning id, pipeline, state
    ), shown as (
      insert into event (environment, run_id, payload)
      select ${environment}, id,
             jsonb_build_object('kind', 'run', 'environment', ${environment}::text, 'pipeline', pipeline, 'runId', id::text, 'state', state)
      from created
    ), moved as (
      update schedule s
      set last_end = h."lastEnd"
      from jsonb_to_recordset(${JSON.stringify(handled)}::jsonb) as h (pipeline text, "lastEnd" timestamptz)
      where s.environment = ${environment} and s.pipeline = h.pipeline and (s.last_end is null or s.last_end < h."lastEnd")
    )
    select count(*)::int as created from created`;
  return result?.created ?? 0;
}
