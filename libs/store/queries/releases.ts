import type { DataSource } from 'typeorm';
import type { ReleaseRecord } from '#core';
import type { Db } from '../statement.ts';

export async function currentRelease(db: Db, environment: string): Promise<{ release: string; seq: number } | null> {
  const [row] = await db.sql<{ release: string; seq: number }[]>`
    select release, seq from environment_pointer where environment = ${environment} order by seq desc limit 1`;
  return row ?? null;
}

/** Records the release and moves the pointer, if it still stands at `seq`; 0 for an environment without one. */
export async function pointAt(
  db: Db,
  environment: string,
  release: ReleaseRecord,
  seq: number,
  actor: string,
): Promise<boolean> {
  const rows = await db.sql<object[]>`
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
    select * from moved`;
  return rows.length > 0;
}

/** Appends the environment's configuration if it changed and sets the sizes of its pools. Two statements, one transaction. */
export async function applyEnvironment(
  dataSource: DataSource,
  environment: string,
  hash: string,
  content: unknown,
  actor: string,
  pools: Readonly<Record<string, number>>,
): Promise<void> {
  await dataSource.transaction(async (manager) => {
    await manager.sql`
      with current as (
        select seq, hash from environment_config where environment = ${environment} order by seq desc limit 1
      ), appended as (
        insert into environment_config (environment, seq, hash, content, actor)
        select ${environment}, coalesce((select seq from current), 0) + 1, ${hash}, ${JSON.stringify(content)}::jsonb, ${actor}
        where coalesce((select hash from current), '') <> ${hash}
        on conflict do nothing
        returning 1
      )
      select count(*) from appended`;
    await manager.sql`
      with sized as (
        insert into pool (environment, name, slots)
        select ${environment}, key, value::int from jsonb_each_text(${JSON.stringify(pools)}::jsonb)
        on conflict (environment, name) do update set slots = excluded.slots where pool.slots <> excluded.slots
        returning 1
      )
      select count(*) from sized`;
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
