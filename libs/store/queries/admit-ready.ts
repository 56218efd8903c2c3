import type { EntityManager } from 'typeorm';
import type { Admitted, Applicant, Batch, Replicas, Room, TaskRunInsert } from '#core';
import { admit } from '#core';
import { insertTaskRuns } from './insert-task-runs.ts';
import { asksOf, readRooms, type Asking } from './resource-rooms.ts';
import { ADVISORY_LOCKS } from '../locks.ts';
import type { Pipeline } from '../statement.ts';

interface LockedPool {
  readonly environment: string;
  readonly name: string;
  readonly slots: number;
  readonly used: number;
  /** Something that is ready asks for resources, in whatever pool. */
  readonly asked: boolean;
}

interface Ready extends Asking {
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly pool: string;
  readonly slots: number;
  readonly replicas: Replicas | null;
  readonly priority: number;
  readonly intervalStart: string | null;
}

export interface Applying {
  readonly pools: readonly LockedPool[];
  /** As far as slots are free, in the order of their claim. */
  readonly ready: readonly Ready[];
}

/** What is admitted with one commit: the pools stay locked until then, and nothing of it begins before. The next takes the rest. */
export const MOST_ADMITTED = 1000;

/**
 * What becomes ready and is not written before `admitReady` has decided: most get a slot at once, and one that is never
 * written as ready leaves nothing in the index of what is ready. An entry there stays for as long as any transaction is open,
 * somebody's report in the same database, and each admission passes over it. The first in the order of their claim.
 */
export function heldBack(batch: Batch): ReadonlySet<TaskRunInsert> {
  const pools = new Set(batch.pools.map(({ environment, pool }) => `${environment} ${pool}`));
  const fresh = batch.inserts.filter(
    ({ state, resources, environment, pool }) =>
      state === 'ready' && resources === undefined && pools.has(`${environment} ${pool}`),
  );
  return new Set(fresh.sort(byClaim).slice(0, MOST_ADMITTED));
}

type Claim = Pick<TaskRunInsert, 'priority' | 'intervalStart' | 'mapIndex' | 'runId'>;

/** As the statements below order them: none has an interval after all that have one. */
function byClaim(one: Claim, other: Claim): number {
  return (
    other.priority - one.priority ||
    Number(one.intervalStart === null) - Number(other.intervalStart === null) ||
    Date.parse(one.intervalStart ?? '') - Date.parse(other.intervalStart ?? '') ||
    one.mapIndex - other.mapIndex ||
    Number(BigInt(one.runId) - BigInt(other.runId))
  );
}

/** Frees slots, locks these pools until the commit, and reads who applies for what is free. */
export async function lockPools(pipeline: Pipeline, batch: Batch): Promise<Applying> {
  if (batch.pools.length === 0) return { pools: [], ready: [] };
  const [pools, ready] = await Promise.all([
    pipeline.run<LockedPool>(FREE_AND_LOCK_POOLS, [
      batch.pools.map((p) => p.environment),
      batch.pools.map((p) => p.pool),
      batch.pools.map((p) => p.freed),
    ]),
    readReady(pipeline, batch),
  ]);
  return { pools: pools.filter(({ slots, used }) => used < slots), ready };
}

/**
 * Hands what is free to the ready task runs of those pools, in the order of their claim over all runs of all processes,
 * with the last statement of the transaction, which also inserts what was held back. They are returned in that order, in
 * which they begin. Only those of this owner's runs are admitted here: another owner would not know of it. What is the turn
 * of another's is left for it, and that owner is told. `hasMore`: others may have a slot, too; the next commit has to look.
 */
