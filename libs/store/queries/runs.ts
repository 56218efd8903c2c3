import { SluiceError, type ActiveRuns, type ClaimedRun, type LoadedTaskRun, type NewRun, type RunRecord } from '#core';
import { ADVISORY_LOCKS } from '../locks.ts';
import { inPipeline, inTransaction, type Db } from '../statement.ts';

/** Runs: claiming, loading, creating, ending. Each function is one statement unless it says otherwise. */

const RUN = `r.id::text, r.environment, r.pipeline, r.release, r.trigger, r.shadow, r.no_cache as "noCache",
  case when r.trigger = 'verification' then (select o.trigger from run o where o.id = r.origin_run) end as "verifiedTrigger", r.interval_start as "intervalStart", r.interval_end as "intervalEnd",
  r.params, r.origin_run::text as "originRun", r.state, r.cancel_requested as "cancelRequested", r.created_at as "createdAt",
  r.started_at as "startedAt", r.timeout_at as "timeoutAt"`;

/**
 * Queued runs become running, oldest in their queue first, as far as each pipeline's max_active_runs allows. Scheduled
 * and triggered runs of a paused pipeline and runs of a paused backfill stay behind; one goes on when all running ones wait for its interval. Shadow runs neither wait for others nor hold them up. `timeout_at` was reckoned from the creation and counts from now on.
 * One transaction at a time in the whole installation (advisory lock); a second caller returns 0 at once.
 */
export async function activateRuns(db: Db, limit: number): Promise<number> {
  return inPipeline(db, async ({ run, runLast }) => {
    const [, rows] = await Promise.all([run(LOCK_ACTIVATION, []), runLast<{ id: string }>(ACTIVATE, [limit])]);
    return rows.length;
  });
}

// A statement of its own, so that the next one sees what was committed before the lock was ours, and need not wait for the answer.
const LOCK_ACTIVATION = `
    select set_config('sluice.activates', pg_try_advisory_xact_lock(${ADVISORY_LOCKS.activateRuns})::text, true)`;

const ACTIVATE = `
    with due as (
      select distinct environment, pipeline from run where state = 'queued' and current_setting('sluice.activates')::boolean
    ), live as (
      select id, environment, pipeline, state, shadow, interval_start, max_active_runs,
             row_number() over (partition by environment, pipeline, shadow, state order by queue_order, id) as position,
             count(*) filter (where state = 'running') over (partition by environment, pipeline, shadow) as running
      from due join run r using (environment, pipeline)
      where state in ('queued', 'running')
        and not (state = 'queued' and trigger in ('schedule', 'dataset', 'after', 'event') and exists (
          select from schedule s where s.environment = r.environment and s.pipeline = r.pipeline and s.paused))
        and not (state = 'queued' and backfill_id is not null and exists (
          select from backfill b where b.id = r.backfill_id and b.state = 'paused'))
    ), next as (
      select id from live l
      where state = 'queued' and (
        position + running <= max_active_runs
        -- When all that are running wait for an interval before, the first run of an earlier one must not wait for their place.
        or (position = 1 and not shadow and not exists (
          select from run r
          where r.environment = l.environment and r.pipeline = l.pipeline and r.state = 'running' and not r.shadow
            and not (r.parked and r.interval_start > l.interval_start and exists (
              select from task_wait w where w.run_id = r.id and w.kind = 'past' and w.outcome is null)))))
      order by id
      limit $1::int
    ), activated as (
      update run r
      set state = 'running', started_at = clock_timestamp(), timeout_at = clock_timestamp() + (r.timeout_at - r.created_at)
      from next
      where r.id = next.id and r.state = 'queued'
      returning r.id, r.environment, r.pipeline
    ), shown as (
      insert into event (environment, run_id, payload)
      select environment, id, jsonb_build_object('kind', 'run', 'environment', environment, 'pipeline', pipeline, 'runId', id::text, 'state', 'running')
      from activated
    )
    select id::text from activated`;

/**
 * Takes running runs whose owner is nobody or no longer alive; the token rises, so that whatever the old owner still
 * writes is refused. `again`: own runs whose memory was lost. Locks: the runs, skipping those that somebody else is
 * taking right now.
 */
