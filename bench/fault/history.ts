import type pg from 'pg';
import type { AttemptState, RunState, TaskState } from '#core';

/** What the database says happened, as the checker reads it. Times are epoch milliseconds, ids strings. */
export interface History {
  readonly runs: readonly HistoryRun[];
  readonly taskRuns: readonly HistoryTaskRun[];
  /** By run, task, map index and number. */
  readonly attempts: readonly HistoryAttempt[];
  /** What was told to screens in commit order: the only record of states that have passed. */
  readonly told: readonly ToldState[];
  readonly versions: readonly HistoryVersion[];
  readonly pointers: readonly HistoryPointer[];
  readonly pools: readonly { readonly name: string; readonly used: number; readonly slots: number }[];
}

export interface HistoryRun {
  readonly id: string;
  readonly pipeline: string;
  readonly state: RunState;
  readonly trigger: string;
  readonly intervalStart: string | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

export interface HistoryTaskRun {
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly state: TaskState;
  readonly number: number;
  readonly fence: number;
  readonly originRun: string | null;
  readonly pool: string;
  readonly slots: number;
  /** Somebody said what it, its task or its run counts as. */
  readonly isMarked: boolean;
}

export interface HistoryAttempt {
  readonly id: string;
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly number: number;
  readonly fence: number;
  readonly state: AttemptState;
  readonly queuedAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly message: string | null;
}

export interface ToldState {
  readonly runId: string;
  /** Null: about the run itself. */
  readonly taskId: string | null;
  readonly mapIndex: number;
  readonly state: string;
}

export interface HistoryVersion {
  readonly version: string;
  readonly attemptId: string;
}

export interface HistoryPointer {
  readonly location: string;
  readonly pipeline: string;
  readonly path: string;
  readonly intervalStart: string | null;
  readonly version: string;
  readonly runId: string;
  readonly attemptId: string;
  readonly projected: boolean;
}

/** A client, a pool, or what asks again. */
export interface Queries {
  query<T extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<pg.QueryResult<T>>;
}

const MS = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;
const START = `to_char(interval_start at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "intervalStart"`;

/** Reads the whole history of one environment; one snapshot when the client is in a repeatable-read transaction. */
export async function loadHistory(client: Queries, environment = 'dev'): Promise<History> {
  const rows = async <T>(text: string): Promise<T[]> =>
    (await client.query<T & pg.QueryResultRow>(text, [environment])).rows;
  const ofRuns = 'run_id in (select id from run where environment = $1)';
  return {
    runs: await rows(
      `select id::text, pipeline, state, trigger, ${START}, ${MS('started_at')} as "startedAt", ${MS('finished_at')} as "finishedAt"
       from run where environment = $1 order by id`,
    ),
    taskRuns: await rows(
      `select run_id::text as "runId", task_id as "taskId", map_index as "mapIndex", state, number, fence, origin_run::text as "originRun", pool, slots,
              exists (select from run_mark m where m.run_id = t.run_id and coalesce(m.task_id, t.task_id) = t.task_id
                        and coalesce(m.map_index, t.map_index) = t.map_index) as "isMarked"
       from task_run t where environment = $1 order by run_id, task_id, map_index`,
    ),
    attempts: await rows(
      `select id::text, run_id::text as "runId", task_id as "taskId", map_index as "mapIndex", number, fence, state,
              ${MS('queued_at')} as "queuedAt", ${MS('started_at')} as "startedAt", ${MS('finished_at')} as "finishedAt", message
       from attempt where ${ofRuns} order by run_id, task_id, map_index, number`,
    ),
    told: await rows(
      `select e.run_id::text as "runId", t.value->>'taskId' as "taskId", coalesce((t.value->>'mapIndex')::int, 0) as "mapIndex",
              coalesce(t.value->>'state', e.payload->>'state') as state
       from event e
       left join lateral jsonb_array_elements(e.payload->'taskRuns') t on true
       where e.environment = $1 and e.run_id is not null and (e.payload->>'kind' = 'run' or t.value is not null)
       order by e.xid, e.id`,
    ),
    versions: await rows(
      `select version, attempt_id::text as "attemptId" from path_version where environment = $1 order by version`,
    ),
    pointers: await rows(
      `select location, pipeline, path, ${START}, version, run_id::text as "runId", attempt_id::text as "attemptId", projected
       from path_pointer where environment = $1 order by location`,
    ),
    pools: await rows(`select name, used, slots from pool where environment = $1 order by name`),
  };
}
