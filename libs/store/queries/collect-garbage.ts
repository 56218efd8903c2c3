import type { DataSource, EntityManager } from 'typeorm';
import { ADVISORY_LOCKS } from '../locks.ts';
import type { Db } from '../statement.ts';
import { appendAudit } from './audit.ts';

/** What nothing needs any more. Marked first, erased from storage afterwards, so that a kill in between loses nothing. */

export interface GarbageRules {
  /** Versions of a location, and releases, that stay however old they are. */
  readonly keep: number;
  /** Nothing younger is garbage; what runs read that ended since is none either. */
  readonly olderThanMs: number;
}

export interface GarbageVersion {
  readonly environment: string;
  readonly version: string;
  readonly bytes: number;
}

export interface GarbageRelease {
  readonly digest: string;
  readonly alias: string;
  readonly createdAt: string;
}

// `used`: runs that go on with what they were made from, runs whose verification is open, and runs that may be verified.
// A version may be published again by later runs: its newest publication counts. `place`: 1 is the newest of a location. The hour since it was replaced is for those who read the pointer just
// before and have not pinned the version yet.
const GARBAGE = `
  with recursive live as (
    select id, origin_run from run where state in ('queued', 'running')
    union
    select r.id, r.origin_run from run r join live on r.id = live.origin_run
  ), used as (
    select id from live
    union select run_id from verification where finished_at is null
    union select shadow_run_id from verification where finished_at is null
    union select id from run where state = 'success' and not shadow and finished_at > now() - $2::float8 * interval '1 millisecond'
  ), needed as (
    select coalesce(v ->> 'environment', t.environment) as environment, v ->> 'version' as version
    from used join task_run t on t.run_id = used.id, jsonb_array_elements(t.inputs) i, jsonb_array_elements(i -> 'versions') v
    union
    select p.environment, p.version
    from used join task_run t on t.run_id = used.id
    join path_version p on p.run_id = coalesce(t.origin_run, t.run_id) and p.task_id = t.task_id and p.map_index = t.map_index
    union
    select environment, version from path_pointer
  ), publications as (
    select p.environment, p.version, row_number() over w as place, lag(p.published_at) over w as replaced_at
    -- Runs that are archived have left none that a shadow run wrote.
    from path_version p left join run r on r.id = p.run_id
    where p.removed_at is null and r.shadow is not true
    window w as (partition by p.environment, p.location order by p.attempt_id desc)
  ), placed as (
    select distinct on (environment, version) environment, version, place, replaced_at
    from publications
    order by environment, version, place
  ), published as (
    select environment, version, max(bytes) as bytes, max(published_at) as published_at
    from path_version
    where removed_at is null
    group by environment, version
  ), garbage as (
    select p.environment, p.version, p.bytes
    from published p
    left join placed using (environment, version)
    where p.published_at < now() - $2::float8 * interval '1 millisecond'
      and (placed.place is null or (placed.place > $1 and placed.replaced_at < now() - interval '1 hour'))
      and not exists (select from needed n where n.environment = p.environment and n.version = p.version)
  )`;

/** Walks all versions and runs. */
export function garbageVersions(db: Db, { keep, olderThanMs }: GarbageRules): Promise<GarbageVersion[]> {
  return db.query(
    `${GARBAGE} select environment, version, bytes::float8 as bytes from garbage order by environment, version`,
    [keep, olderThanMs],
  );
}

// Whatever refers to a release by a foreign key keeps it: pointers of now and before, runs, promotions.
const UNUSED_RELEASES = `
  select digest, alias, created_at as "createdAt"
  from release r
  where created_at < now() - $2::float8 * interval '1 millisecond'
    and digest not in (select digest from release order by created_at desc limit $1)
    and not exists (select from run where run.release = r.digest)
    and not exists (select from environment_pointer p where p.release = r.digest)
    and not exists (select from promotion p where p.release = r.digest)
  order by created_at`;

