/** SQL that inserts a JSON array of `TaskRunInsert`; what is `queued` is at its first attempt. `returning` may follow. */
export const insertTaskRuns = (parameter: string): string => `
      insert into task_run (run_id, task_id, map_index, map_key, matrix, environment, pipeline, state, pool, slots, priority,
                            interval_start, inputs, reason, cache_key, cache, cached_from, outputs, summary, resources, replicas,
                            number, fence, ready_at, queued_at, finished_at)
      select "runId", "taskId", "mapIndex", "mapKey", matrix, environment, pipeline, state, pool, slots, priority,
             "intervalStart", inputs, reason, cache ->> 'key', cache - 'key' - 'from', (cache ->> 'from')::bigint, outputs, summary,
             resources, replicas, (state = 'queued')::int, (state = 'queued')::int,
             case when state in ('ready', 'queued') then clock_timestamp() end,
             case when state = 'queued' then clock_timestamp() end,
             case when state in ('success', 'failed', 'skipped', 'upstream_failed', 'cancelled') then clock_timestamp() end
      from json_to_recordset(${parameter}::json) as t ("runId" bigint, "taskId" text, "mapIndex" int, "mapKey" text, matrix jsonb,
             environment text, pipeline text, state text, pool text, slots int, priority int,
             "intervalStart" timestamptz, inputs jsonb, reason text, cache jsonb, outputs jsonb, summary text, resources jsonb,
             replicas jsonb)`;
