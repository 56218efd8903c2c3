import type { BenchSystem } from './bench-system.ts';

/** Task runs of each run of the history. */
export const TASKS_OF_A_RUN = 10;
/** Pipelines that share it; the first ones are those that a benchmark runs. */
const PIPELINES = 10;
const RUNS_AT_ONCE = 25_000;

/**
 * Makes a history of so many ended task runs by SQL, in the very tables that runs leave their traces in: a run for each ten
 * of them, an attempt for each, a metric and a fire for each run, a delivery for each hundredth. `first` are pipelines that exist and get a tenth
 * of it each. Filling it by running tasks would take an hour, and leave the same rows.
 */
export async function fillHistory(
  { installation: { db } }: BenchSystem,
  taskRuns: number,
  first: readonly string[],
): Promise<void> {
  const pipelines = Array.from({ length: PIPELINES }, (_, n) => first[n] ?? `past${n}`);
  for (let left = taskRuns / TASKS_OF_A_RUN; left > 0; left -= RUNS_AT_ONCE) {
    const runs = Math.min(left, RUNS_AT_ONCE);
    await db.transaction(async (manager) => {
      const [made] = await manager.query<{ low: string; high: string }[]>(INSERT_RUNS, [pipelines, runs]);
      for (const statement of [INSERT_TASK_RUNS, INSERT_ATTEMPTS, INSERT_METRICS, INSERT_FIRES, INSERT_ALERTS])
        await manager.query(statement, [made?.low, made?.high]);
    });
  }
  // As autovacuum and the checkpointer do in their own time: what was written long ago is on the disk.
  await db.query('vacuum analyze');
  await db.query('checkpoint');
}

const INSERT_RUNS = `
  with made as (
    insert into run (environment, pipeline, release, config_hash, trigger, why, params, state, counts, max_active_runs, queue_order,
                     interval_start, interval_end, created_at, started_at, finished_at)
    select 'dev', ($1::text[])[i % cardinality($1::text[]) + 1], (select digest from release limit 1), 'h', 'schedule', 'It was due.', '{}',
           'success', '{"success": ${TASKS_OF_A_RUN}}', 16, i, at, at + interval '1 hour', at, at, at + interval '1 minute'
    from generate_series(1, $2::int) i,
         lateral (select now() - interval '2 years' + i * interval '1 minute' as at) t
    returning id
  )
  select min(id)::text as low, max(id)::text as high from made`;

const INSERT_TASK_RUNS = `
  insert into task_run (run_id, task_id, map_index, environment, pipeline, state, number, fence, pool, slots, priority, interval_start,
                        inputs, outputs, ready_at, queued_at, started_at, finished_at)
  select r.id, 't' || t, 0, r.environment, r.pipeline, 'success', 1, 1, 'default', 1, 0, r.interval_start,
         '[]', '{"rows": 1000}', r.started_at, r.started_at, r.started_at, r.finished_at
  from run r, generate_series(0, ${TASKS_OF_A_RUN - 1}) t
  where r.id between $1 and $2`;

const INSERT_ATTEMPTS = `
  insert into attempt (run_id, task_id, map_index, number, fence, state, worker, pid, queued_at, started_at, finished_at, exit_code, log_lines)
  select run_id, task_id, 0, 1, 1, 'success', 'past', 1, queued_at, started_at, finished_at, 0, 3
  from task_run where run_id between $1 and $2`;

const INSERT_METRICS = `
  insert into metric (environment, pipeline, task_id, map_index, map_key, name, value, at, interval_start, run_id, number, release, counted)
  select environment, pipeline, 't0', 0, '', 'rows', 1000, finished_at, interval_start, id, 1, release, true
  from run where id between $1 and $2`;

const INSERT_FIRES = `
  insert into fire (environment, pipeline, trigger_key)
  select environment, pipeline, 'past ' || id from run where id between $1 and $2`;

const INSERT_ALERTS = `
  insert into alert_delivery (environment, pipeline, run_id, event, target, message, state, sent_at)
  select environment, pipeline, id, 'run.failed', 'slack:#a', '{}', 'sent', finished_at
  from run where id between $1 and $2 and id % 100 = 0`;