export function claimRuns(
  db: Db,
  processId: string,
  limit: number,
  again: readonly string[] = [],
): Promise<ClaimedRun[]> {
  return db.query(
    `with free as (
       select r.id
       from run r
       -- A subquery, not a join: after waiting for a row Postgres evaluates it again for the new owner, a join it does not.
       where r.state = 'running' and not r.parked
         and (not coalesce((select p.alive_until > now() from process p where p.id = r.lease_owner), false)
              or (r.lease_owner = $1 and r.id = any($3::bigint[])))
       order by r.id
       limit $2
       for update of r skip locked
     ), claimed as (
       update run r
       set lease_owner = $1, lease_token = r.lease_token + 1
       from free
       where r.id = free.id
       returning ${RUN}, r.lease_token::text as "leaseToken"
     ), told_anew as (
       -- What the owner before was told of attempts elsewhere died with its memory.
       update assignment s
       set news = true
       from claimed c
       where s.run_id = c.id::bigint and s.worker is not null
       returning 1
     )
     select * from claimed order by id::bigint`,
    [processId, limit, again],
  );
}

export async function leasedRuns(db: Db, processId: string, runIds: readonly string[] | null): Promise<string[]> {
  const rows = await db.sql<{ id: string }[]>`
    select id::text from run
    where (${runIds}::bigint[] is null or id = any(${runIds}::bigint[])) and state = 'running' and not parked
      and lease_owner = ${processId}`;
  return rows.map(({ id }) => id);
}

export function loadTaskRuns(db: Db, runIds: readonly string[]): Promise<LoadedTaskRun[]> {
  return db.sql<LoadedTaskRun[]>`
    select t.run_id::text as "runId", t.task_id as "taskId", t.map_index as "mapIndex", t.map_key as "mapKey", t.state, t.number, t.fence,
           t.retries_used as "retriesUsed", t.lost, t.deferred, t.gate_closed as "gateClosed",
           (extract(epoch from t.retry_at) * 1000)::float8 as "retryAt", t.inputs, t.matrix, t.outputs,
           a.id::text as "attemptId", a.state as "attemptState", a.fence as "attemptFence", a.replicas, a.worker,
           exists (select from assignment s where s.attempt_id = a.id) as "isAssigned"
    from task_run t
    left join attempt a on a.run_id = t.run_id and a.task_id = t.task_id and a.map_index = t.map_index and a.state in ('queued', 'running')
    where t.run_id = any(${runIds}::bigint[])
    order by t.run_id, t.task_id, t.map_index`;
}

export async function fenceAttempts(db: Db, attemptIds: readonly string[]): Promise<void> {
  await db.sql`
    with fenced as (
      update task_run t
      set fence = t.fence + 1
      from attempt a
      where a.id = any(${attemptIds}::bigint[]) and t.run_id = a.run_id and t.task_id = a.task_id and t.map_index = a.map_index
      returning 1
    )
    select count(*) from fenced`;
}

/** Creates runs in one transaction; null stands for a scheduled run whose fire exists already. */
export async function createRuns(db: Db, runs: readonly NewRun[]): Promise<(string | null)[]> {
  return inTransaction(db, async (manager) => {
    await lockOrigins(manager, runs);
    const ids: (string | null)[] = [];
    // One after the other: a lost fire must not create its run, and order of ids is order of creation.
    for (const run of runs) ids.push(await createRun(manager, run));
    return ids;
  });
}

/** What a run is made from must not be archived meanwhile. Locks: those runs, by id. Throws `not_found` when one is gone. */
async function lockOrigins(manager: Db, runs: readonly NewRun[]): Promise<void> {
  const origins = [...new Set(runs.flatMap(({ originRun }) => originRun ?? []))];
  if (origins.length === 0) return;
  const locked = await manager.sql<{ id: string }[]>`
    select id::text from run where id = any(${origins}::bigint[]) order by run.id for key share`;
  const gone = origins.find((origin) => !locked.some(({ id }) => id === origin));
  if (gone !== undefined)
    throw new SluiceError('not_found', `Run ${gone} is gone: it was archived, or never existed.`, {
      hint: `\`sluice history show ${gone}\` shows what is known of it. Trigger the pipeline for its interval instead.`,
    });
}

