import type { DataSource } from 'typeorm';
import type {
  AlertInsert,
  Comparison,
  NewRun,
  NewVerification,
  RunVersion,
  ToolVersions,
  VerificationRecord,
} from '#core';
import { ADVISORY_LOCKS } from '../locks.ts';
import type { Db } from '../statement.ts';
import { insertAlerts } from './alerts.ts';
import { appendAudit } from './audit.ts';
import { createRuns } from './runs.ts';

/** Runs that are executed again and compared. */

const COLUMNS = `v.id::text, v.run_id::text as "runId", v.environment, v.pipeline, v.shadow_run_id::text as "shadowRunId", v.actor, v.sampled,
  v.verdict, v.result, v.requested_at as "requestedAt", v.finished_at as "finishedAt"`;

export async function latestVerification(db: Db, runId: string): Promise<VerificationRecord | null> {
  const [row] = await db.query<VerificationRecord[]>(
    `select ${COLUMNS} from verification v where v.run_id = $1 order by v.id desc limit 1`,
    [runId],
  );
  return row ?? null;
}

export async function openVerification(db: Db, runId: string): Promise<string | null> {
  const [row] = await db.sql<{ id: string }[]>`
    select id::text from verification where run_id = ${runId}::bigint and finished_at is null`;
  return row?.id ?? null;
}

/** By task and map index; those that the run took over were written by another run. Index path_version_of_run. */
export function versionsOfRun(db: Db, runId: string): Promise<RunVersion[]> {
  return db.sql<RunVersion[]>`
    select v.task_id as "taskId", v.map_index as "mapIndex", v.map_key as "mapKey", v.path, v.location, v.version,
           v.manifest_hash as "manifestHash"
    from task_run t
    join path_version v on v.run_id = coalesce(t.origin_run, t.run_id) and v.task_id = t.task_id and v.map_index = t.map_index
    where t.run_id = ${runId}::bigint and t.state = 'success'
    order by v.task_id, v.map_index, v.path`;
}

/** Of these tasks; null: of all. */
export async function toolsOfRun(
  db: Db,
  runId: string,
  taskIds: readonly string[] | null,
): Promise<(ToolVersions | null)[]> {
  const rows = await db.sql<{ tools: ToolVersions | null }[]>`
    select distinct w.tools
    from task_run t
    join attempt a on a.run_id = coalesce(t.origin_run, t.run_id) and a.task_id = t.task_id and a.map_index = t.map_index and a.number = t.number
    left join worker w on w.id = a.worker
    where t.run_id = ${runId}::bigint and (${taskIds}::text[] is null or t.task_id = any(${taskIds}::text[]))`;
  return rows.map(({ tools }) => tools);
}

export async function recordTools(db: Db, worker: string, tools: ToolVersions): Promise<void> {
  await db.sql`
    with recorded as (
      insert into worker (id, tools) values (${worker}, ${JSON.stringify(tools)}::jsonb)
      on conflict (id) do update set tools = excluded.tools
      returning 1
    )
    select count(*) from recorded`;
}

/** One transaction: the row, the event, the trail. */
export function recordVerification(db: DataSource, given: NewVerification, result: Comparison): Promise<string> {
  return db.transaction(async (manager) => {
    const { runId, environment, pipeline, actor, sampled } = given;
    const [row] = await manager.sql<{ id: string }[]>`
      with recorded as (
        insert into verification (run_id, environment, pipeline, actor, sampled, verdict, detail, result, finished_at)
        values (${runId}::bigint, ${environment}, ${pipeline}, ${actor}, ${sampled}, ${result.verdict}, ${result.detail},
                ${JSON.stringify(result)}::jsonb, now())
        returning id
      ), shown as (
        insert into event (environment, run_id, payload)
        select ${environment}, ${runId}::bigint, jsonb_build_object('kind', 'verification', 'environment', ${environment}::text,
               'pipeline', ${pipeline}::text, 'runId', ${runId}::text, 'verdict', ${result.verdict}::text)
        from recorded
      )
      select id::text from recorded`;
    const id = row?.id ?? '';
    await appendAudit(manager, [
      {
        actor,
        action: 'run.verify',
        environment,
        subject: runId,
        detail: { verification: id, verdict: result.verdict },
      },
    ]);
    return id;
  });
}

