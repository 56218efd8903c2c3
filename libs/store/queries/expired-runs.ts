import type { Db } from '../statement.ts';

/** Ended runs past the retention of their environment. */

/** Why an ended run stays, however old. */
export type Pin =
  /** The newest run of its pipeline that succeeded (baseline), or that ended. */
  | 'newest'
  /** The newest success of a release that an environment runs or a promotion is about. */
  | 'release'
  /** A run that is still there was made from it. */
  | 'origin'
  /** It is being verified, or verifies. */
  | 'verification'
  /** Its promotion is open. */
  | 'promotion'
  /** Its backfill is. */
  | 'backfill'
  /** The run that called it goes on. */
  | 'caller'
  /** Somebody has to be told of it yet. */
  | 'alert';

export interface ExpiredRun {
  readonly id: string;
  /** When it ended, to the microsecond. */
  readonly endedAt: string;
  /** The day of that, in UTC. */
  readonly day: string;
  readonly taskRuns: number;
  /** Null: nothing needs it. */
  readonly pin: Pin | null;
}

// `candidate` is given: id, environment, pipeline, release, promotion_id, backfill_id of ended runs. Newest runs are looked for once for each
// pipeline, not for each run. In a preview that is gone nothing is measured against them any more.
const JUDGED = `
  lasting as (
    select c.environment
    from (select distinct environment from candidate) c
    where strpos(c.environment, '/') = 0
      or exists (select from preview p where p.environment = c.environment and p.removed_at is null)
  ), newest as (
    select s.id
    from (select distinct environment, pipeline from candidate where environment in (select environment from lasting)) c
    cross join lateral (
      (select id from run r where r.environment = c.environment and r.pipeline = c.pipeline and not r.shadow and r.finished_at is not null
       order by r.id desc limit 1)
      union all
      (select id from run r where r.environment = c.environment and r.pipeline = c.pipeline and not r.shadow and r.state = 'success'
         and r.withdrawn_at is null
       order by r.id desc limit 1)
    ) s
  ), wanted as (
    (select distinct on (environment) release from environment_pointer order by environment, seq desc)
    union
    (select distinct on (environment) release from promotion where state = 'verified' order by environment, id desc)
    union
    select unnest(array[release, previous, fallback]) from promotion where finished_at is null
  ), vouching as (
    select s.id
    from (select distinct environment, pipeline, release from candidate
          where release in (select release from wanted) and environment in (select environment from lasting)) c
    cross join lateral (
      select id from run r
      where r.environment = c.environment and r.pipeline = c.pipeline and r.release = c.release and r.state = 'success'
        and not (r.shadow and r.origin_run is not null)
      order by r.id desc limit 1
    ) s
  ), judged as (
    select c.*, case
      when c.id in (select id from newest) then 'newest'
      when c.id in (select id from vouching) then 'release'
      when exists (select from run o where o.origin_run = c.id) then 'origin'
      when exists (select from verification v where v.run_id = c.id and v.finished_at is null)
        or exists (select from verification v where v.shadow_run_id = c.id and v.finished_at is null) then 'verification'
      when exists (select from promotion p where p.id = c.promotion_id and p.finished_at is null) then 'promotion'
      when exists (select from backfill b where b.id = c.backfill_id and b.finished_at is null) then 'backfill'
      when exists (select from run_cause k join run r on r.id = k.cause_id where k.run_id = c.id and r.finished_at is null) then 'caller'
      when exists (select from alert_delivery a where a.run_id = c.id and a.state = 'pending') then 'alert'
    end as pin
    from candidate c
  )`;

const COLUMNS = `id, environment, pipeline, release, promotion_id, backfill_id, finished_at,
  (select coalesce(sum(n::int), 0)::int from jsonb_each_text(counts) as t (state, n)) as task_runs`;

/**
 * The last ones to have ended come first, so that a rerun goes before the run that it was made from. `after`: only those
 * behind it in this order. Walks run_ended.
 */
export function expiredRuns(
  db: Db,
  environment: string,
  before: Date,
  after: Pick<ExpiredRun, 'id' | 'endedAt'> | null,
  limit: number,
): Promise<ExpiredRun[]> {
  return db.query(
    `with candidate as (
       select ${COLUMNS} from run
       where environment = $1 and finished_at < $2 and ($3::timestamptz is null or (finished_at, id) < ($3, $4::bigint))
       order by finished_at desc, id desc
       limit $5
     ), ${JUDGED}
     select id::text, finished_at::text as "endedAt", to_char(finished_at at time zone 'UTC', 'YYYY-MM-DD') as day,
            task_runs as "taskRuns", pin
     from judged
     order by judged.finished_at desc, judged.id desc`,
    [environment, before, after?.endedAt ?? null, after?.id ?? null, limit],
  );
}

export interface ExpiredCount {
  readonly pin: Pin | null;
  readonly runs: number;
  readonly taskRuns: number;
  /** When the first and the last of them ended. */
  readonly from: string;
  readonly to: string;
}

/** All of them, by what keeps them. Reads each: for when somebody asks. */
export function countExpired(db: Db, environment: string, before: Date): Promise<ExpiredCount[]> {
  return db.query(
    `with candidate as (
       select ${COLUMNS} from run where environment = $1 and finished_at < $2
     ), ${JUDGED}
     select pin, count(*)::int as runs, sum(task_runs)::float8 as "taskRuns", min(finished_at) as "from", max(finished_at) as "to"
     from judged
     group by pin
     order by pin nulls first`,
    [environment, before],
  );
}

/** Those among them that nothing needs now. */
export async function unneededAmong(db: Db, runIds: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ id: string }[]>(
    `with candidate as (
       select ${COLUMNS} from run where id = any($1::bigint[]) and finished_at is not null
     ), ${JUDGED}
     select id::text from judged where pin is null order by judged.id`,
    [runIds],
  );
  return rows.map(({ id }) => id);
}