async function createRun(manager: Db, run: NewRun): Promise<string | null> {
  const [created] = await manager.sql<{ id: string }[]>`
    with fired as (
      insert into fire (environment, pipeline, trigger_key)
      select ${run.environment}, ${run.pipeline}, ${run.triggerKey}::text
      where ${run.triggerKey}::text is not null
      on conflict do nothing
      returning 1
    ), created as (
      insert into run (environment, pipeline, release, config_hash, trigger, why, interval_start, interval_end, params, origin_run, state, reason, shadow,
                       promotion_id, no_cache, backfill_id, max_active_runs, queue_order, depth, event_id, deadline_at, timeout_at, finished_at)
      select ${run.environment}, ${run.pipeline}, ${run.release}, ${run.configHash}, ${run.trigger}, ${run.why},
             ${run.intervalStart}::timestamptz, ${run.intervalEnd}::timestamptz, ${JSON.stringify(run.params)}::jsonb, ${run.originRun}::bigint,
             ${run.state}, ${run.reason}::text, ${run.shadow}, ${run.promotionId}::bigint, ${run.noCache ?? false},
             ${run.backfillId ?? null}::bigint, ${run.maxActiveRuns}, ${run.queueOrder}::float8,
             ${run.startedBy?.depth ?? 0}, ${run.startedBy?.event ?? null}::bigint,
             now() + ${run.deadlineMs}::float8 * interval '1 millisecond', now() + ${run.runTimeoutMs}::float8 * interval '1 millisecond',
             case when ${run.state} = 'skipped' then now() end
      where ${run.triggerKey}::text is null or exists (select from fired)
      returning id, environment, pipeline, state
    ), taken as (
      insert into task_run (run_id, task_id, map_index, map_key, matrix, environment, pipeline, state, number, fence, pool, slots, priority,
                            interval_start, inputs, outputs, summary, reason, gate_closed, origin_run, ready_at, queued_at, started_at, finished_at)
      select created.id, t.task_id, t.map_index, t.map_key, t.matrix, t.environment, t.pipeline, coalesce(over.marked ->> 'state', t.state), t.number,
             t.fence, t.pool, t.slots, t.priority, t.interval_start, t.inputs, t.outputs, t.summary, over.marked ->> 'reason',
             t.gate_closed and over.marked is null, coalesce(t.origin_run, t.run_id), t.ready_at, t.queued_at, t.started_at, t.finished_at
      from created,
           jsonb_to_recordset(${JSON.stringify(run.takeOver)}::jsonb) as over ("taskId" text, "mapIndex" int, marked jsonb)
           join task_run t on t.run_id = ${run.originRun}::bigint and t.task_id = over."taskId" and t.map_index = over."mapIndex"
    ), caused as (
      insert into run_cause (run_id, cause_id, path)
      select distinct created.id, c."runId", coalesce(c.path, '')
      from created, jsonb_to_recordset(${JSON.stringify(run.startedBy?.runs ?? [])}::jsonb) as c ("runId" bigint, path text)
    ), shown as (
      insert into event (environment, run_id, payload)
      select environment, id, jsonb_build_object('kind', 'run', 'environment', environment, 'pipeline', pipeline, 'runId', id::text, 'state', state)
      from created
    )
    select id::text from created`;
  return created?.id ?? null;
}

export async function getRun(db: Db, runId: string): Promise<RunRecord | null> {
  const [row] = await db.query<RunRecord[]>(`select ${RUN} from run r where r.id = $1`, [runId]);
  return row ?? null;
}

export async function endQueued(db: Db, runIds: readonly string[], state: string, reason: string): Promise<number> {
  const rows = await db.sql<object[]>`
    with ended as (
      update run
      set state = ${state}, reason = ${reason}, finished_at = clock_timestamp(), deadline_at = null
      where id = any(${runIds}::bigint[]) and state = 'queued'
      returning id, environment, pipeline
    ), shown as (
      insert into event (environment, run_id, payload)
      select environment, id, jsonb_build_object('kind', 'run', 'environment', environment, 'pipeline', pipeline, 'runId', id::text, 'state', ${state}::text)
      from ended
    )
    select id from ended`;
  return rows.length;
}

