import type { Db } from '../statement.ts';

/** What of a run goes into an archive: everything that hangs on it, but for its log and its data. */
export interface RunArchive {
  readonly run: Readonly<Record<string, unknown>> & { readonly id: string };
  readonly taskRuns: readonly object[];
  readonly attempts: readonly object[];
  readonly waits: readonly object[];
  readonly checks: readonly object[];
  readonly metrics: readonly object[];
  readonly versions: readonly object[];
  readonly alerts: readonly object[];
  /** What people said that it, or its task runs, count as. */
  readonly marks: readonly object[];
  readonly verifications: readonly object[];
  /** Runs that started it. */
  readonly causes: readonly object[];
}

type Part = Exclude<keyof RunArchive, 'run'>;

const RUNS = `
  select r.id::text, r.environment, r.pipeline, r.release, l.alias as "releaseAlias", l.commit, r.config_hash as "configHash", r.trigger,
         r.shadow, r.why, r.interval_start as "intervalStart", r.interval_end as "intervalEnd", r.params, r.origin_run::text as "originRun",
         r.state, r.reason, r.counts, r.created_at as "createdAt", r.started_at as "startedAt", r.finished_at as "finishedAt",
         r.promotion_id::text as "promotionId", r.backfill_id::text as "backfillId", r.withdrawn_at as "withdrawnAt"
  from run r join release l on l.digest = r.release
  where r.id = any($1::bigint[])
  order by r.id`;

const PARTS: Readonly<Record<Part, string>> = {
  taskRuns: `
    select run_id::text, task_id as "taskId", map_index as "mapIndex", map_key as "mapKey", matrix, state, number as tries, fence, inputs, outputs,
           summary, reason, origin_run::text as "originRun", cached_from::text as "cachedFrom", ready_at as "readyAt", queued_at as "queuedAt",
           started_at as "startedAt", finished_at as "finishedAt"
    from task_run where run_id = any($1::bigint[])
    order by task_run.run_id, task_id, map_index`,
  attempts: `
    select run_id::text, task_id as "taskId", map_index as "mapIndex", number, fence, state, worker, queued_at as "queuedAt",
           started_at as "startedAt", finished_at as "finishedAt", exit_code as "exitCode", message, log_lines as "logLines", replicas
    from attempt where run_id = any($1::bigint[])
    order by attempt.run_id, task_id, map_index, number`,
  waits: `
    select run_id::text, task_id as "taskId", kind, what, since, outcome, reason, detail
    from task_wait where run_id = any($1::bigint[])
    order by task_wait.run_id, task_id`,
  checks: `
    select run_id::text, task_id as "taskId", map_index as "mapIndex", number, name, path, state, rows::float8 as rows, bad::float8 as bad, detail
    from check_result where run_id = any($1::bigint[])
    order by check_result.run_id, task_id, map_index, number, name`,
  metrics: `
    select run_id::text, task_id as "taskId", map_index as "mapIndex", number, name, value, step, at, counted
    from metric where run_id = any($1::bigint[])
    order by metric.run_id, task_id, map_index, number, at, name`,
  versions: `
    select run_id::text, task_id as "taskId", map_index as "mapIndex", path, location, version, manifest_hash as "manifestHash", files,
           bytes::float8 as bytes, published_at as "publishedAt"
    from path_version where run_id = any($1::bigint[])
    order by path_version.run_id, task_id, map_index, path`,
  alerts: `
    select run_id::text, event, target, state, detail, created_at as "createdAt", sent_at as "sentAt"
    from alert_delivery where run_id = any($1::bigint[])
    order by alert_delivery.run_id, id`,
  marks: `
    select run_id::text, task_id as "taskId", map_index as "mapIndex", state, reason, actor, at
    from run_mark where run_id = any($1::bigint[])
    order by run_mark.run_id, id`,
  verifications: `
    select run_id::text, actor, sampled, verdict, detail, requested_at as "requestedAt", finished_at as "finishedAt"
    from verification where run_id = any($1::bigint[])
    order by verification.run_id, id`,
  causes: `
    select run_id::text, cause_id::text as "runId", path
    from run_cause where run_id = any($1::bigint[])
    order by run_cause.run_id, cause_id`,
};

/** By id; those that do not exist are left out. A statement for each table. */
export async function readRunArchives(db: Db, runIds: readonly string[]): Promise<RunArchive[]> {
  const runs = await db.query<RunArchive['run'][]>(RUNS, [runIds]);
  const archives = new Map(
    runs.map((run) => {
      const parts = Object.fromEntries(Object.keys(PARTS).map((part) => [part, []])) as unknown as Record<
        Part,
        object[]
      >;
      return [run.id, { run, ...parts }];
    }),
  );
  for (const [part, statement] of Object.entries(PARTS) as [Part, string][])
    for (const { run_id: runId, ...row } of await db.query<{ run_id: string }[]>(statement, [runIds]))
      archives.get(runId)?.[part].push(row);
  return [...archives.values()];
}
