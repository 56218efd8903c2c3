import type { Applied, Batch, MovedPointer } from '#core';
import { SluiceError } from '#core';
import { admitReady, heldBack, lockPools } from './admit-ready.ts';
import { lockWithCalled, stopCalled } from './calls.ts';
import { countResults } from './count-results.ts';
import { insertTaskRuns } from './insert-task-runs.ts';
import { lockVersions } from './take-back-versions.ts';
import { inPipeline, type Db, type Pipeline } from '../statement.ts';

/**
 * One group commit. Lock order: versions (shared, when results of earlier runs are taken), runs by id, then pools by (environment, name).
 * A run whose token is not ours any more, or that ends as if it had not been cancelled, refuses the whole batch before any write.
 */
export async function applyBatch(db: Db, batch: Batch): Promise<Applied> {
  return inPipeline(db, async (pipeline) => {
    const { manager } = pipeline;
    if (batch.links.length > 0) await lockVersions(manager);
    if (batch.endedCalls.length > 0) await lockWithCalled(manager, batch);
    const refused = await lockRuns(pipeline, batch);
    if (refused !== null) return refused;
    const fresh = heldBack(batch);
    const writing = write(pipeline, { ...batch, inserts: batch.inserts.filter((one) => !fresh.has(one)) });
    if (batch.counted.length + batch.endedCalls.length > 0) {
      await writing;
      await countResults(manager, batch.counted);
      await stopCalled(manager, batch.endedCalls);
    }
    // Sent together with the rows: each answer that is waited for costs a process its turn.
    const [{ pointed, awaited }, applying] = await Promise.all([writing, lockPools(pipeline, batch)]);
    return { kind: 'applied', ...(await admitReady(pipeline, batch, applying, fresh)), pointed, awaited };
  });
}

const LOCK_RUNS = `
    select r.id::text, r.cancel_requested as "isCancelled"
    from run r
    join unnest($1::bigint[], $2::bigint[]) as ours (id, token) on ours.id = r.id
    where r.lease_token = ours.token and r.lease_owner = $3
    order by r.id
    for update of r`;

async function lockRuns(
  pipeline: Pipeline,
  batch: Batch,
): Promise<Extract<Applied, { kind: 'lost' | 'cancelled' }> | null> {
  if (batch.runs.length === 0) return null;
  const rows = await pipeline.run<{ id: string; isCancelled: boolean }>(LOCK_RUNS, [
    batch.runs.map((r) => r.id),
    batch.runs.map((r) => r.token),
    batch.processId,
  ]);
  if (rows.length !== batch.runs.length) {
    const held = new Set(rows.map((row) => row.id));
    return { kind: 'lost', runIds: batch.runs.map((r) => r.id).filter((id) => !held.has(id)) };
  }
  // Asked for after the end was decided and before it is written: whoever asked was told that it would be done.
  const cancelled = new Set(rows.flatMap(({ id, isCancelled }) => (isCancelled ? [id] : [])));
  const ends = batch.runUpdates.filter(({ runId, knowsStop }) => !knowsStop && cancelled.has(runId));
  return ends.length === 0 ? null : { kind: 'cancelled', runIds: ends.map(({ runId }) => runId) };
}

