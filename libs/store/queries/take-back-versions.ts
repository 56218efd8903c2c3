import type { EntityManager } from 'typeorm';
import type { TakenBackVersion } from '#core';
import { ADVISORY_LOCKS } from '../locks.ts';
import type { Db } from '../statement.ts';

/** What a return to an earlier release does to data: locations show again what they showed before. */

// $1: environment, $2: release that it returns to. `since`: the releases that it ran after that one. Nothing follows from a
// release that it never ran, nor from the one that it runs now.
const TAKEN_BACK = `
  with since as (
    select release, at from environment_pointer
    where environment = $1 and seq > (select max(seq) from environment_pointer where environment = $1 and release = $2)
  ), withdrawn as (
    select id from run
    where environment = $1 and not shadow and release <> $2 and release in (select release from since)
      and created_at >= (select min(at) from since)
  ), wrong as (
    select p.location, p.version from path_pointer p join withdrawn w on w.id = p.run_id where p.environment = $1
  ), before as (
    select distinct on (v.location) v.*
    -- Runs that are archived have left none that a shadow run or a withdrawn one wrote.
    from path_version v join wrong using (location) left join run r on r.id = v.run_id
    where v.environment = $1 and r.shadow is not true and r.withdrawn_at is null and v.removed_at is null
      and v.run_id not in (select id from withdrawn)
    order by v.location, v.attempt_id desc
  )`;

/** What would be taken back now, by location. Walks the environment's runs and pointers. */
export function takenBackVersions(db: Db, environment: string, to: string): Promise<TakenBackVersion[]> {
  return db.query(
    `${TAKEN_BACK}
     select location, w.version, b.version as before from wrong w left join before b using (location) order by location`,
    [environment, to],
  );
}

/**
 * Two statements, in the caller's transaction: marks the runs, whose later publications count for nothing from then on,
 * then moves the pointers; how many. Storage follows by itself, since they are not projected. Call `lockVersions` before
 * anything else and this before the environment's pointer moves. Locks: runs by id, pointers by location.
 */
export async function takeBackVersions(manager: EntityManager, environment: string, to: string): Promise<number> {
  await manager.query(
    `${TAKEN_BACK}, locked as (
       select id from run where id in (select id from withdrawn) and withdrawn_at is null order by id for update
     ), marked as (
       update run r set withdrawn_at = now() from locked l where r.id = l.id returning r.id
     )
     select count(*) from marked`,
    [environment, to],
  );
  const moved: object[] = await manager.query(
    `${TAKEN_BACK}, locked as (
       select location from path_pointer
       where environment = $1 and run_id in (select id from withdrawn)
       order by location
       for update
     ), moved as (
       update path_pointer p
       set version = b.version, manifest_hash = b.manifest_hash, run_id = b.run_id, attempt_id = b.attempt_id,
           pipeline = coalesce(b.pipeline, p.pipeline), path = coalesce(b.path, p.path), map_key = coalesce(b.map_key, p.map_key),
           interval_start = case when b.version is null then p.interval_start else b.interval_start end,
           interval_end = case when b.version is null then p.interval_end else b.interval_end end,
           published_at = now(), fence = p.fence + 1, projected = false
       from locked l left join before b using (location)
       where p.environment = $1 and p.location = l.location
       returning p.location
     )
     select location from moved`,
    [environment, to],
  );
  return moved.length;
}

/** Nothing that is taken up again may be marked as garbage until the transaction ends. */
export async function lockVersions(manager: Db): Promise<void> {
  await manager.sql`select pg_advisory_xact_lock_shared(${ADVISORY_LOCKS.versions}::bigint)`;
}
