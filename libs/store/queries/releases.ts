import type { ReleaseRecord } from '#core';
import { inTransaction, type Db } from '../statement.ts';
import { appendAudit } from './audit.ts';

export async function currentRelease(db: Db, environment: string): Promise<{ release: string; seq: number } | null> {
  const [row] = await db.sql<{ release: string; seq: number }[]>`
    select release, seq from environment_pointer where environment = ${environment} order by seq desc limit 1`;
  return row ?? null;
}

/**
 * Records the release and moves the pointer, if it still stands at `seq`; 0 for an environment without one. The move
 * stands in the audit trail.
 */
export function pointAt(
  db: Db,
  environment: string,
  release: ReleaseRecord,
  seq: number,
  actor: string,
): Promise<boolean> {
  return inTransaction(db, async (manager) => {
    const [moved] = await manager.sql<{ previous: string | null }[]>`
      with recorded as (
        insert into release (digest, alias, commit, branch, author, message, dirty)
        values (${release.digest}, ${release.alias}, ${release.commit}, ${release.branch}, ${release.author}, ${release.message}, ${release.dirty})
        on conflict (digest) do nothing
      ), current as (
        select coalesce(max(seq), 0) as seq from environment_pointer where environment = ${environment}
      ), moved as (
        insert into environment_pointer (environment, seq, release, actor)
        select ${environment}, ${seq}::int + 1, ${release.digest}, ${actor} from current where current.seq = ${seq}::int
        on conflict do nothing
        returning 1
      ), shown as (
        insert into event (environment, payload)
        select ${environment}, jsonb_build_object('kind', 'release', 'environment', ${environment}::text, 'release', ${release.digest}::text)
        from moved
      )
      select (select release from environment_pointer where environment = ${environment} and seq = ${seq}::int) as previous
      from moved`;
    if (moved === undefined) return false;
    const detail = { from: moved.previous, to: release.digest, commit: release.commit, dirty: release.dirty };
    await appendAudit(manager, [{ actor, action: 'pointer.move', environment, subject: release.digest, detail }]);
    return true;
  });
}

/** Appends the environment's configuration if it changed, which the audit trail tells, and sets the sizes of its pools. One transaction. */
export async function applyEnvironment(
  db: Db,
  environment: string,
  hash: string,
  content: unknown,
  actor: string,
  pools: Readonly<Record<string, number>>,
): Promise<void> {
  await inTransaction(db, async (manager) => {
    const [applied] = await manager.sql<{ count: number; previous: string | null }[]>`
      with current as (
        select seq, hash from environment_config where environment = ${environment} order by seq desc limit 1
      ), appended as (
        insert into environment_config (environment, seq, hash, content, actor)
        select ${environment}, coalesce((select seq from current), 0) + 1, ${hash}, ${JSON.stringify(content)}::jsonb, ${actor}
        where coalesce((select hash from current), '') <> ${hash}
        on conflict do nothing
        returning 1
      )
      select count(*)::int as count, (select hash from current) as previous from appended`;
    await manager.sql`
      with sized as (
        insert into pool (environment, name, slots)
        select ${environment}, key, value::int from jsonb_each_text(${JSON.stringify(pools)}::jsonb)
        on conflict (environment, name) do update set slots = excluded.slots where pool.slots <> excluded.slots
        returning 1
      )
      select count(*) from sized`;
    if (applied === undefined || applied.count === 0) return;
    const detail = { from: applied.previous, to: hash };
    await appendAudit(manager, [{ actor, action: 'environment.apply', environment, subject: environment, detail }]);
  });
}

export async function releaseOf(
  db: Db,
  digest: string,
): Promise<{ author: string | null; dirty: boolean; alias: string } | null> {
  const [row] = await db.sql<{ author: string | null; dirty: boolean; alias: string }[]>`
    select author, dirty, alias from release where digest = ${digest}`;
  return row ?? null;
}
