import type { PastRun } from '#core';
import type { Db } from '../statement.ts';

/**
 * By the order of `wanted`: the newest run of the interval before that of `runId`, with the task runs of `tasks`. An
 * interval counts when it was fired or backfilled; the first one of a backfill has none before it. Index run_by_interval.
 */
export async function pastOf(
  db: Db,
  wanted: readonly { readonly runId: string; readonly tasks: readonly string[] }[],
): Promise<(PastRun | null)[]> {
  if (wanted.length === 0) return [];
  const rows = await db.sql<{ past: PastRun | null }[]>`
    select (
      select jsonb_build_object('runId', p.id::text, 'state', p.state, 'marked', (
               select m.state from run_mark m where m.run_id = p.id and m.task_id is null order by m.id desc limit 1
             ), 'intervalStart', to_char(p.interval_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
             'hasBegun', exists (select from task_run t where t.run_id = p.id),
             'taskRuns', (
               select coalesce(jsonb_agg(jsonb_build_object('taskId', t.task_id, 'state', t.state, 'isFannedOut', t.matrix is not null,
                        'counts', coalesce((
                          select m.state from run_mark m
                          where m.run_id = t.run_id and m.task_id = t.task_id and coalesce(m.map_index, t.map_index) = t.map_index
                          order by m.id desc
                          limit 1
                        ), t.state)) order by t.map_index), '[]')
               from task_run t
               where t.run_id = p.id and t.task_id in (select jsonb_array_elements_text(w.tasks))
             ))
      from (
        select r.interval_start from run r
        where r.environment = me.environment and r.pipeline = me.pipeline and r.interval_start < me.interval_start
          and not r.shadow and r.state <> 'skipped' and r.trigger in ('schedule', 'backfill')
        order by r.interval_start desc
        limit 1
      ) before, lateral (
        select * from run r
        where r.environment = me.environment and r.pipeline = me.pipeline and r.interval_start = before.interval_start
          and not r.shadow and r.state <> 'skipped' and r.trigger in ('schedule', 'backfill', 'rerun', 'manual')
        order by r.id desc
        limit 1
      ) p
      where me.backfill_id is null or exists (
        select from backfill_interval b
        where b.backfill_id = me.backfill_id and b.state <> 'left_out' and b.interval_start < me.interval_start)
    ) as past
    from jsonb_array_elements(${JSON.stringify(wanted)}::jsonb) with ordinality as e (item, place),
         jsonb_to_record(e.item) as w ("runId" bigint, tasks jsonb)
    left join run me on me.id = w."runId"
    order by e.place`;
  return rows.map(({ past }) => past);
}