// One statement for everything: the parts touch different rows, and a round trip each would double the time between
// two dependent tasks. Rows come as JSON documents; empty ones cost next to nothing.
const WRITE = `
    with inserted as (${insertTaskRuns('$1')}
      returning 1
    ), updated as (
      update task_run t
      set state = u.state, retries_used = u."retriesUsed", lost = u.lost, deferred = u.deferred,
          retry_at = to_timestamp(u."retryAt" / 1000.0),
          started_at = coalesce(to_timestamp(u."startedAt" / 1000.0), t.started_at),
          ready_at = case when u.state = 'ready' then clock_timestamp() else t.ready_at end,
          finished_at = case when u.state in ('success', 'failed', 'skipped', 'upstream_failed', 'cancelled') then clock_timestamp() end,
          reason = u.reason, gate_closed = u."gateClosed",
          inputs = coalesce(u.inputs, t.inputs), matrix = coalesce(u.matrix, t.matrix), map_key = coalesce(u."mapKey", t.map_key),
          outputs = coalesce(u.outputs, t.outputs), summary = coalesce(u.summary, t.summary),
          cache_key = coalesce(u.cache ->> 'key', t.cache_key), cache = coalesce(u.cache - 'key' - 'from', t.cache),
          cached_from = coalesce((u.cache ->> 'from')::bigint, t.cached_from)
      from jsonb_to_recordset($2::jsonb) as u ("runId" bigint, "taskId" text, "mapIndex" int, "from" text, state text,
             "retriesUsed" int, lost int, deferred int, "retryAt" double precision, "startedAt" double precision, reason text,
             "gateClosed" boolean, inputs jsonb, matrix jsonb, "mapKey" text, outputs jsonb, summary text, cache jsonb)
      where t.run_id = u."runId" and t.task_id = u."taskId" and t.map_index = u."mapIndex" and t.state = u."from"
      returning 1
    ), attempts as (
      update attempt a
      set state = u.state,
          started_at = coalesce(to_timestamp(u."startedAt" / 1000.0), a.started_at),
          finished_at = coalesce(to_timestamp(u."finishedAt" / 1000.0), a.finished_at),
          pid = coalesce(u.pid, a.pid), exit_code = u."exitCode", message = u.message, log_lines = coalesce(u."logLines", a.log_lines)
      from jsonb_to_recordset($3::jsonb) as u ("attemptId" bigint, state text, "startedAt" double precision,
             "finishedAt" double precision, pid int, "exitCode" int, message text, "logLines" int)
      where a.id = u."attemptId" and a.state in ('queued', 'running')
      returning a.id, a.state
    ), done as (
      -- Nobody may report them any more.
      delete from assignment s
      using attempts a
      where s.attempt_id = a.id and a.state <> 'running'
      returning 1
    ), links as (
      select *, nextval('attempt_id_seq') as "attemptId"
      from jsonb_to_recordset($9::jsonb) as t (environment text, pipeline text, "runId" bigint, "taskId" text, "mapIndex" int,
             "mapKey" text, release text, "intervalStart" timestamptz, "intervalEnd" timestamptz, "from" bigint)
    ), linked as (
      select l.*, v.version, v.location, v.path, v.fence, v.manifest_hash, v.files, v.bytes
      from links l
      join path_version v on v.run_id = l."from" and v.task_id = l."taskId" and v.map_index = l."mapIndex"
      where v.removed_at is null
    ), checked as (
      insert into check_result (environment, pipeline, run_id, task_id, map_index, map_key, number, name, path, state, rows, bad, detail,
                                sample, interval_start, release, counted)
      select environment, pipeline, "runId", "taskId", "mapIndex", "mapKey", number, name, path, state, rows, bad, detail, sample,
             "intervalStart", release, counted
      from jsonb_to_recordset($12::jsonb) as t (environment text, pipeline text, "runId" bigint, "taskId" text, "mapIndex" int,
             "mapKey" text, number int, name text, path text, state text, rows bigint, bad bigint, detail text, sample jsonb,
             "intervalStart" timestamptz, release text, counted boolean)
      on conflict do nothing
    ), metrics as (
      insert into metric (environment, pipeline, task_id, map_index, map_key, name, value, step, at, interval_start, run_id, number, release, counted)
      select environment, pipeline, "taskId", "mapIndex", "mapKey", name, value, step, to_timestamp(ts / 1000.0), "intervalStart",
             "runId", number, release, counted
      from jsonb_to_recordset($4::jsonb) as t (environment text, pipeline text, "taskId" text, "mapIndex" int, "mapKey" text, name text,
             value double precision, step int, ts double precision, "intervalStart" timestamptz, "runId" bigint, number int,
             release text, counted boolean)
      union all
      select l.environment, l.pipeline, l."taskId", l."mapIndex", l."mapKey", m.name, m.value, m.step, m.at, l."intervalStart",
             l."runId", 0, l.release, true
      from links l join metric m on m.run_id = l."from" and m.task_id = l."taskId" and m.map_index = l."mapIndex" and m.counted
    ), versions as (
      select * from jsonb_to_recordset($5::jsonb) as t (environment text, version text, location text, pipeline text, name text,
             "mapKey" text, "runId" bigint, "taskId" text, "mapIndex" int, "attemptId" bigint, fence int, release text,
             "intervalStart" timestamptz, "intervalEnd" timestamptz, "manifestHash" text, files int, bytes bigint, shadow boolean)
      union all
      select environment, version, location, pipeline, path, "mapKey", "runId", "taskId", "mapIndex", "attemptId", fence, release,
             "intervalStart", "intervalEnd", manifest_hash, files, bytes, false
      from linked
    ), published as (
      insert into path_version (environment, version, location, pipeline, path, map_key, run_id, task_id, map_index, attempt_id, fence,
                                release, interval_start, interval_end, manifest_hash, files, bytes)
      select environment, version, location, pipeline, name, "mapKey", "runId", "taskId", "mapIndex", "attemptId", fence,
             release, "intervalStart", "intervalEnd", "manifestHash", files, bytes
      from versions
      on conflict (environment, version, attempt_id) do nothing
    ), pointed as (
      insert into path_pointer (environment, location, pipeline, path, map_key, interval_start, interval_end, version, manifest_hash,
                                run_id, attempt_id, fence)
      select distinct on (environment, location) environment, location, pipeline, name, "mapKey", "intervalStart", "intervalEnd", version,
             "manifestHash", "runId", "attemptId", "attemptId"
      from versions
      where not shadow and not exists (select from run r where r.id = "runId" and r.withdrawn_at is not null)
      order by environment, location, "attemptId" desc
      on conflict (environment, location) do update
      set pipeline = excluded.pipeline, path = excluded.path, map_key = excluded.map_key, interval_start = excluded.interval_start,
          interval_end = excluded.interval_end, version = excluded.version, manifest_hash = excluded.manifest_hash,
          run_id = excluded.run_id, attempt_id = excluded.attempt_id, published_at = now(), projected = false,
          fence = greatest(excluded.fence, path_pointer.fence + 1)
      where path_pointer.attempt_id is null or path_pointer.attempt_id < excluded.attempt_id
      returning environment, location, version, fence::text, pipeline, path
    ), ended as (
      update run r
      set state = u.state, reason = u.reason, counts = u.counts, finished_at = clock_timestamp(), deadline_at = null
      from jsonb_to_recordset($6::jsonb) as u ("runId" bigint, state text, reason text, counts jsonb)
      where r.id = u."runId" and r.state = 'running'
      returning 1
    ), told as (
      insert into unseen (environment, pipeline, source, path, run_id, state, interval_start, interval_end, depth)
      select l.environment, l.pipeline, l.source, l.path, r.id, happened.state, r.interval_start, r.interval_end, r.depth
      from (
        select "runId", '' as path, state from jsonb_to_recordset($6::jsonb) as u ("runId" bigint, state text)
        union all
        select "runId", path, 'success' from jsonb_to_recordset($10::jsonb) as p ("runId" bigint, path text)
      ) happened
      join run r on r.id = happened."runId"
      join listener l on l.environment = r.environment and l.source = r.pipeline and l.path = happened.path
      where not r.shadow
        and (happened.path = '' or exists (select from pointed p where p.pipeline = r.pipeline and p.path = happened.path)
          -- The last of a fan-out skipped itself: what the others published was shown before.
          or exists (select from path_pointer p where p.environment = r.environment and p.pipeline = r.pipeline
            and p.path = happened.path and p.interval_end is not distinct from r.interval_end and p.run_id = r.id))
      returning 1
    ), alerted as (
      insert into alert_delivery (environment, pipeline, run_id, event, target, message, state, detail)
      select environment, pipeline, "runId", event, target, message, state, detail
      from jsonb_to_recordset($7::jsonb) as t (environment text, pipeline text, "runId" bigint, event text, target text, message jsonb,
             state text, detail text)
    ), waits as (
      insert into task_wait (run_id, task_id, map_index, environment, kind, target, what, subject, every_ms, on_timeout, since, timeout_at, next_check_at)
      select "runId", "taskId", "mapIndex", environment, kind, target, what, subject, "everyMs", "onTimeout", to_timestamp(since / 1000),
             to_timestamp("timeoutAt" / 1000), to_timestamp("nextCheckAt" / 1000)
      from jsonb_to_recordset($11::jsonb) as t ("runId" bigint, "taskId" text, "mapIndex" int, environment text, kind text, target jsonb, what text,
             subject text, "everyMs" bigint, "onTimeout" text, since float8, "timeoutAt" float8, "nextCheckAt" float8)
      -- What it waited for has come, and this is the next thing.
      on conflict (run_id, task_id, map_index) do update
      set kind = excluded.kind, target = excluded.target, what = excluded.what, subject = excluded.subject, every_ms = excluded.every_ms,
          on_timeout = excluded.on_timeout, since = excluded.since, timeout_at = excluded.timeout_at, next_check_at = excluded.next_check_at,
          checked_at = null, detail = null, outcome = null, reason = null
    ), shown as (
      insert into event (environment, run_id, payload)
      select environment, "runId", payload
      from jsonb_to_recordset($8::jsonb) as t (environment text, "runId" bigint, payload jsonb)
    )
    select (select count(*) from inserted)::int as inserted, (select count(*) from updated)::int as updated,
           (select count(*) from attempts)::int as attempts, (select count(*) from ended)::int as ended,
           (select count(*) from linked)::int as linked,
           exists (select from told) as awaited,
           (select coalesce(jsonb_agg(jsonb_build_object('environment', environment, 'location', location, 'version', version, 'fence', fence)), '[]')
            from pointed) as pointed`;

