import type { RunState, RunTrigger } from '#core';
import type { Db } from '../statement.ts';

/** Runs that are in archives. */

export interface ArchivedRunRow {
  readonly id: string;
  readonly environment: string;
  readonly pipeline: string;
  readonly release: string;
  readonly trigger: RunTrigger;
  readonly shadow: boolean;
  readonly state: RunState;
  readonly intervalStart: string | null;
  readonly intervalEnd: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string;
  /** When it was moved there. */
  readonly archivedAt: string;
  /** Below the storage root of the environment. */
  readonly key: string;
  readonly sha256: string;
}

const COLUMNS = `r.run_id::text as id, r.environment, r.pipeline, r.release, r.trigger, r.shadow, r.state, r.interval_start as "intervalStart",
  r.interval_end as "intervalEnd", r.created_at as "createdAt", r.started_at as "startedAt", r.finished_at as "finishedAt",
  a.at as "archivedAt", a.key, a.sha256`;

/** Newest first. The planner sees the values, as with `readRuns`. */
export function readArchivedRuns(
  db: Db,
  filter: {
    /** Null: of any environment, pipeline. */
    readonly environment: string | null;
    readonly among: readonly string[] | null;
    readonly pipeline: string | null;
    readonly before: string | null;
    readonly limit: number;
  },
): Promise<ArchivedRunRow[]> {
  return db.query(
    `select ${COLUMNS}
     from archived_run r join archive a on a.id = r.archive_id
     where ($1::text is null or r.environment = $1) and ($2::text is null or r.pipeline = $2) and ($3::bigint is null or r.run_id < $3)
       and ($5::text[] is null or r.environment = any($5) or split_part(r.environment, '/', 1) = any($5))
     order by r.run_id desc
     limit $4`,
    [filter.environment, filter.pipeline, filter.before, filter.limit, filter.among],
  );
}

export async function archivedRun(db: Db, runId: string): Promise<ArchivedRunRow | null> {
  const [row] = await db.query<ArchivedRunRow[]>(
    `select ${COLUMNS} from archived_run r join archive a on a.id = r.archive_id where r.run_id = $1`,
    [runId],
  );
  return row ?? null;
}

/** Archived runs whose logs and evidence are still in storage; the oldest first. */
export async function archivedRunsToErase(db: Db, environment: string, limit: number): Promise<string[]> {
  const rows = await db.sql<{ id: string }[]>`
    select run_id::text as id from archived_run
    where environment = ${environment} and not erased
    order by archived_run.run_id
    limit ${limit}`;
  return rows.map(({ id }) => id);
}

export async function markRunsErased(db: Db, runIds: readonly string[]): Promise<void> {
  await db.sql`
    with erased as (
      update archived_run set erased = true where run_id = any(${runIds}::bigint[]) returning 1
    )
    select count(*) from erased`;
}
