import type { ProcessBeat } from '#core';
import type { Db } from '../statement.ts';

/** Renews a process's life, by `beatValues`. */
export const BEAT = `
    with before as (
      select alive_until from process where id = $1
    ), beaten as (
      insert into process (id, kind, host, pid, resources, alive_until)
      values ($1, $2, $3, $4, $5::jsonb, now() + $6::float8 * interval '1 millisecond')
      on conflict (id) do update set alive_until = excluded.alive_until
      returning 1
    )`;
/** False when it had already run out: somebody may own its runs by now. */
export const IN_TIME = `coalesce((select alive_until > now() from before), not $7::boolean) and exists (select from beaten) as "inTime"`;

export function beatValues({ id, kind, host, pid, resources, ttlMs, isKnown }: ProcessBeat): unknown[] {
  return [id, kind, host, pid, JSON.stringify(resources ?? null), ttlMs, isKnown ?? false];
}

export async function heartbeat(db: Db, process: ProcessBeat): Promise<boolean> {
  const [row] = await db.query<{ inTime: boolean }[]>(`${BEAT} select ${IN_TIME}`, beatValues(process));
  return row?.inTime ?? false;
}

export async function retire(db: Db, processId: string): Promise<void> {
  await db.sql`
    with released as (
      update run set lease_owner = null where lease_owner = ${processId} and state = 'running' returning 1
    ), retired as (
      delete from process where id = ${processId} returning 1
    )
    select (select count(*) from released), (select count(*) from retired)`;
}

/**
 * The processes of this host are known to be dead: forgets them. What they were sending is due at once, still in doubt,
 * unless another process lives that may be the one who sends it.
 */
export async function retireHost(db: Db, host: string): Promise<void> {
  await db.sql`
    with retired as (
      delete from process where host = ${host} returning 1
    ), given_back as (
      update alert_delivery
      set next_try_at = now()
      where state = 'pending' and in_doubt
        and not exists (select from process where kind = 'scheduler' and host <> ${host} and alive_until > now())
      returning 1
    )
    select (select count(*) from retired), (select count(*) from given_back)`;
}
