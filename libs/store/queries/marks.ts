import type { Mark, RunRecord, StoredMark } from '#core';
import type { Db } from '../statement.ts';
import { getRun } from './runs.ts';

/** What people say that runs and task runs count as. Rows are only ever added. */

/** Two statements: the second sees what whoever held the lock before has written. */
export async function lockRun(db: Db, runId: string): Promise<RunRecord | null> {
  await db.sql`select id from run where id = ${runId}::bigint for update`;
  return getRun(db, runId);
}

export async function addMarks(db: Db, marks: readonly Mark[]): Promise<void> {
  if (marks.length === 0) return;
  await db.sql`
    with added as (
      insert into run_mark (run_id, task_id, map_index, state, reason, actor)
      select "runId", "taskId", "mapIndex", state, reason, actor
      from jsonb_to_recordset(${JSON.stringify(marks)}::jsonb) as m ("runId" bigint, "taskId" text, "mapIndex" int, state text,
           reason text, actor text)
      returning run_id
    ), shown as (
      insert into event (environment, run_id, payload)
      select distinct r.environment, r.id, jsonb_build_object('kind', 'tasks', 'environment', r.environment, 'pipeline', r.pipeline,
             'runId', r.id::text, 'taskRuns', '[]'::jsonb)
      from added join run r on r.id = added.run_id
    )
    select count(*) from added`;
}

/** Index run_mark_of_run. */
export function marksOf(db: Db, runIds: readonly string[]): Promise<StoredMark[]> {
  return db.sql<StoredMark[]>`
    select run_id::text as "runId", task_id as "taskId", map_index as "mapIndex", state, reason, actor, at
    from run_mark
    where run_id = any(${runIds}::bigint[])
    order by run_mark.id`;
}
