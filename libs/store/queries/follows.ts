import type { Problem, ReleaseRecord } from '#core';
import { inTransaction, type Db } from '../statement.ts';
import { appendAudit } from './audit.ts';
import { recordRelease } from './record-release.ts';
import { currentRelease, pointAt } from './releases.ts';

/** Environments whose release a git remote decides. */

export interface FollowRow {
  readonly environment: string;
  readonly remote: string;
  readonly ref: string;
  readonly actor: string;
  readonly since: string;
  /** Newest commit that was looked at; null: none yet. */
  readonly commit: string | null;
  readonly seenAt: string | null;
  /** Of that commit; null: it cannot be one, or nothing was looked at. */
  readonly release: string | null;
  /** Where the environment points; null: nowhere yet. */
  readonly current: string | null;
  /** Why that commit is not what runs, or why the remote cannot be asked; null: all is well. */
  readonly problem: string | null;
  readonly problems: readonly Problem[];
  readonly askedAt: string | null;
  readonly told: string | null;
}

/** Which remote; a change of it meanwhile makes a look at the one before worthless. */
export type Followed = Pick<FollowRow, 'environment' | 'remote' | 'ref'>;

export function readFollows(db: Db): Promise<FollowRow[]> {
  return db.sql<FollowRow[]>`
    select f.environment, f.remote, f.ref, f.actor, f.since, f.commit, f.seen_at as "seenAt", f.release, f.problem, f.problems,
           f.asked_at as "askedAt", f.told, (
             select p.release from environment_pointer p where p.environment = f.environment order by p.seq desc limit 1
           ) as current
    from environment_follow f
    order by f.environment`;
}

/** True when a git remote decides the environment's release. */
export async function isFollowing(db: Db, environment: string): Promise<boolean> {
  const rows = await db.sql<object[]>`select 1 from environment_follow where environment = ${environment}`;
  return rows.length > 0;
}

/**
 * Takes or keeps the right to ask the remote for this long, by the database's clock; false: another process has it, or
 * something else is followed by now.
 */
export async function claimLook(
  db: Db,
  { environment, remote, ref }: Followed,
  looker: string,
  leaseMs: number,
): Promise<boolean> {
  const rows = await db.sql<object[]>`
    with claimed as (
      update environment_follow set looker = ${looker}, look_until = clock_timestamp() + ${leaseMs} * interval '1 ms'
      where environment = ${environment} and remote = ${remote} and ref = ${ref}
        and (looker is null or looker = ${looker} or look_until < clock_timestamp())
      returning 1
    )
    select 1 from claimed`;
  return rows.length > 0;
}

/** Lets others ask at once what this process asked. */
export async function releaseLooks(db: Db, looker: string): Promise<void> {
  await db.sql`
    with released as (
      update environment_follow set looker = null, look_until = null where looker = ${looker} returning 1
    )
    select count(*) from released`;
}

/** Begins to follow, or follows something else; what was seen of the one before is forgotten. */
export async function setFollow(db: Db, { environment, remote, ref }: Followed, actor: string): Promise<void> {
  await inTransaction(db, async (manager) => {
    const [before] = await manager.sql<{ remote: string; ref: string }[]>`
      select remote, ref from environment_follow where environment = ${environment} for update`;
    if (before?.remote === remote && before.ref === ref) return;
    await manager.sql`
      with followed as (
        insert into environment_follow (environment, remote, ref, actor, asked_at)
        values (${environment}, ${remote}, ${ref}, ${actor}, clock_timestamp())
        on conflict (environment) do update
        set remote = excluded.remote, ref = excluded.ref, actor = excluded.actor, since = now(), commit = null, seen_at = null,
            release = null, problem = null, problems = '[]', asked_at = excluded.asked_at, told = null, looker = null, look_until = null
        returning 1
      )
      select count(*) from followed`;
    const detail = { remote, ref, before: before ?? null };
    await appendAudit(manager, [{ actor, action: 'environment.follow', environment, subject: environment, detail }]);
  });
}

/** False when it followed nothing. */
export function clearFollow(db: Db, environment: string, actor: string): Promise<boolean> {
  return inTransaction(db, async (manager) => {
    const [ended] = await manager.sql<{ remote: string; ref: string }[]>`
      with ended as (
        delete from environment_follow where environment = ${environment} returning remote, ref
      ), shown as (
        insert into event (environment, payload)
        select ${environment}, jsonb_build_object('kind', 'release', 'environment', ${environment}::text, 'release', '') from ended
      )
      select remote, ref from ended`;
    if (ended === undefined) return false;
    await appendAudit(manager, [
      { actor, action: 'environment.unfollow', environment, subject: environment, detail: { ...ended } },
    ]);
    return true;
  });
}

