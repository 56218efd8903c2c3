import type { EntityManager } from 'typeorm';
import type { Batch } from '#core';

/**
 * Lets metrics and checks count that were stored when their try ended, and did not count then. Finds them by run, the
 * first column of `metric_of_run` and `check_result_of_run`.
 */
export async function countResults(manager: EntityManager, tries: Batch['counted']): Promise<void> {
  if (tries.length === 0) return;
  await manager.sql`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(tries)}::jsonb) as t ("runId" bigint, "taskId" text, "mapIndex" int, number int)
    ), metrics as (
      update metric m set counted = true from given g
      where m.run_id = g."runId" and m.task_id = g."taskId" and m.map_index = g."mapIndex" and m.number = g.number
      returning 1
    ), checks as (
      update check_result c set counted = true from given g
      where c.run_id = g."runId" and c.task_id = g."taskId" and c.map_index = g."mapIndex" and c.number = g.number
      returning 1
    )
    select (select count(*) from metrics) as metrics, (select count(*) from checks) as checks`;
}
