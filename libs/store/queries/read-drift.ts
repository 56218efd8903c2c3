import type { Db } from '../statement.ts';

/** What the database knows of an environment's drift. */

export interface StandingRelease {
  readonly digest: string;
  readonly alias: string;
  readonly commit: string | null;
  readonly dirty: boolean;
}

export interface ReleaseStand {
  /** The release of a commit that was created last; null: there is none. */
  readonly newest: StandingRelease | null;
  readonly current: StandingRelease | null;
  /** Releases of commits created after the current one; all, when there is none. */
  readonly behind: number;
  /** Digest of the configuration that was applied last; null: none was. */
  readonly configHash: string | null;
}

/** Sorts all releases. */
export async function readReleaseStand(db: Db, environment: string): Promise<ReleaseStand> {
  const [row] = await db.sql<ReleaseStand[]>`
    with current as (
      select r.* from environment_pointer p join release r on r.digest = p.release
      where p.environment = ${environment}
      order by p.seq desc
      limit 1
    ), newest as (
      select * from release where not dirty order by created_at desc, digest desc limit 1
    )
    select (select jsonb_build_object('digest', digest, 'alias', alias, 'commit', commit, 'dirty', dirty) from newest) as newest,
           (select jsonb_build_object('digest', digest, 'alias', alias, 'commit', commit, 'dirty', dirty) from current) as current,
           (select count(*)::int from release r
            where not r.dirty and r.created_at > coalesce((select created_at from current), '-infinity')) as behind,
           (select hash from environment_config where environment = ${environment} order by seq desc limit 1) as "configHash"`;
  return row ?? { newest: null, current: null, behind: 0, configHash: null };
}

export interface PausedSchedule {
  readonly pipeline: string;
  /** Who paused it and when, as far as the audit trail tells. */
  readonly by: string | null;
  readonly since: string | null;
}

/** Schedules that were paused by hand, or by a promotion that had nothing to return to. Index audit_of_environment. */
export function readPausedSchedules(db: Db, environment: string): Promise<PausedSchedule[]> {
  return db.sql<PausedSchedule[]>`
    select s.pipeline, a.actor as by, a.at as since
    from schedule s
    left join lateral (
      select actor, at from audit
      where environment = s.environment
        and ((action = 'pipeline.pause' and subject = s.pipeline)
          or (action = 'promotion.roll_back' and detail->>'paused' = 'true'))
      order by seq desc
      limit 1
    ) a on true
    where s.environment = ${environment} and s.paused
    order by s.pipeline`;
}