export function garbageReleases(db: Db, { keep, olderThanMs }: GarbageRules): Promise<GarbageRelease[]> {
  return db.query(UNUSED_RELEASES, [keep, olderThanMs]);
}

/**
 * One transaction: marks the versions, removes the releases' rows, notes it in the trail. Locks: versions (exclusively),
 * so that nobody takes up an old version meanwhile; release rows.
 */
export function markGarbage(
  db: DataSource,
  rules: GarbageRules,
  actor: string,
): Promise<{ versions: GarbageVersion[]; releases: GarbageRelease[] }> {
  return db.transaction(async (manager) => {
    await manager.sql`select pg_advisory_xact_lock(${ADVISORY_LOCKS.versions}::bigint)`;
    const versions = await markVersions(manager, rules);
    const unused = await garbageReleases(manager, rules);
    const removed = await manager.sql<{ digest: string }[]>`
      with gone as (delete from release where digest = any(${unused.map(({ digest }) => digest)}::text[]) returning digest)
      select digest from gone`;
    const digests = new Set(removed.map(({ digest }) => digest));
    const releases = unused.filter(({ digest }) => digests.has(digest));
    if (versions.length + releases.length > 0) {
      const bytes = versions.reduce((sum, one) => sum + one.bytes, 0);
      const detail = { ...rules, versions: versions.length, bytes, releases: releases.map(({ digest }) => digest) };
      await appendAudit(manager, [{ actor, action: 'gc', environment: null, subject: 'storage', detail }]);
    }
    return { versions, releases };
  });
}

function markVersions(manager: EntityManager, { keep, olderThanMs }: GarbageRules): Promise<GarbageVersion[]> {
  return manager.query(
    `${GARBAGE}, marked as (
       update path_version p set removed_at = now()
       from garbage g
       where p.environment = g.environment and p.version = g.version
       returning p.environment, p.version, p.bytes
     )
     select distinct environment, version, bytes::float8 as bytes from marked order by environment, version`,
    [keep, olderThanMs],
  );
}

/** Marks what a shadow run wrote: its own tasks alone could read it, and they have ended. */
export async function markShadowVersions(db: Db, runId: string): Promise<void> {
  await db.sql`
    with marked as (
      update path_version p set removed_at = now()
      from run r
      where r.id = ${runId}::bigint and r.shadow and r.finished_at is not null and p.run_id = r.id and p.removed_at is null
      returning 1
    )
    select count(*) from marked`;
}

/** Versions that are marked and whose files are still to be erased; by environment and version. */
export function versionsToErase(db: Db, limit: number): Promise<{ environment: string; version: string }[]> {
  return db.sql`
    select distinct environment, version from path_version
    where removed_at is not null and erased_at is null
    order by environment, version
    limit ${limit}`;
}

/**
 * Forgets those of runs that are archived; `removeRuns` forgets the others with their runs. Locks: the runs by id, against
 * their removal, so that one of the two sees what the other did.
 */
export async function markErased(db: Db, versions: readonly { environment: string; version: string }[]): Promise<void> {
  await db.sql`
    with published as (
      select p.environment, p.version, p.attempt_id, p.run_id
      from jsonb_to_recordset(${JSON.stringify(versions)}::jsonb) as t (environment text, version text)
      join path_version p using (environment, version)
    ), kept as (
      select id from run where id in (select run_id from published) order by run.id for key share
    ), erased as (
      update path_version p set erased_at = now()
      from published v
      where (p.environment, p.version, p.attempt_id) = (v.environment, v.version, v.attempt_id) and v.run_id in (select id from kept)
      returning 1
    ), forgotten as (
      delete from path_version p
      using published v
      where (p.environment, p.version, p.attempt_id) = (v.environment, v.version, v.attempt_id) and v.run_id not in (select id from kept)
      returning 1
    )
    select (select count(*) from erased), (select count(*) from forgotten)`;
}
