import type { DataSource } from 'typeorm';
import type {
  ApprovalRecord,
  EnvironmentStand,
  GateRecord,
  GivenApproval,
  NewPromotion,
  PromotionCase,
  PromotionRecord,
  PromotionRunRecord,
  PromotionState,
  RunRecord,
  RunsInFlight,
} from '#core';
import { ADVISORY_LOCKS } from '../locks.ts';
import type { Db } from '../statement.ts';
import { appendAudit } from './audit.ts';
import { getRun } from './runs.ts';

/** Promotions: requesting, reading, moving. */

const PROMOTION = `id::text, environment, release, kind, state, previous, fallback, pointer_seq as "pointerSeq", config_hash as "configHash",
  plan, plan_hash as "planHash", actor, reason, build_url as "buildUrl", detail, requested_at as "requestedAt", state_at as "stateAt",
  switched_at as "switchedAt", finished_at as "finishedAt"`;

/** Requests for one environment take turns. */
async function lockEnvironment(manager: Db, environment: string): Promise<void> {
  await manager.sql`select pg_advisory_xact_lock(${ADVISORY_LOCKS.promote}::int, hashtext(${environment}))`;
}

/** One transaction: looks for the same request, supersedes what it replaces, inserts. Locks: the environment's requests. */
export function createPromotion(
  dataSource: DataSource,
  given: NewPromotion,
): Promise<{ id: string; created: boolean }> {
  const { environment, release, kind } = given;
  return dataSource.transaction(async (manager) => {
    await lockEnvironment(manager, environment);
    const [same] = await manager.sql<{ id: string }[]>`
      select id::text from promotion p
      where environment = ${environment} and release = ${release} and kind = ${kind}
        and ((finished_at is null and (state = 'verifying' or plan_hash = ${given.planHash})) or (state = 'verified'
             and id = (select max(id) from promotion l where l.environment = ${environment} and l.state in ('verified', 'rolled_back'))
             -- Where something else moves the pointer, what it points at says nothing of promotions.
             and (${given.pointerSeq} = 0 or ${release} = (select e.release from environment_pointer e where e.environment = ${environment} order by e.seq desc limit 1))))
      order by p.id desc
      limit 1`;
    if (same) return { id: same.id, created: false };
    const preempts = kind !== 'promote';
    const superseded = await manager.sql<{ id: string }[]>`
      with superseded as (
        update promotion
        set state = 'superseded', state_at = now(), finished_at = now(), detail = ${`Superseded by a ${kind === 'promote' ? 'newer promotion' : kind}.`}
        where environment = ${environment} and finished_at is null
          -- One of the same release was planned with what is no more: nobody's approval of it counts for the new plan.
          and (state = 'queued' or ${preempts}::boolean or (release = ${release} and kind = ${kind} and state <> 'verifying'))
        returning id
      )
      select id::text from superseded`;
    const [inserted] = await manager.sql<{ id: string }[]>`
      with inserted as (
        insert into promotion (environment, release, kind, state, previous, fallback, pointer_seq, config_hash, plan, plan_hash, actor,
                               reason, build_url)
        values (${environment}, ${release}, ${kind}, 'queued', ${given.previous}, ${given.fallback}, ${given.pointerSeq}, ${given.configHash},
                ${JSON.stringify(given.plan)}::jsonb, ${given.planHash}, ${given.actor}, ${given.reason}, ${given.buildUrl})
        returning id
      ), shown as (
        insert into event (environment, payload)
        select ${environment}, jsonb_build_object('kind', 'promotion', 'environment', ${environment}::text, 'promotionId', id::text, 'state', 'queued')
        from inserted
      )
      select id::text from inserted`;
    const id = inserted?.id ?? '';
    await appendAudit(manager, [
      ...superseded.map((one) => entry(given.actor, 'promotion.supersede', environment, one.id, { by: id })),
      entry(given.actor, `${kind}.request`, environment, id, {
        release,
        previous: given.previous,
        reason: given.reason,
        build: given.buildUrl,
        ...(given.plan.vouched === undefined ? {} : { vouched: given.plan.vouched }),
      }),
    ]);
    return { id, created: true };
  });
}