/**
 * One transaction: records the release, points the environment at it and notes the commit, which may be a later one of the
 * same content. `same`: it points there already; `gone`: it follows something else by now; `stale`: the pointer moved
 * meanwhile. A hold or a freeze stops it, and its reason is noted. Locks the follow, then the trail.
 */
export function followTo(
  db: Db,
  followed: Followed,
  commit: string,
  release: ReleaseRecord,
): Promise<'moved' | 'same' | 'gone' | 'stale' | 'stopped'> {
  const { environment, remote, ref } = followed;
  const actor = `${remote}#${ref}`;
  return inTransaction(db, async (manager) => {
    if (!(await isFollowed(manager, followed))) return 'gone';
    const current = await currentRelease(manager, environment);
    await recordRelease(manager, release, null, actor);
    const stopped = current?.release === release.digest ? null : await whatStops(manager, environment, release);
    if (stopped !== null) {
      await note(manager, followed, commit, null, stopped, []);
      return 'stopped';
    }
    // The pointer first: a look that came too late notes nothing, so that the next one is not content with it.
    const isThere = current?.release === release.digest;
    if (!isThere && !(await pointAt(manager, environment, release, current?.seq ?? 0, actor))) return 'stale';
    await note(manager, followed, commit, release.digest, null, []);
    return isThere ? 'same' : 'moved';
  });
}

/** Notes why a commit does not run (`commit` null: the remote could not be asked), and tells screens if that is new. */
export async function noteFollowProblem(
  db: Db,
  followed: Followed,
  commit: string | null,
  problem: string,
  problems: readonly Problem[],
): Promise<void> {
  await inTransaction(db, async (manager) => {
    if (await isFollowed(manager, followed)) await note(manager, followed, commit, null, problem, problems);
  });
}

/** The remote answers again, and nothing is new there. */
export async function clearFollowProblem(db: Db, followed: Followed): Promise<void> {
  await inTransaction(db, async (manager) => {
    if (await isFollowed(manager, followed)) await note(manager, followed, null, null, null, []);
  });
}

export async function noteTold(db: Db, { environment, remote, ref }: Followed, told: string): Promise<void> {
  await db.sql`
    with told as (
      update environment_follow set told = ${told}
      where environment = ${environment} and remote = ${remote} and ref = ${ref}
      returning 1
    )
    select count(*) from told`;
}

/** Whoever follows for these environments looks at the remotes as soon as it sees this. */
export async function askFollowers(db: Db, environments: readonly string[]): Promise<void> {
  await db.sql`
    with asked as (
      update environment_follow set asked_at = clock_timestamp() where environment = any(${environments}::text[]) returning 1
    )
    select count(*) from asked`;
}

/** For people; null: nothing does. */
async function whatStops(db: Db, environment: string, { digest, alias }: ReleaseRecord): Promise<string | null> {
  const [stops] = await db.sql<{ hold: string | null; freeze: string | null }[]>`
    select (select reason from promotion_hold where environment = ${environment} and release = ${digest} and lifted_at is null limit 1) as hold,
           (select reason from promotion_freeze where environment = ${environment} and lifted_at is null
            and now() between starts_at and ends_at limit 1) as freeze`;
  if (stops === undefined) return null;
  if (stops.hold !== null) return `Release ${alias} is on hold in ${environment}: ${stops.hold}`;
  return stops.freeze === null ? null : `${environment} is frozen: ${stops.freeze}`;
}

async function isFollowed(db: Db, { environment, remote, ref }: Followed): Promise<boolean> {
  const rows = await db.sql<object[]>`
    select 1 from environment_follow where environment = ${environment} and remote = ${remote} and ref = ${ref} for update`;
  return rows.length > 0;
}

/** `commit` null leaves commit and release as they are. */
async function note(
  db: Db,
  { environment }: Followed,
  commit: string | null,
  release: string | null,
  problem: string | null,
  problems: readonly Problem[],
): Promise<void> {
  await db.sql`
    with before as (
      select commit, problem, problems from environment_follow where environment = ${environment}
    ), noted as (
      update environment_follow
      set commit = coalesce(${commit}, commit), seen_at = case when ${commit}::text is null then seen_at else now() end,
          release = case when ${commit}::text is null then release else ${release} end, problem = ${problem},
          problems = ${JSON.stringify(problems)}::jsonb
      where environment = ${environment}
      returning commit, problem, problems
    ), shown as (
      insert into event (environment, payload)
      select ${environment}, jsonb_build_object('kind', 'release', 'environment', ${environment}::text, 'release', coalesce((
        select p.release from environment_pointer p where p.environment = ${environment} order by p.seq desc limit 1), ''))
      from noted, before
      where (noted.commit, noted.problem, noted.problems) is distinct from (before.commit, before.problem, before.problems)
    )
    select count(*) from noted`;
}