/** One transaction. Locks: versions (shared), so that nothing needed is marked as removed before the run exists. */
export function beginVerification(
  db: DataSource,
  given: NewVerification,
  run: NewRun,
  needed: readonly { readonly environment: string; readonly version: string }[],
): Promise<{ kind: 'begun'; id: string } | { kind: 'gone'; version: string }> {
  return db.transaction(async (manager) => {
    const { runId, environment, pipeline, actor, sampled } = given;
    await manager.sql`select pg_advisory_xact_lock_shared(${ADVISORY_LOCKS.versions}::bigint)`;
    // Of a version that was erased no row need be left.
    const [removed] = await manager.sql<{ version: string }[]>`
      select version
      from jsonb_to_recordset(${JSON.stringify(needed)}::jsonb) as n (environment text, version text)
      where coalesce((select bool_or(p.removed_at is not null) from path_version p
                      where p.environment = n.environment and p.version = n.version), true)
      limit 1`;
    if (removed !== undefined) return { kind: 'gone', version: removed.version };
    // Two requests at once: the second waits here for the first, and finds its row.
    await manager.sql`select id from run where id = ${runId}::bigint for update`;
    const open = await openVerification(manager, runId);
    if (open !== null) return { kind: 'begun', id: open };
    const [shadow] = await createRuns(manager, [run]);
    const [row] = await manager.sql<{ id: string }[]>`
      insert into verification (run_id, environment, pipeline, shadow_run_id, actor, sampled)
      values (${runId}::bigint, ${environment}, ${pipeline}, ${shadow ?? null}::bigint, ${actor}, ${sampled})
      returning id::text`;
    const id = row?.id ?? '';
    const detail = { verification: id, shadowRun: shadow ?? null, pipeline };
    await appendAudit(manager, [{ actor, action: 'run.verify', environment, subject: runId, detail }]);
    return { kind: 'begun', id };
  });
}

export function endedVerifications(db: Db, limit: number): Promise<VerificationRecord[]> {
  return db.query(
    `select ${COLUMNS}
     from verification v join run r on r.id = v.shadow_run_id
     where v.finished_at is null and r.finished_at is not null
     order by v.id
     limit $1`,
    [limit],
  );
}

/** One transaction: the verdict, its event, and alerts, unless another process was first. */
export function finishVerification(
  db: DataSource,
  id: string,
  result: Comparison,
  alerts: readonly AlertInsert[],
): Promise<boolean> {
  return db.transaction(async (manager) => {
    const rows = await manager.sql<object[]>`
      with finished as (
        update verification
        set verdict = ${result.verdict}, detail = ${result.detail}, result = ${JSON.stringify(result)}::jsonb, finished_at = now()
        where id = ${id}::bigint and finished_at is null
        returning environment, pipeline, run_id, verdict
      ), shown as (
        insert into event (environment, run_id, payload)
        select environment, run_id, jsonb_build_object('kind', 'verification', 'environment', environment, 'pipeline', pipeline,
               'runId', run_id::text, 'verdict', verdict)
        from finished
      )
      select run_id from finished`;
    if (rows.length === 0) return false;
    if (alerts.length > 0) await insertAlerts(manager, alerts);
    return true;
  });
}

/** Walks the newest runs of the environment: scheduled ones that succeeded since and were not verified yet. */
export async function sampleRuns(db: Db, environment: string, sinceMs: number, limit: number): Promise<string[]> {
  const rows = await db.sql<{ id: string }[]>`
    with recent as (
      select id, trigger, state, shadow, finished_at from run where environment = ${environment} order by run.id desc limit 2000
    )
    select id::text
    from recent r
    where trigger = 'schedule' and state = 'success' and not shadow
      and finished_at > now() - ${sinceMs}::float8 * interval '1 millisecond'
      and not exists (select from verification v where v.run_id = r.id)
    order by random()
    limit ${limit}`;
  return rows.map(({ id }) => id);
}

export async function claimSample(db: Db, environment: string, everyMs: number): Promise<boolean> {
  const rows = await db.sql<object[]>`
    with claimed as (
      insert into verification_sample as s (environment, last_at) values (${environment}, now())
      on conflict (environment) do update set last_at = now()
      where s.last_at <= now() - ${everyMs}::float8 * interval '1 millisecond'
      returning environment
    )
    select environment from claimed`;
  return rows.length > 0;
}