/** The oldest queued promotion of each environment without an active one begins. */
export async function beginPromotions(db: Db): Promise<void> {
  await db.sql`
    with next as (
      select distinct on (environment) id, environment from promotion q
      where state = 'queued' and not exists (
        select from promotion a where a.environment = q.environment and a.state in ('gates', 'approval', 'window', 'verifying'))
      order by environment, id
    ), begun as (
      update promotion p set state = 'gates', state_at = now() from next where p.id = next.id and p.state = 'queued'
      returning p.id, p.environment
    ), shown as (
      insert into event (environment, payload)
      select environment, jsonb_build_object('kind', 'promotion', 'environment', environment, 'promotionId', id::text, 'state', 'gates')
      from begun
    )
    select count(*) from begun`;
}

export function openPromotions(db: Db): Promise<PromotionRecord[]> {
  return db.sql<PromotionRecord[]>`
    select ${() => PROMOTION} from promotion where finished_at is null order by promotion.id`;
}

/** Newest first; `before`: only older ones. */
export function readPromotions(
  db: Db,
  given: {
    environments: readonly string[] | null;
    release: string | null;
    states: readonly PromotionState[] | null;
    before: string | null;
    limit: number;
  },
): Promise<PromotionRecord[]> {
  return db.sql<PromotionRecord[]>`
    select ${() => PROMOTION} from promotion
    where (${given.environments}::text[] is null or environment = any(${given.environments}::text[]))
      and (${given.release}::text is null or release = ${given.release})
      and (${given.states}::text[] is null or state = any(${given.states}::text[]))
      and (${given.before}::bigint is null or id < ${given.before}::bigint)
    order by promotion.id desc
    limit ${given.limit}`;
}

export async function promotionCase(db: Db, id: string): Promise<PromotionCase | null> {
  const [promotion] = await db.sql<
    PromotionRecord[]
  >`select ${() => PROMOTION} from promotion where id = ${id}::bigint`;
  if (promotion === undefined) return null;
  const [gates, approvals, runs] = await Promise.all([
    db.sql<GateRecord[]>`
      select kind, name, state, detail, evidence, checked_at as "checkedAt" from promotion_gate
      where promotion_id = ${id}::bigint order by position`,
    db.sql<ApprovalRecord[]>`
      select approver, asserted_by as "assertedBy", groups, decision, comment, plan_hash as "planHash", at from promotion_approval
      where promotion_id = ${id}::bigint order by at`,
    db.sql<PromotionRunRecord[]>`
      select id::text as "runId", environment, pipeline, trigger, state, reason, created_at as "createdAt" from run
      where promotion_id = ${id}::bigint order by id`,
  ]);
  return { promotion, gates, approvals, runs };
}

export async function movePromotion(
  dataSource: DataSource,
  id: string,
  from: PromotionState,
  to: PromotionState,
  detail: string,
  actor: string,
): Promise<boolean> {
  return dataSource.transaction(async (manager) => {
    const [moved] = await manager.sql<{ environment: string; release: string }[]>`
      with moved as (
        update promotion
        set state = ${to}, detail = ${detail}, state_at = now(),
            finished_at = case when ${to} in ('gates', 'approval', 'window', 'verifying') then null else now() end
        where id = ${id}::bigint and state = ${from}
        returning id, environment, release
      ), shown as (
        insert into event (environment, payload)
        select environment, jsonb_build_object('kind', 'promotion', 'environment', environment, 'promotionId', id::text, 'state', ${to}::text)
        from moved
      )
      select environment, release from moved`;
    if (moved === undefined) return false;
    await appendAudit(manager, [
      entry(actor, `promotion.${to}`, moved.environment, id, { from, release: moved.release, detail }),
    ]);
    return true;
  });
}

export async function notePromotion(db: Db, id: string, detail: string): Promise<void> {
  await db.sql`
    with noted as (
      update promotion set detail = ${detail} where id = ${id}::bigint and detail is distinct from ${detail} and finished_at is null
      returning id, environment, state
    ), shown as (
      insert into event (environment, payload)
      select environment, jsonb_build_object('kind', 'promotion', 'environment', environment, 'promotionId', id::text, 'state', state)
      from noted
    )
    select count(*) from noted`;
}

