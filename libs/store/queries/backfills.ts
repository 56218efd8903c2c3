import type { BackfillRecord, BackfillState, NewBackfill, PendingInterval, RunState, SettledInterval } from '#core';
import type { Db } from '../statement.ts';

/** Backfills: plans that the scheduler works off. Each function is one statement. */

const BACKFILL = `b.id::text, b.environment, b.pipeline, b.release, b.range_start as "rangeStart", b.range_end as "rangeEnd", b.reprocess,
  b.run_order as "runOrder", b.max_active as "maxActive", b.actor, b.state`;

export async function createBackfill(db: Db, given: NewBackfill): Promise<string> {
  const [created] = await db.sql<{ id: string }[]>`
    with created as (
      insert into backfill (environment, pipeline, release, range_start, range_end, reprocess, run_order, max_active, actor)
      values (${given.environment}, ${given.pipeline}, ${given.release}, ${given.rangeStart}::timestamptz, ${given.rangeEnd}::timestamptz,
              ${given.reprocess}, ${given.runOrder}, ${given.maxActive}, ${given.actor})
      returning id
    ), planned as (
      insert into backfill_interval (backfill_id, position, interval_start, interval_end, state, reason)
      select created.id, t.position, t.start, t."end", t.state, t.reason
      from created, rows from (
        jsonb_to_recordset(${JSON.stringify(given.intervals)}::jsonb) as (start timestamptz, "end" timestamptz, state text, reason text)
      ) with ordinality as t (start, "end", state, reason, position)
    )
    select id::text from created`;
  return created?.id ?? '';
}

export async function getBackfill(db: Db, id: string): Promise<BackfillRecord | null> {
  const [row] = await db.query<BackfillRecord[]>(`select ${BACKFILL} from backfill b where b.id = $1`, [id]);
  return row ?? null;
}

export async function runningBackfills(db: Db): Promise<string[]> {
  const rows = await db.sql<
    { id: string }[]
  >`select id::text from backfill where state = 'running' order by backfill.id`;
  return rows.map((row) => row.id);
}

/** Locks the row until the transaction ends; one that somebody else holds is passed over. */
export async function lockBackfill(db: Db, id: string): Promise<(BackfillRecord & { live: number }) | null> {
  const [locked] = await db.query<BackfillRecord[]>(
    `select ${BACKFILL} from backfill b where b.id = $1 and b.state = 'running' for update skip locked`,
    [id],
  );
  if (!locked) return null;
  // A statement of its own: its snapshot has to be younger than the lock.
  const live = await liveRunsOfBackfill(db, id);
  return { ...locked, live: live.length };
}

export function pendingIntervals(db: Db, id: string, limit: number): Promise<PendingInterval[]> {
  return db.sql<PendingInterval[]>`
    select position, interval_start as start, interval_end as "end"
    from backfill_interval
    where backfill_id = ${id}::bigint and state = 'pending'
    order by position
    limit ${limit}`;
}

export async function settleIntervals(db: Db, id: string, settled: readonly SettledInterval[]): Promise<void> {
  await db.sql`
    with settled as (
      update backfill_interval i
      set state = s.state, reason = s.reason, run_id = s."runId"
      from jsonb_to_recordset(${JSON.stringify(settled)}::jsonb) as s (position int, state text, reason text, "runId" bigint)
      where i.backfill_id = ${id}::bigint and i.position = s.position and i.state = 'pending'
      returning 1
    )
    select count(*) from settled`;
}

export async function moveBackfill(
  db: Db,
  id: string,
  from: readonly BackfillState[],
  to: BackfillState,
  reason: string | null,
): Promise<boolean> {
  const rows = await db.sql<object[]>`
    with moved as (
      update backfill
      set state = ${to}, reason = ${reason}::text, finished_at = case when ${to} in ('done', 'cancelled') then clock_timestamp() end
      where id = ${id}::bigint and state = any(${from}::text[])
      returning id
    )
    select id from moved`;
  return rows.length > 0;
}

/** By the index of live runs. */
export function liveRunsOfBackfill(db: Db, id: string): Promise<{ id: string; state: 'queued' | 'running' }[]> {
  return db.sql`
    select r.id::text, r.state
    from backfill b join run r on r.environment = b.environment and r.pipeline = b.pipeline
    where b.id = ${id}::bigint and r.backfill_id = b.id and r.state in ('queued', 'running')
    order by r.id`;
}

export async function otherInputs(db: Db, runIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await db.sql<{ runId: string; location: string }[]>`
    select t.run_id::text as "runId", min(p.location) as location
    from task_run t
    cross join lateral jsonb_array_elements(t.inputs) i
    cross join lateral jsonb_array_elements(i -> 'versions') v
    join path_pointer p on p.environment = coalesce(v ->> 'environment', t.environment) and p.location = v ->> 'location'
    where t.run_id = any(${runIds}::bigint[]) and p.version is distinct from v ->> 'version'
    group by t.run_id`;
  return new Map(rows.map(({ runId, location }) => [runId, location]));
}

/** A backfill as screens show it. */
export interface BackfillRow extends BackfillRecord {
  readonly reason: string | null;
  readonly createdAt: string;
  readonly finishedAt: string | null;
  readonly leftOut: number;
  readonly pending: number;
  /** Its runs by state. */
  readonly runs: Readonly<Partial<Record<RunState, number>>>;
}

const SHOWN = `${BACKFILL}, b.reason, b.created_at as "createdAt", b.finished_at as "finishedAt",
  (select count(*) from backfill_interval i where i.backfill_id = b.id and i.state = 'left_out')::int as "leftOut",
  (select count(*) from backfill_interval i where i.backfill_id = b.id and i.state = 'pending')::int as pending,
  coalesce((
    select jsonb_object_agg(state, number)
    from (
      select r.state, count(*) as number
      from backfill_interval i join run r on r.id = i.run_id
      where i.backfill_id = b.id
      group by r.state
    ) c
  ), '{}') as runs`;

export interface BackfillFilter {
  /** Null: of any. */
  readonly environment: string | null;
  readonly among: readonly string[] | null;
  readonly pipeline: string | null;
  readonly before: string | null;
  readonly limit: number;
}

/** Newest first. */
export function readBackfills(db: Db, filter: BackfillFilter): Promise<BackfillRow[]> {
  return db.query(
    `select ${SHOWN}
     from backfill b
     where ($1::text is null or b.environment = $1) and ($2::text is null or b.pipeline = $2) and ($3::bigint is null or b.id < $3)
       and ($5::text[] is null or b.environment = any($5) or split_part(b.environment, '/', 1) = any($5))
     order by b.id desc
     limit $4`,
    [filter.environment, filter.pipeline, filter.before, filter.limit, filter.among],
  );
}

export async function readBackfill(db: Db, id: string): Promise<BackfillRow | null> {
  const [row] = await db.query<BackfillRow[]>(`select ${SHOWN} from backfill b where b.id = $1`, [id]);
  return row ?? null;
}

export interface BackfillIntervalRow {
  readonly start: string;
  readonly end: string;
  readonly state: 'pending' | 'created' | 'left_out';
  readonly reason: string;
  readonly runId: string | null;
  readonly runState: RunState | null;
}

/** In the order in which their runs come. */
export function readBackfillIntervals(db: Db, id: string): Promise<BackfillIntervalRow[]> {
  return db.sql<BackfillIntervalRow[]>`
    select i.interval_start as start, i.interval_end as "end", i.state, i.reason, i.run_id::text as "runId", r.state as "runState"
    from backfill_interval i left join run r on r.id = i.run_id
    where i.backfill_id = ${id}::bigint
    order by i.position`;
}
