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
    select environment, remote, ref, actor, since, commit, seen_at as "seenAt", release, problem, problems,
           asked_at as "askedAt", told
    from environment_follow
    order by environment`;
}

/** Begins to follow, or follows something else; what was seen of the one before is forgotten. */
export async function setFollow(db: Db, { environment, remote, ref }: Followed, actor: string): Promise<void> {
  await inTransaction(db, async (manager) => {
    const [before] = await manager.sql<{ remote: string; ref: string }[]>`
      select remote, ref from environment_follow where environment = ${environment} for update`;
    if (before?.remote === remote && before.ref === ref) return;
    await manager.sql`
      with followed as (
        insert into environment_follow (environment, remote, ref, actor)
        values (${environment}, ${remote}, ${ref}, ${actor})
        on conflict (environment) do update
        set remote = excluded.remote, ref = excluded.ref, actor = excluded.actor, since = now(), commit = null, seen_at = null,
            release = null, problem = null, problems = '[]', told = null
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
 * One transaction: records the release, points the environment at it and notes the commit. `same`: it points there
 * already; `gone`: it follows something else by now; `stale`: the pointer moved meanwhile. Locks the follow, then the trail.
 */
export function followTo(
  db: Db,
  followed: Followed,
  release: ReleaseRecord,
): Promise<'moved' | 'same' | 'gone' | 'stale'> {
  const { environment, remote, ref } = followed;
  const actor = `${remote}#${ref}`;
  return inTransaction(db, async (manager) => {
    if (!(await isFollowed(manager, followed))) return 'gone';
    const current = await currentRelease(manager, environment);
    await recordRelease(manager, release, null, actor);
    await note(manager, followed, release.commit, release.digest, null, []);
    if (current?.release === release.digest) return 'same';
    return (await pointAt(manager, environment, release, current?.seq ?? 0, actor)) ? 'moved' : 'stale';
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

/** Every follower looks at its remote as soon as it sees this. How many there are. */
export async function askFollowers(db: Db): Promise<number> {
  const [row] = await db.sql<{ count: number }[]>`
    with asked as (
      update environment_follow set asked_at = clock_timestamp() returning 1
    )
    select count(*)::int as count from asked`;
  return row?.count ?? 0;
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
      select problem, problems from environment_follow where environment = ${environment}
    ), noted as (
      update environment_follow
      set commit = coalesce(${commit}, commit), seen_at = case when ${commit}::text is null then seen_at else now() end,
          release = case when ${commit}::text is null then release else ${release} end, problem = ${problem},
          problems = ${JSON.stringify(problems)}::jsonb
      where environment = ${environment}
      returning problem, problems
    ), shown as (
      insert into event (environment, payload)
      select ${environment}, jsonb_build_object('kind', 'release', 'environment', ${environment}::text, 'release', coalesce((
        select p.release from environment_pointer p where p.environment = ${environment} order by p.seq desc limit 1), ''))
      from noted, before
      where noted.problem is distinct from before.problem or noted.problems <> before.problems
    )
    select count(*) from noted`;
}