export function activeRuns(db: Db, environment: string): Promise<ActiveRuns[]> {
  return db.sql<ActiveRuns[]>`
    select environment, pipeline, count(*) filter (where state = 'queued')::int as queued, count(*) filter (where state = 'running')::int as running
    from run
    where environment = ${environment} and state in ('queued', 'running')
    group by environment, pipeline`;
}

/** Archived ones among them, which say nothing of their params and origin. Index run_of_interval. */
export function runsOfIntervals(
  db: Db,
  environment: string,
  pipeline: string,
  from: string,
  to: string,
): Promise<RunRecord[]> {
  return db.query(
    `select * from (
       select ${RUN}, (
         select m.state from run_mark m where m.run_id = r.id and m.task_id is null order by m.id desc limit 1
       ) as "markedAs"
       from run r
       where r.environment = $1 and r.pipeline = $2 and r.interval_end > $3 and r.interval_start >= $3 and r.interval_start < $4 and not r.shadow
       union all
       select r.run_id::text, r.environment, r.pipeline, r.release, r.trigger, r.shadow, false, null, r.interval_start, r.interval_end,
              '{}', null, r.state, false, r.created_at, r.started_at, null, (
         select m.state from run_mark m where m.run_id = r.run_id and m.task_id is null order by m.id desc limit 1
       )
       from archived_run r
       where r.environment = $1 and r.pipeline = $2 and r.interval_start >= $3 and r.interval_start < $4 and not r.shadow
     ) known
     order by known."intervalStart", known.id::bigint`,
    [environment, pipeline, from, to],
  );
}

export function liveRuns(db: Db, environment: string, pipelines: readonly string[]): Promise<RunRecord[]> {
  return db.query(
    `select ${RUN} from run r
     where r.environment = $1 and r.pipeline = any($2) and r.state in ('queued', 'running') and not r.shadow
     order by r.queue_order, r.id`,
    [environment, pipelines],
  );
}

/** Walks `run_deadline`, which holds only runs that still have to be told of. */
export function lateRuns(db: Db, limit: number): Promise<RunRecord[]> {
  return db.query(
    `select ${RUN} from run r
     where r.deadline_at < now() and r.state in ('queued', 'running')
     order by r.deadline_at
     limit $1`,
    [limit],
  );
}

/**
 * Notes the cancellation and the commands for the owners in one statement; what only waited is claimed again. Locks: the
 * runs, by id.
 */
export async function send(
  db: Db,
  commands: readonly { runId: string; kind: string; payload: unknown }[],
): Promise<void> {
  await db.sql`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(commands)}::jsonb) as t ("runId" bigint, kind text, payload jsonb)
    ), locked as (
      select r.id, exists (select from given g where g."runId" = r.id and g.kind = 'cancel') as cancels
      from run r
      where r.id in (select "runId" from given where kind in ('cancel', 'mark')) and r.state in ('queued', 'running')
      order by r.id
      for update
    ), requested as (
      update run r set cancel_requested = r.cancel_requested or locked.cancels, parked = false
      from locked
      where r.id = locked.id
    ), noted as (
      insert into inbox (run_id, kind, payload) select "runId", kind, payload from given returning 1
    ), woken as (
      select pg_notify('sluice_inbox', '') from (select 1 from given limit 1) one
    )
    select (select count(*) from noted), (select count(*) from woken)`;
}

export function receive(
  db: Db,
  runIds: readonly string[],
): Promise<{ id: string; runId: string; kind: string; payload: Record<string, unknown> }[]> {
  return db.sql`
    select id::text, run_id::text as "runId", kind, payload from inbox where run_id = any(${runIds}::bigint[]) order by inbox.id`;
}

export async function forgetCommands(db: Db, ids: readonly string[]): Promise<void> {
  await db.sql`
    with forgotten as (
      delete from inbox where id = any(${ids}::bigint[]) returning 1
    )
    select count(*) from forgotten`;
}