interface Written {
  readonly pointed: readonly MovedPointer[];
  readonly awaited: boolean;
}

async function write(pipeline: Pipeline, batch: Batch): Promise<Written> {
  const lists = [
    batch.inserts,
    batch.updates,
    batch.attempts,
    batch.metrics,
    batch.versions,
    batch.runUpdates,
    batch.alerts,
    batch.live,
    batch.links,
    batch.published,
    batch.waits,
    batch.checks,
  ];
  if (lists.every((list) => list.length === 0)) return { pointed: [], awaited: false };
  const [counts] = await pipeline.run<Written & { updated: number; ended: number; linked: number }>(
    WRITE,
    lists.map((list) => JSON.stringify(list)),
  );
  // We hold the run's lock and its token is ours, so a row in another state is a defect, not a race: write nothing.
  if (counts?.updated !== batch.updates.length || counts.ended !== batch.runUpdates.length)
    throw new SluiceError(
      'internal',
      `a batch for runs ${batch.runs.map((r) => r.id).join(', ')} met rows in unexpected states`,
      {
        details: {
          expected: { updated: batch.updates.length, ended: batch.runUpdates.length },
          found: counts,
          updates: batch.updates,
        },
      },
    );
  // Marked as garbage since it was found; the runs are loaded again and look once more.
  if (counts.linked !== batch.links.reduce((sum, { versions }) => sum + versions, 0))
    throw new SluiceError('conflict', 'a result that was to be taken from an earlier run has just been collected', {
      details: { links: batch.links },
    });
  return counts;
}