export async function recordGates(
  db: Db,
  id: string,
  gates: readonly (Omit<GateRecord, 'checkedAt'> & { position: number })[],
): Promise<void> {
  await db.sql`
    with looked_for as (
      select plan->'overrides' as overrides from promotion where id = ${id}::bigint for no key update
    ), recorded as (
      insert into promotion_gate (promotion_id, position, kind, name, state, detail, evidence)
      select ${id}::bigint, position, kind, name, state, detail, evidence
      from jsonb_to_recordset(${JSON.stringify(gates)}::jsonb) as t (position int, kind text, name text, state text, detail text, evidence jsonb)
      cross join looked_for l
      -- Passed over while it was looked at: the next look sees that.
      where state = 'overridden' or not l.overrides @> jsonb_build_array(jsonb_build_object('gate', name))
      on conflict (promotion_id, position) do update
      set state = excluded.state, detail = excluded.detail, evidence = excluded.evidence, checked_at = now()
      where promotion_gate.state <> 'overridden'
      returning 1
    ), shown as (
      insert into event (environment, payload)
      select environment, jsonb_build_object('kind', 'promotion', 'environment', environment, 'promotionId', id::text, 'state', state)
      from promotion where id = ${id}::bigint and exists (select from recorded)
    )
    select count(*) from recorded`;
}

export function approvePromotion(dataSource: DataSource, id: string, given: GivenApproval): Promise<boolean> {
  return dataSource.transaction(async (manager) => {
    const [approved] = await manager.sql<{ environment: string }[]>`
      with approved as (
        insert into promotion_approval (promotion_id, approver, asserted_by, groups, decision, comment, plan_hash)
        select id, ${given.approver}, ${given.assertedBy}, ${given.groups}::text[], ${given.decision}, ${given.comment}, ${given.planHash}
        from promotion where id = ${id}::bigint and finished_at is null and state <> 'verifying'
        -- The switch waits for a rejection, or the rejection comes too late and says so.
        for update
        on conflict do nothing
        returning promotion_id
      )
      select environment from promotion where id = (select promotion_id from approved)`;
    if (approved === undefined) return false;
    const { approver, assertedBy, comment } = given;
    await appendAudit(manager, [
      entry(approver, `promotion.${given.decision}`, approved.environment, id, { assertedBy, comment }),
    ]);
    return true;
  });
}

export function overrideGate(
  dataSource: DataSource,
  id: string,
  name: string,
  reason: string,
  actor: string,
): Promise<boolean> {
  return dataSource.transaction(async (manager) => {
    // Locked, as by who records gates: a gate that is being looked at meanwhile must not end the promotion.
    const [open] = await manager.sql<{ environment: string; state: PromotionState }[]>`
      select environment, state from promotion where id = ${id}::bigint and finished_at is null and state <> 'verifying' for update`;
    if (open === undefined) return false;
    const overridden = await manager.sql<{ done: number }[]>`
      with answered as (
        update promotion_gate set state = 'overridden', detail = ${`Overridden by ${actor}: ${reason}`}, checked_at = now()
        where promotion_id = ${id}::bigint and name = ${name} and state in ('pending', 'inconclusive', 'failed')
        returning 1
      ), noted as (
        -- Nobody looked at it yet: whoever does finds it decided.
        update promotion
        set plan = jsonb_set(plan, '{overrides}', plan->'overrides' || ${JSON.stringify([{ gate: name, reason, actor }])}::jsonb)
        where id = ${id}::bigint and not exists (select from promotion_gate where promotion_id = ${id}::bigint and name = ${name})
          and state in ('queued', 'gates') and not plan->'overrides' @> ${JSON.stringify([{ gate: name }])}::jsonb
        returning 1
      )
      select 1 as done from answered union all select 1 from noted`;
    if (overridden.length === 0) return false;
    await appendAudit(manager, [entry(actor, 'gate.override', open.environment, id, { gate: name, reason })]);
    return true;
  });
}

/** Walks promotion_gate_elsewhere: few at any time. */
export async function unwantedElsewhere(db: Db): Promise<string[]> {
  const rows = await db.sql<{ id: string }[]>`
    select p.id::text as id from promotion_gate g join promotion p on p.id = g.promotion_id
    where g.kind = 'installation' and g.state = 'pending' and g.evidence ? 'promotion'
      and p.state in ('cancelled', 'rejected', 'expired', 'superseded')
    order by p.id
    limit 20`;
  return rows.map(({ id }) => id);
}

