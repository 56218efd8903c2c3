import type { DataSource, EntityManager } from 'typeorm';
import type { Db } from '../statement.ts';
import { unneededAmong } from './expired-runs.ts';

/** A file that holds what is removed. */
export interface WrittenArchive {
  readonly environment: string;
  /** `2026-01-02`. */
  readonly day: string;
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
}

// Indexes on the run of each; in the order in which they depend on each other. Marks stay: they say what a run counts as
// for those that come later.
const HANGING = [
  'task_run',
  'attempt',
  'task_wait',
  'check_result',
  'metric',
  'alert_delivery',
  'verification',
  'run_cause',
  'run_mark',
] as const;

/**
 * One transaction: those of the runs that nothing needs (any more) go with all that hangs on them, and the archive that holds
 * them is noted; how many runs and task runs. Locks: the runs by id. Whoever makes a run from one of them locks it as well,
 * so that it either stays or is gone for them too.
 */
export function removeRuns(
  db: DataSource,
  archive: WrittenArchive,
  runIds: readonly string[],
): Promise<{ readonly runs: number; readonly taskRuns: number }> {
  return db.transaction(async (manager) => {
    await manager.sql`select id from run where id = any(${runIds}::bigint[]) order by id for update`;
    // A statement of its own: it has to see what was committed while it waited for the locks.
    const ids = await unneededAmong(manager, runIds);
    if (ids.length === 0) return { runs: 0, taskRuns: 0 };
    await keepMetrics(manager, ids);
    // What counts for nothing must not outlive the run that says so.
    await manager.sql`
      with marked as (
        update path_version p set removed_at = now()
        from run r
        where r.id = any(${ids}::bigint[]) and (r.shadow or r.withdrawn_at is not null) and p.run_id = r.id and p.removed_at is null
        returning 1
      )
      select count(*) from marked`;
    // The others tell what else is to be erased, or is data still.
    await manager.sql`
      with forgotten as (
        delete from path_version where run_id = any(${ids}::bigint[]) and erased_at is not null returning 1
      )
      select count(*) from forgotten`;
    await manager.sql`
      with freed as (
        update verification set shadow_run_id = null where shadow_run_id = any(${ids}::bigint[]) returning 1
      )
      select count(*) from freed`;
    let taskRuns = 0;
    const marked = await markedStates(manager, ids);
    for (const table of HANGING) {
      const [gone] = await manager.query<{ n: number }[]>(
        `with gone as (delete from ${table} where run_id = any($1::bigint[]) returning 1) select count(*)::int as n from gone`,
        [ids],
      );
      if (table === 'task_run') taskRuns = gone?.n ?? 0;
    }
    await manager.sql`
      with noted as (
        insert into archive (environment, day, key, sha256, bytes, runs, task_runs)
        values (${archive.environment}, ${archive.day}::date, ${archive.key}, ${archive.sha256}, ${archive.bytes}, ${ids.length}, ${taskRuns})
        returning id
      ), gone as (
        delete from run where id = any(${ids}::bigint[])
        returning *
      ), archived as (
        insert into archived_run (run_id, archive_id, environment, pipeline, release, trigger, shadow, state, interval_start, interval_end,
                                  created_at, started_at, finished_at)
        select g.id, n.id, g.environment, g.pipeline, g.release, g.trigger, g.shadow,
               coalesce(${JSON.stringify(marked)}::jsonb ->> g.id::text, g.state), g.interval_start, g.interval_end,
               g.created_at, g.started_at, g.finished_at
        from gone g, noted n
        returning 1
      )
      select count(*) from archived`;
    return { runs: ids.length, taskRuns };
  });
}

/** What people said that runs count as: tasks that wait for them go on to see that. */
async function markedStates(manager: EntityManager, runIds: readonly string[]): Promise<Record<string, string>> {
  const rows = await manager.sql<{ runId: string; state: string }[]>`
    select distinct on (run_id) run_id::text as "runId", state
    from run_mark
    where run_id = any(${runIds}::bigint[]) and task_id is null
    order by run_mark.run_id, id desc`;
  return Object.fromEntries(rows.map(({ runId, state }) => [runId, state]));
}

/** The value that charts show, as `readMetricSeries` picks it. */
async function keepMetrics(manager: EntityManager, runIds: readonly string[]): Promise<void> {
  await manager.sql`
    with last_values as (
      select distinct on (m.run_id, m.task_id, m.name, m.map_key) m.*
      from metric m join run r on r.id = m.run_id
      where m.run_id = any(${runIds}::bigint[]) and m.counted and not r.shadow
      order by m.run_id, m.task_id, m.name, m.map_key, m.number desc, m.step desc nulls last, m.at desc
    ), kept as (
      insert into metric_history (environment, pipeline, run_id, task_id, map_key, name, value, at, interval_start, release)
      select environment, pipeline, run_id, task_id, map_key, name, value, at, interval_start, release
      from last_values
      on conflict do nothing
      returning 1
    )
    select count(*) from kept`;
}

/**
 * Forgets what processes executed tasks with that are gone, and of which no attempt is left. Walks all attempts: for when
 * some were removed. A process that sleeps for more than an hour counts as gone.
 */
export async function forgetWorkers(db: Db): Promise<void> {
  await db.sql`
    with gone as (
      delete from worker w
      where w.started_at < now() - interval '1 hour'
        and not exists (select from process p where p.id = w.id)
        and not exists (select from attempt a where a.worker = w.id)
      returning 1
    )
    select count(*) from gone`;
}
