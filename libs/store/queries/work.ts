import { SluiceError, type Assignment, type AttemptResult, type HeldAttempt, type QueueName } from '#core';
import type { WorkerProof, WorkerRecord } from '#core';
import type { Db } from '../statement.ts';

/** Attempts as their workers see them. A worker is whoever shows the key that it signed in with. */

export async function signIn(db: Db, worker: WorkerRecord): Promise<void> {
  await db.sql`
    with came as (
      insert into process (id, kind, host, pid, alive_until, key_hash, capacity, queues)
      values (${worker.id}, 'worker', ${worker.host}, ${worker.pid}, now() + ${worker.ttlMs} * interval '1 millisecond',
              ${worker.keyHash}, ${worker.capacity}, ${worker.queues}::text[])
      returning 1
    )
    select count(*) from came`;
}

/** A worker that comes too late lives on; what was taken from it meanwhile is not its own any more. */
export async function beat(
  db: Db,
  proof: WorkerProof,
  ttlMs: number,
): Promise<{ held: HeldAttempt[]; patterns: string[] }> {
  const [row] = await db.sql<{ patterns: string[] | null; held: HeldAttempt[] }[]>`
    with beaten as (
      update process set alive_until = now() + ${ttlMs} * interval '1 millisecond'
      where id = ${proof.worker} and key_hash = ${proof.keyHash}
      returning id, queues
    )
    select (select queues from beaten) as patterns,
           (select coalesce(jsonb_agg(jsonb_build_object(
              'attemptId', s.attempt_id::text, 'runId', s.run_id::text, 'fence', s.content -> 'fence', 'cancel', s.cancel)), '[]')
            from assignment s join beaten b on b.id = s.worker
            where s.result is null and not s.fenced) as held`;
  if (!row?.patterns) throw notSignedIn(proof);
  return { held: row.held, patterns: row.patterns };
}

/** For so long what has more replicas than a worker executes at once is left for a larger one. */
const LEFT_FOR_LARGER_MS = 10_000;

/** Attempts that are still queued become running, and theirs; index: assignment_pkey. */
export async function claim(
  db: Db,
  proof: WorkerProof,
  attemptIds: readonly string[],
  among: readonly string[] | null,
): Promise<Assignment[]> {
  const rows = await db.sql<{ known: boolean; content: Assignment | null }[]>`
    with worker as (
      select id, capacity from process where id = ${proof.worker} and key_hash = ${proof.keyHash} and alive_until > now()
    ), taken as (
      update assignment s
      set worker = w.id, claimed_at = clock_timestamp(), news = true
      from worker w
      where s.attempt_id = any(${attemptIds}::bigint[]) and s.worker is null
        and (${among}::text[] is null or split_part(s.environment, '/', 1) = any(${among}::text[]) or s.environment = any(${among}::text[]))
        and (coalesce((s.content #>> '{replicas,count}')::int, 1) <= w.capacity
          -- Whether the larger one may, and has room, it alone knows: nothing waits for it for ever.
          or s.noted_at < clock_timestamp() - ${LEFT_FOR_LARGER_MS} * interval '1 millisecond'
          or not exists (select from process p where p.capacity > w.capacity and cardinality(p.queues) > 0 and p.alive_until > now()))
      returning s.attempt_id, s.content, s.worker
    ), started as (
      update attempt a set state = 'running', worker = t.worker, started_at = clock_timestamp()
      from taken t
      where a.id = t.attempt_id and a.state = 'queued'
      returning a.id
    ), woken as (
      select pg_notify('sluice_news', '') from (select 1 from taken limit 1) one
    )
    select exists (select from worker) as known, t.content, (select count(*) from woken)
    from (select 1) one left join (taken t join started s on s.id = t.attempt_id) on true`;
  if (!rows[0]?.known) throw notSignedIn(proof);
  return rows.flatMap(({ content }) => (content === null ? [] : [content]));
}

/** The same for what has waited longest; index: assignment_waiting. */
export async function take(
  db: Db,
  proof: WorkerProof,
  queues: readonly QueueName[],
  minAgeMs: number,
  limit: number,
): Promise<Assignment[]> {
  const ids = await db.sql<{ id: string }[]>`
    select s.attempt_id::text as id
    from assignment s
    join unnest(${queues.map(({ environment }) => environment)}::text[], ${queues.map(({ pool }) => pool)}::text[]) as q (environment, pool)
      using (environment, pool)
    where s.worker is null and s.noted_at < clock_timestamp() - ${minAgeMs} * interval '1 millisecond'
    order by s.attempt_id
    limit ${limit}`;
  if (ids.length === 0) return [];
  const attemptIds = ids.map(({ id }) => id);
  return claim(db, proof, attemptIds, null);
}

/** The first word counts, also among `results`: a row that has a result, is fenced or belongs to another worker stays as it is. */
export async function report(db: Db, proof: WorkerProof, results: readonly AttemptResult[]): Promise<string[]> {
  const rows = await db.sql<{ known: boolean; attemptId: string | null }[]>`
    with worker as (
      select id from process where id = ${proof.worker} and key_hash = ${proof.keyHash}
    ), given as (
      select distinct on (attempt_id, run_id, fence) attempt_id, run_id, fence, result
      from jsonb_array_elements(${JSON.stringify(results)}::jsonb) with ordinality as t (result, position)
      cross join lateral (
        select (result ->> 'attemptId')::bigint as attempt_id, (result ->> 'runId')::bigint as run_id, (result ->> 'fence')::int as fence
      ) of
      order by attempt_id, run_id, fence, position
    ), kept as (
      update assignment s
      set result = g.result, news = true
      from given g, worker w
      where s.attempt_id = g.attempt_id and s.run_id = g.run_id and (s.content ->> 'fence')::int = g.fence
        and s.worker = w.id and s.result is null and not s.fenced
      returning s.attempt_id
    ), woken as (
      select pg_notify('sluice_news', '') from (select 1 from kept limit 1) one
    )
    select exists (select from worker) as known, k.attempt_id::text as "attemptId", (select count(*) from woken)
    from (select 1) one left join kept k on true`;
  if (!rows[0]?.known) throw notSignedIn(proof);
  return rows.flatMap(({ attemptId }) => (attemptId === null ? [] : [attemptId]));
}

export async function signOut(db: Db, proof: WorkerProof): Promise<void> {
  await db.sql`
    with gone as (
      delete from process where id = ${proof.worker} and key_hash = ${proof.keyHash} returning 1
    )
    select count(*) from gone`;
}

function notSignedIn({ worker }: WorkerProof): SluiceError {
  return new SluiceError('forbidden', `Worker ${worker} is not signed in, or this key is not its own.`, {
    hint: 'A worker that was away for long signs in again.',
  });
}