export async function verifiedIn(
  db: Db,
  release: string,
  environments: readonly string[],
): Promise<Record<string, number>> {
  const rows = await db.sql<{ environment: string; at: string }[]>`
    select environment, max(finished_at) as at from promotion
    where release = ${release} and environment = any(${environments}::text[]) and state = 'verified'
    group by environment`;
  return Object.fromEntries(rows.map(({ environment, at }) => [environment, Date.parse(at)]));
}

export async function stand(db: Db, environment: string): Promise<EnvironmentStand> {
  const [row] = await db.sql<EnvironmentStand[]>`
    select p.release, coalesce(p.seq, 0) as "pointerSeq", coalesce(c.hash, '') as "configHash"
    from (select 1) always
    left join lateral (select release, seq from environment_pointer where environment = ${environment} order by seq desc limit 1) p on true
    left join lateral (select hash from environment_config where environment = ${environment} order by seq desc limit 1) c on true`;
  return row ?? { release: null, pointerSeq: 0, configHash: '' };
}

/** Before the promotion that brought the present release: a second rollback goes on backward, not forward again. */
export async function verifiedBefore(db: Db, environment: string, current: string | null): Promise<string | null> {
  const [row] = await db.sql<{ release: string }[]>`
    select release from promotion v
    where v.environment = ${environment} and v.state = 'verified' and v.release is distinct from ${current}::text
      and not exists (
        select from promotion_hold h where h.environment = v.environment and h.release = v.release and h.lifted_at is null)
      and not exists (
        select from promotion c
        where c.environment = v.environment and c.release = ${current}::text and c.state = 'verified' and c.kind <> 'rollback'
        having max(c.id) < v.id)
    order by id desc limit 1`;
  return row?.release ?? null;
}

/** Walks promotion_of_environment. */
export async function lastVerified(db: Db, environment: string, except: string | null): Promise<string | null> {
  const [row] = await db.sql<{ release: string }[]>`
    select release from promotion v
    where v.environment = ${environment} and v.state = 'verified' and v.release is distinct from ${except}::text and not exists (
      select from promotion_hold h where h.environment = v.environment and h.release = v.release and h.lifted_at is null)
    order by id desc limit 1`;
  return row?.release ?? null;
}

export function runsInFlight(db: Db, environment: string): Promise<RunsInFlight[]> {
  return db.sql<RunsInFlight[]>`
    select pipeline, release, count(*)::int as runs from run
    where environment = ${environment} and state in ('queued', 'running') and not shadow
    group by pipeline, release order by pipeline, release`;
}

export async function lastSuccess(
  db: Db,
  environment: string,
  pipeline: string,
  release: string,
): Promise<string | null> {
  const [row] = await db.sql<{ id: string }[]>`
    select id::text from run
    where environment = ${environment} and pipeline = ${pipeline} and release = ${release} and state = 'success'
      -- A run that executes an older one again says nothing of now.
      and not (shadow and origin_run is not null)
    order by run.id desc limit 1`;
  return row?.id ?? null;
}

export async function newestRun(
  db: Db,
  environment: string,
  pipeline: string,
  release: string,
): Promise<RunRecord | null> {
  const [row] = await db.sql<{ id: string }[]>`
    select id::text from run
    where environment = ${environment} and pipeline = ${pipeline} and release = ${release} and state in ('success', 'failed', 'timed_out')
      and not (shadow and origin_run is not null)
    order by run.id desc limit 1`;
  return row === undefined ? null : getRun(db, row.id);
}

export function metricsOfTasks(
  db: Db,
  runId: string,
): Promise<{ taskId: string; mapIndex: number; name: string; value: number }[]> {
  return db.sql`
    select distinct on (task_id, map_index, name) task_id as "taskId", map_index as "mapIndex", name, value
    from metric where run_id = ${runId}::bigint and counted
    order by task_id, map_index, name, at desc`;
}

export async function metricsOfRun(db: Db, runId: string): Promise<Record<string, number>> {
  const rows = await db.sql<{ name: string; value: number }[]>`
    select distinct on (name) name, value from metric where run_id = ${runId}::bigint and counted order by name, at desc`;
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}

function entry(
  actor: string,
  action: string,
  environment: string,
  promotionId: string,
  detail: Readonly<Record<string, unknown>>,
) {
  return { actor, action, environment, subject: `promotion ${promotionId}`, detail };
}
