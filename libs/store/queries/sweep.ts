import { inTransaction, type Db } from '../statement.ts';
import { analyzeGrown } from './analyze-grown.ts';
import { sweepWaits } from './waits.ts';

/**
 * Recounts what pools have in use from the live attempts; forgets old live events, dead processes, and commands to runs
 * that ended before anybody read them, assignments of attempts that ended, and what waited no longer; analyzes what has grown.
 */
export async function sweep(db: Db): Promise<{ environment: string; pool: string }[]> {
  await inTransaction(db, async (manager) => {
    // The pools' locks first, as admission takes them: the recount must not run beside it.
    await manager.sql`select name from pool order by environment, name for update`;
    await manager.sql`
      with counted as (
        select t.environment, t.pool, sum(t.slots * coalesce(a.replicas, 1))::int as used
        from attempt a join task_run t using (run_id, task_id, map_index)
        where a.state in ('queued', 'running')
        group by t.environment, t.pool
      ), recounted as (
        update pool p
        set used = coalesce((select c.used from counted c where c.environment = p.environment and c.pool = p.name), 0)
        where p.used <> coalesce((select c.used from counted c where c.environment = p.environment and c.pool = p.name), 0)
        returning 1
      )
      select count(*) from recounted`;
  });
  await db.sql`
    with old as (
      delete from event where at < now() - interval '1 day' returning 1
    ), gone as (
      delete from process where alive_until < now() - interval '1 hour' returning 1
    ), unread as (
      delete from inbox i
      using run r
      where r.id = i.run_id and r.finished_at is not null
      returning 1
    ), ended as (
      delete from assignment s
      using attempt a
      where a.id = s.attempt_id and a.state not in ('queued', 'running')
      returning 1
    )
    select (select count(*) from old), (select count(*) from gone), (select count(*) from unread), (select count(*) from ended)`;
  await sweepWaits(db);
  await analyzeGrown(db);
  return db.sql<{ environment: string; pool: string }[]>`
    select distinct environment, pool from task_run where state = 'ready'`;
}