export async function admitReady(
  pipeline: Pipeline,
  batch: Batch,
  { pools: open, ready: waiting }: Applying,
  fresh: ReadonlySet<TaskRunInsert>,
): Promise<{ readonly admitted: readonly Admitted[]; readonly hasMore: boolean }> {
  const asked = open.some((pool) => pool.asked);
  if (!asked && waiting.length === 0 && fresh.size === 0) return { admitted: [], hasMore: false };
  const before = asked ? await readAsking(pipeline, batch, open) : waiting;
  const inserts = new Map([...fresh].map((one) => [asReady(one, batch.processId), one]));
  const ready = [...before, ...inserts.keys()].sort(byClaim);
  const resources = asked ? await readRooms(pipeline.manager, ready) : NO_ROOMS;
  const rooms = open.map((pool): [string, Room] => [
    `${pool.environment} ${pool.name}`,
    { free: pool.slots - pool.used, size: pool.slots },
  ]);
  const all = admit(
    ready.map((row) => asApplicant(row)),
    new Map(rooms),
    resources,
  );
  const chosen = all.slice(0, MOST_ADMITTED);
  const others = chosen.filter(({ applicant }) => applicant.row.owner !== batch.processId);
  await tellOthers(
    pipeline.manager,
    others.map(({ applicant }) => applicant.row),
  );
  const ours = chosen.filter(({ applicant }) => applicant.row.owner === batch.processId);
  if (ours.length === 0 && fresh.size === 0) return { admitted: [], hasMore: false };
  const rows = ours.map(({ applicant }) => applicant.row);
  const begun = new Set(rows);
  const admitted = await pipeline.runLast<Admitted>(ADMIT, [
    rows.map(({ runId }) => runId),
    rows.map(({ taskId }) => taskId),
    rows.map(({ mapIndex }) => mapIndex),
    batch.worker,
    ours.map(({ applicant, replicas }) => (applicant.row.replicas === null ? null : replicas)),
    JSON.stringify([...inserts].map(([row, one]) => (begun.has(row) ? { ...one, state: 'queued' } : one))),
  ]);
  // While all are others', looking again at once would only keep asking until they are awake.
  return { admitted, hasMore: admitted.length > 0 && all.length >= MOST_ADMITTED };
}

function asReady(insert: TaskRunInsert, owner: string): Ready {
  const { runId, taskId, mapIndex, environment, pool, slots, priority, intervalStart } = insert;
  const claim = { runId, taskId, mapIndex, environment, pool, slots, priority, intervalStart, owner };
  return { ...claim, replicas: insert.replicas ?? null, resources: null };
}

const NO_ROOMS: ReadonlyMap<string, Room> = new Map();

function asApplicant(row: Ready): Applicant & { readonly row: Ready } {
  const { environment, pool, slots, replicas } = row;
  const about = { pool: `${environment} ${pool}`, slots, asks: asksOf(row), row };
  return replicas === null ? about : { ...about, replicas };
}

// Where something asks for resources, every pool in which something does takes part, for they stand in one line; one
// process at a time, since what is in use is counted. The lock of resources comes before those of pools, everywhere.
const FREE_AND_LOCK_POOLS = `
    with asking as materialized (
      select distinct environment, pool from task_run where state = 'ready' and resources is not null
    ), alone as materialized (
      select case when exists (select from asking) then pg_advisory_xact_lock(${ADVISORY_LOCKS.resources}) is not null else false end as asked
    ), given as (
      select environment, name, sum(freed)::int as freed
      from (
        select * from unnest($1::text[], $2::text[], $3::int[]) as t (environment, name, freed)
        union all
        select environment, pool, 0 from asking
      ) every_one
      group by environment, name
    ), locked as (
      select p.environment, p.name
      from alone, pool p join given g using (environment, name)
      order by p.environment, p.name
      for update of p
    ), freed as (
      update pool p
      set used = greatest(0, p.used - g.freed)
      from given g
      where p.environment = g.environment and p.name = g.name
        and (select count(*) from locked) > 0
      returning p.environment, p.name, p.slots, p.used
    )
    select freed.*, asked from freed, alone`;

const READY = `
    select t.run_id::text as "runId", t.task_id as "taskId", t.map_index as "mapIndex", t.environment, t.pool, t.slots,
           t.replicas, null as resources, r.lease_owner as owner, t.priority, t.interval_start as "intervalStart"
    from task_run t
    join run r on r.id = t.run_id
    left join process o on o.id = r.lease_owner and o.alive_until > now()
    where t.environment = $1 and t.pool = $2 and t.state = 'ready' and (r.lease_owner = $3 or o.id is not null)
    order by t.priority desc, t.interval_start, t.map_index, t.run_id
    -- Every applicant takes a slot at least, so that no more than are free can matter.
    limit (select least(greatest(p.slots - p.used, 0), ${MOST_ADMITTED}) from pool p where p.environment = $1 and p.name = $2)`;

async function readReady({ run }: Pipeline, { pools, processId }: Batch): Promise<Ready[]> {
  const ready = await Promise.all(pools.map((p) => run<Ready>(READY, [p.environment, p.pool, processId])));
  return ready.flat();
}

/** Of a pool, so many are looked at that ask for resources: those that wait for them stand before those that need not. */
const MOST_ASKING = 500;

