import type { MarkedState, RunState, RunTrigger } from '#core';
import type { Db } from '../statement.ts';

/** A run as screens show it; instants in ISO 8601. */
export interface RunRow {
  readonly id: string;
  readonly environment: string;
  readonly pipeline: string;
  readonly state: RunState;
  readonly release: string;
  readonly dirty: boolean;
  readonly configHash: string;
  readonly trigger: RunTrigger;
  readonly shadow: boolean;
  readonly why: string;
  readonly intervalStart: string | null;
  readonly intervalEnd: string | null;
  readonly params: Readonly<Record<string, unknown>>;
  readonly originRun: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly deadlineAt: string | null;
  readonly timeoutAt: string | null;
  readonly cancelRequested: boolean;
  readonly reason: string | null;
  readonly counts: Readonly<Record<string, number>>;
  /** The last mark of the run itself. */
  readonly marked: {
    readonly as: MarkedState;
    readonly by: string;
    readonly reason: string;
    readonly at: string;
  } | null;
}

// Counts of a run that goes on are counted from its rows; afterwards they stand in the run.
const COLUMNS = `r.id::text, r.environment, r.pipeline, r.state, r.release, l.dirty, r.config_hash as "configHash", r.trigger, r.shadow, r.why,
  r.interval_start as "intervalStart", r.interval_end as "intervalEnd", r.params, r.origin_run::text as "originRun",
  r.created_at as "createdAt", r.started_at as "startedAt", r.finished_at as "finishedAt", r.deadline_at as "deadlineAt",
  r.timeout_at as "timeoutAt", r.cancel_requested as "cancelRequested", r.reason,
  case when r.finished_at is not null then r.counts else coalesce((
    select jsonb_object_agg(state, number)
    from (select state, count(*) as number from task_run t where t.run_id = r.id group by state) c
  ), '{}') end as counts, (
    select jsonb_build_object('as', m.state, 'by', m.actor, 'reason', m.reason, 'at', m.at)
    from run_mark m
    where m.run_id = r.id and m.task_id is null
    order by m.id desc
    limit 1
  ) as marked`;

export interface RunFilter {
  /** Null: of any environment, pipeline, state. */
  readonly environment: string | null;
  /** Only runs of these environments; null: of all. */
  readonly among: readonly string[] | null;
  readonly pipeline: string | null;
  readonly states: readonly RunState[] | null;
  /** Only those whose interval begins at this instant or later, and ends at that or earlier. */
  readonly from?: string | null;
  readonly to?: string | null;
  /** Only runs older than this id; null: from the newest. */
  readonly before: string | null;
  readonly limit: number;
}

/** Runs, newest first. The planner sees the values, so a filter that is null costs nothing and the fitting index is walked. */
export function readRuns(db: Db, filter: RunFilter): Promise<RunRow[]> {
  return db.query(
    `select ${COLUMNS}
     from (
       select *
       from run
       where ($1::text is null or environment = $1) and ($2::text is null or pipeline = $2)
         and ($3::text[] is null or state = any($3)) and ($4::bigint is null or id < $4)
         and ($6::text[] is null or environment = any($6) or split_part(environment, '/', 1) = any($6))
         and ($7::timestamptz is null or interval_start >= $7) and ($8::timestamptz is null or interval_end <= $8)
       order by id desc
       limit $5
     ) r
     join release l on l.digest = r.release
     order by r.id desc`,
    [
      ...[filter.environment, filter.pipeline, filter.states, filter.before, filter.limit, filter.among],
      ...[filter.from ?? null, filter.to ?? null],
    ],
  );
}

export async function readRun(db: Db, runId: string): Promise<RunRow | null> {
  const [row] = await db.query<RunRow[]>(
    `select ${COLUMNS} from run r join release l on l.digest = r.release where r.id = $1`,
    [runId],
  );
  return row ?? null;
}

/** Of the runs that there are. */
export async function releasesOfRuns(db: Db, runIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await db.sql<{ id: string; release: string }[]>`
    select id::text, release from run where id = any(${runIds}::bigint[])`;
  return new Map(rows.map(({ id, release }) => [id, release]));
}

/** The runs just before and after this one, of the same pipeline and environment. */
export async function readNeighbours(db: Db, run: RunRow): Promise<{ previous: string | null; next: string | null }> {
  const [row] = await db.sql<{ previous: string | null; next: string | null }[]>`
    select (
      select max(id) from run where environment = ${run.environment} and pipeline = ${run.pipeline} and id < ${run.id}::bigint
    )::text as previous, (
      select min(id) from run where environment = ${run.environment} and pipeline = ${run.pipeline} and id > ${run.id}::bigint
    )::text as next`;
  return row ?? { previous: null, next: null };
}
