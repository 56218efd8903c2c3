import type { AttemptState, InputBinding, TaskState } from '#core';
import type { Db } from '../statement.ts';

export interface TaskRunRow {
  readonly taskId: string;
  readonly mapIndex: number;
  readonly mapKey: string;
  readonly state: TaskState;
  readonly tries: number;
  readonly readyAt: string | null;
  readonly queuedAt: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly retryAt: string | null;
  readonly reason: string | null;
  readonly originRun: string | null;
  /** The run that executed what this one took from the cache. */
  readonly cachedFrom: string | null;
  /** Null: the task has no cache. */
  readonly cacheWhy: string | null;
}

/** Task runs of a run that have a row (others are not ready yet), at most `limit`; by task and map index. */
export function readTaskRuns(db: Db, runId: string, limit: number): Promise<TaskRunRow[]> {
  return db.sql<TaskRunRow[]>`
    select t.task_id as "taskId", t.map_index as "mapIndex", t.map_key as "mapKey", t.state, t.number as tries,
           t.ready_at as "readyAt", t.queued_at as "queuedAt", coalesce(a.started_at, t.started_at) as "startedAt",
           t.finished_at as "finishedAt", t.retry_at as "retryAt", t.reason, t.origin_run::text as "originRun",
           t.cached_from::text as "cachedFrom", t.cache ->> 'why' as "cacheWhy"
    from task_run t
    left join attempt a on a.run_id = t.run_id and a.task_id = t.task_id and a.map_index = t.map_index and a.state = 'running'
    where t.run_id = ${runId}::bigint
    order by t.task_id, t.map_index
    limit ${limit}`;
}

export interface EarlierRow {
  readonly taskId: string;
  readonly mapIndex: number;
  readonly number: number;
  readonly state: AttemptState;
  readonly queuedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

/** Attempts of a run before the last one of their task run; oldest first. */
export function readEarlierAttempts(db: Db, runId: string): Promise<EarlierRow[]> {
  return db.sql<EarlierRow[]>`
    select a.task_id as "taskId", a.map_index as "mapIndex", a.number, a.state, a.queued_at as "queuedAt",
           a.started_at as "startedAt", a.finished_at as "finishedAt"
    from attempt a
    join task_run t using (run_id, task_id, map_index)
    where a.run_id = ${runId}::bigint and t.number > 1 and a.number < t.number
    order by a.task_id, a.map_index, a.number`;
}

export interface TaskRunDetailRow extends TaskRunRow {
  readonly matrix: Readonly<Record<string, unknown>> | null;
  readonly inputs: readonly InputBinding[] | null;
  readonly outputs: Readonly<Record<string, unknown>> | null;
  readonly summary: string | null;
  readonly fence: number;
}

export async function readTaskRun(
  db: Db,
  runId: string,
  taskId: string,
  mapIndex: number,
): Promise<TaskRunDetailRow | null> {
  const [row] = await db.sql<TaskRunDetailRow[]>`
    select t.task_id as "taskId", t.map_index as "mapIndex", t.map_key as "mapKey", t.state, t.number as tries,
           t.ready_at as "readyAt", t.queued_at as "queuedAt", coalesce(a.started_at, t.started_at) as "startedAt",
           t.finished_at as "finishedAt", t.retry_at as "retryAt", t.reason, t.origin_run::text as "originRun",
           t.cached_from::text as "cachedFrom", t.cache ->> 'why' as "cacheWhy", t.matrix, t.inputs, t.outputs, t.summary, t.fence
    from task_run t
    left join attempt a on a.run_id = t.run_id and a.task_id = t.task_id and a.map_index = t.map_index and a.state = 'running'
    where t.run_id = ${runId}::bigint and t.task_id = ${taskId} and t.map_index = ${mapIndex}`;
  return row ?? null;
}

export interface AttemptRow {
  readonly id: string;
  readonly number: number;
  readonly fence: number;
  readonly state: AttemptState;
  readonly worker: string | null;
  readonly queuedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly exitCode: number | null;
  readonly message: string | null;
  readonly logLines: number | null;
  /** Null: its task has none. */
  readonly replicas: number | null;
}

export function readAttempts(db: Db, runId: string, taskId: string, mapIndex: number): Promise<AttemptRow[]> {
  return db.sql<AttemptRow[]>`
    select id::text, number, fence, state, worker, queued_at as "queuedAt", started_at as "startedAt",
           finished_at as "finishedAt", exit_code as "exitCode", message, log_lines as "logLines", replicas
    from attempt
    where run_id = ${runId}::bigint and task_id = ${taskId} and map_index = ${mapIndex}
    order by number`;
}

export interface AttemptMetricRow {
  readonly number: number;
  readonly name: string;
  readonly value: number;
  readonly step: number | null;
  readonly at: string;
}

/** Metric points of all attempts of a task run, at most `limit`; in the order they were told. */
export function readTaskRunMetrics(
  db: Db,
  runId: string,
  taskId: string,
  mapIndex: number,
  limit: number,
): Promise<AttemptMetricRow[]> {
  return db.sql<AttemptMetricRow[]>`
    select number, name, value, step, at
    from metric
    where run_id = ${runId}::bigint and task_id = ${taskId} and map_index = ${mapIndex}
    order by number, at, name, step
    limit ${limit}`;
}

/** The last counted value of each metric of a run's task runs, those that it took over included. */
export function readRunMetrics(
  db: Db,
  runId: string,
): Promise<{ taskId: string; mapIndex: number; name: string; value: number }[]> {
  return db.sql`
    select distinct on (m.task_id, m.map_index, m.name) m.task_id as "taskId", m.map_index as "mapIndex", m.name, m.value
    from task_run t
    join metric m on m.run_id = coalesce(t.origin_run, t.run_id) and m.task_id = t.task_id and m.map_index = t.map_index
    where t.run_id = ${runId}::bigint and m.counted
    order by m.task_id, m.map_index, m.name, m.number desc, m.step desc nulls last, m.at desc`;
}

export interface PublishedRow {
  readonly name: string;
  readonly location: string;
  readonly version: string;
  readonly manifestHash: string;
  readonly files: number;
  readonly bytes: number;
}

/** Versions that a task run published; `path_version_of_run` narrows to the run. */
export function readPublished(db: Db, runId: string, taskId: string, mapIndex: number): Promise<PublishedRow[]> {
  return db.sql<PublishedRow[]>`
    select path as name, location, version, manifest_hash as "manifestHash", files, bytes::float8 as bytes
    from path_version
    where run_id = ${runId}::bigint and task_id = ${taskId} and map_index = ${mapIndex}
    order by path, location`;
}