/** The same in one line over all pools. */
function readAsking({ manager }: Pipeline, batch: Batch, pools: readonly LockedPool[]): Promise<Ready[]> {
  return manager.sql<Ready[]>`
    select t.*
    from unnest(${pools.map((p) => p.environment)}::text[], ${pools.map((p) => p.name)}::text[],
                ${pools.map((p) => p.slots - p.used)}::int[]) as p (environment, name, free),
    lateral (
      (
        select t.run_id::text as "runId", t.task_id as "taskId", t.map_index as "mapIndex", t.environment, t.pool, t.slots,
               t.replicas, t.resources, r.lease_owner as owner, t.priority, t.interval_start as "intervalStart", t.run_id
        from task_run t
        join run r on r.id = t.run_id
        left join process o on o.id = r.lease_owner and o.alive_until > now()
        where t.environment = p.environment and t.pool = p.name and t.state = 'ready' and t.resources is null
          and (r.lease_owner = ${batch.processId} or o.id is not null)
        order by t.priority desc, t.interval_start, t.map_index, t.run_id
        limit least(p.free, ${MOST_ADMITTED})
      )
      union all
      (
        select t.run_id::text as "runId", t.task_id as "taskId", t.map_index as "mapIndex", t.environment, t.pool, t.slots,
               t.replicas, t.resources, r.lease_owner as owner, t.priority, t.interval_start as "intervalStart", t.run_id
        from task_run t
        join run r on r.id = t.run_id
        left join process o on o.id = r.lease_owner and o.alive_until > now()
        where t.environment = p.environment and t.pool = p.name and t.state = 'ready' and t.resources is not null
          and (r.lease_owner = ${batch.processId} or o.id is not null)
        order by t.priority desc, t.interval_start, t.map_index, t.run_id
        limit ${MOST_ASKING}
      )
    ) t
    order by t.priority desc, t."intervalStart", t."mapIndex", t.run_id`;
}

const ADMIT = `
    with given as (
      select *
      from unnest($1::bigint[], $2::text[], $3::int[], $5::int[]) with ordinality as t (run_id, task_id, map_index, replicas, turn)
    ), inserted as (${insertTaskRuns('$6')}
      returning run_id, task_id, map_index, number, fence, environment, pool, slots, state
    ), queued as (
      update task_run t
      set state = 'queued', queued_at = clock_timestamp(), number = t.number + 1, fence = t.fence + 1, reason = null
      from given g
      where t.run_id = g.run_id and t.task_id = g.task_id and t.map_index = g.map_index and t.state = 'ready'
      returning t.run_id, t.task_id, t.map_index, t.number, t.fence, t.environment, t.pool, t.slots, t.state
    ), begun as (
      select * from (select * from queued union all select * from inserted where state = 'queued') t
      join given using (run_id, task_id, map_index)
    ), used as (
      update pool p
      set used = p.used + b.slots
      from (select environment, pool, sum(slots * coalesce(replicas, 1)) as slots from begun group by environment, pool) b
      where p.environment = b.environment and p.name = b.pool
    ), attempts as (
      insert into attempt (run_id, task_id, map_index, number, fence, state, worker, replicas)
      select run_id, task_id, map_index, number, fence, 'queued', $4, replicas
      from begun
      returning id, run_id, task_id, map_index, number, fence, replicas
    )
    select id::text as "attemptId", run_id::text as "runId", task_id as "taskId", map_index as "mapIndex",
           number, fence, attempts.replicas
    from attempts join given using (run_id, task_id, map_index)
    order by turn`;

/** Whose turn it is looks again at its next tick; one word for each owner and pool is enough. */
async function tellOthers(manager: EntityManager, turns: readonly Ready[]): Promise<void> {
  if (turns.length === 0) return;
  const once = new Map(turns.map((turn) => [`${turn.owner} ${turn.environment} ${turn.pool}`, turn]));
  const told = [...once.values()].map(({ runId, environment, pool }) => ({ runId, payload: { environment, pool } }));
  await manager.sql`
    with told as (
      insert into inbox (run_id, kind, payload)
      select "runId", 'slots', payload
      from jsonb_to_recordset(${JSON.stringify(told)}::jsonb) as t ("runId" bigint, payload jsonb)
      where not exists (select from inbox i where i.run_id = "runId" and i.kind = 'slots' and i.payload = t.payload)
      returning 1
    )
    select count(*) from told`;
}
