import type { Batch, MovedPointer } from '#core';
import { SluiceError } from '#core';
import { insertTaskRuns } from './insert-task-runs.ts';
import type { Pipeline } from '../statement.ts';

export interface Written {
  readonly pointed: readonly MovedPointer[];
  /** Pipelines wait for something of what was written. */
  readonly awaited: boolean;
}

interface Counted extends Written {
  readonly updated: number;
  readonly ended: number;
  readonly linked: number;
}

/** The lists of a batch that stand in tables of their own. */
const LISTS = [
  ...(['inserts', 'updates', 'attempts', 'links', 'checks', 'metrics', 'versions'] as const),
  ...(['runUpdates', 'published', 'alerts', 'waits', 'live'] as const),
];
type List = (typeof LISTS)[number];

/**
 * Writes the rows of a batch whose runs are locked. Throws, so that the transaction ends with nothing written, when a row is
 * not in the state that the batch expects.
 */
export async function writeRows(pipeline: Pipeline, batch: Batch): Promise<Written> {
  const lists = LISTS.filter((list) => batch[list].length > 0);
  if (lists.length === 0) return { pointed: [], awaited: false };
  const [counts] = await pipeline.run<Counted>(
    statementFor(lists),
    lists.map((list) => JSON.stringify(batch[list])),
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

const statements = new Map<string, string>();

/**
 * One statement for everything: the parts touch different rows, and a round trip each would double the time between two
 * dependent tasks. Of its parts only those with rows: each opens its table with all its indexes, rows or not. The texts are
 * few, as only so many lists come together in practice, and each is prepared once for a connection.
 */
function statementFor(lists: readonly List[]): string {
  const key = lists.join(' ');
  let text = statements.get(key);
  if (text === undefined) {
    text = compose(Object.fromEntries(lists.map((list, index) => [list, `$${index + 1}::json`])));
    statements.set(key, text);
  }
  return text;
}

/** The parameter of each list that has rows: a JSON array of them. */
type Parameters = Readonly<Partial<Record<List, string>>>;

function compose(parameters: Parameters): string {
  const { updates, runUpdates, published, links, metrics, versions } = parameters;
  const publishes = versions !== undefined || links !== undefined;
  const given = (list: List, part: (rows: string) => string): string[] => {
    const rows = parameters[list];
    return rows === undefined ? [] : [part(rows)];
  };
  const parts = [
    ...given('inserts', (rows) => `inserted as (${insertTaskRuns(rows)})`),
    ...given('updates', updated),
    ...given('attempts', attempts),
    ...given('links', linked),
    ...given('checks', checked),
    ...(metrics === undefined && links === undefined ? [] : [recorded(metrics, links)]),
    ...(publishes ? [publishedVersions(versions, links)] : []),
    ...given('runUpdates', ended),
    ...(runUpdates === undefined && published === undefined ? [] : [told(runUpdates, published, publishes)]),
    ...given('alerts', alerted),
    ...given('waits', waits),
    ...given('live', shown),
  ];
  const count = (part: string, isGiven: boolean): string => (isGiven ? `(select count(*) from ${part})::int` : '0');
  return `
    with ${parts.join(', ')}
    select ${count('updated', updates !== undefined)} as updated, ${count('ended', runUpdates !== undefined)} as ended,
           ${count('linked', links !== undefined)} as linked,
           ${runUpdates === undefined && published === undefined ? 'false' : 'exists (select from told)'} as awaited,
           ${publishes ? POINTED : `'[]'::jsonb`} as pointed`;
}

const updated = (rows: string): string => `
    updated as (
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
      from ${counted(
        rows,
        `"runId" bigint, "taskId" text, "mapIndex" int, "from" text, state text,
             "retriesUsed" int, lost int, deferred int, "retryAt" double precision, "startedAt" double precision, reason text,
             "gateClosed" boolean, inputs jsonb, matrix jsonb, "mapKey" text, outputs jsonb, summary text, cache jsonb`,
      )} as u
      where t.run_id = u."runId" and t.task_id = u."taskId" and t.map_index = u."mapIndex" and t.state = u."from"
      returning 1
    )`;

const attempts = (rows: string): string => `
    attempts as (
      update attempt a
      set state = u.state,
          started_at = coalesce(to_timestamp(u."startedAt" / 1000.0), a.started_at),
          finished_at = coalesce(to_timestamp(u."finishedAt" / 1000.0), a.finished_at),
          pid = coalesce(u.pid, a.pid), exit_code = u."exitCode", message = u.message, log_lines = coalesce(u."logLines", a.log_lines)
      from ${counted(
        rows,
        `"attemptId" bigint, state text, "startedAt" double precision,
             "finishedAt" double precision, pid int, "exitCode" int, message text, "logLines" int`,
      )} as u
      where a.id = u."attemptId" and a.state in ('queued', 'running')
      returning a.id, a.state
    ), done as (
      -- Nobody may report them any more.
      delete from assignment s
      using attempts a
      where s.attempt_id = a.id and a.state <> 'running'
    )`;

const linked = (rows: string): string => `
    links as (
      select *, nextval('attempt_id_seq') as "attemptId"
      from json_to_recordset(${rows}) as t (environment text, pipeline text, "runId" bigint, "taskId" text, "mapIndex" int,
             "mapKey" text, release text, "intervalStart" timestamptz, "intervalEnd" timestamptz, "from" bigint)
    ), linked as (
      select l.*, v.version, v.location, v.path, v.fence, v.manifest_hash, v.files, v.bytes
      from links l
      join path_version v on v.run_id = l."from" and v.task_id = l."taskId" and v.map_index = l."mapIndex"
      where v.removed_at is null
    )`;

const checked = (rows: string): string => `
    checked as (
      insert into check_result (environment, pipeline, run_id, task_id, map_index, map_key, number, name, path, state, rows, bad, detail,
                                sample, interval_start, release, counted)
      select environment, pipeline, "runId", "taskId", "mapIndex", "mapKey", number, name, path, state, rows, bad, detail, sample,
             "intervalStart", release, counted
      from json_to_recordset(${rows}) as t (environment text, pipeline text, "runId" bigint, "taskId" text, "mapIndex" int,
             "mapKey" text, number int, name text, path text, state text, rows bigint, bad bigint, detail text, sample jsonb,
             "intervalStart" timestamptz, release text, counted boolean)
      on conflict do nothing
    )`;

/** Metrics of the batch, and those of the results that are taken from earlier runs. */
const recorded = (rows: string | undefined, links: string | undefined): string => `
    metrics as (
      insert into metric (environment, pipeline, task_id, map_index, map_key, name, value, step, at, interval_start, run_id, number, release, counted)
      ${either(
        rows &&
          `
      select environment, pipeline, "taskId", "mapIndex", "mapKey", name, value, step, to_timestamp(ts / 1000.0), "intervalStart",
             "runId", number, release, counted
      from json_to_recordset(${rows}) as t (environment text, pipeline text, "taskId" text, "mapIndex" int, "mapKey" text, name text,
             value double precision, step int, ts double precision, "intervalStart" timestamptz, "runId" bigint, number int,
             release text, counted boolean)`,
        links &&
          `
      select l.environment, l.pipeline, l."taskId", l."mapIndex", l."mapKey", m.name, m.value, m.step, m.at, l."intervalStart",
             l."runId", 0, l.release, true
      from links l join metric m on m.run_id = l."from" and m.task_id = l."taskId" and m.map_index = l."mapIndex" and m.counted`,
      )}
    )`;

/** Versions of the batch, and those of the results that are taken from earlier runs; pointers move to them. */
const publishedVersions = (rows: string | undefined, links: string | undefined): string => `
    versions as (
      ${either(
        rows &&
          `
      select * from json_to_recordset(${rows}) as t (environment text, version text, location text, pipeline text, name text,
             "mapKey" text, "runId" bigint, "taskId" text, "mapIndex" int, "attemptId" bigint, fence int, release text,
             "intervalStart" timestamptz, "intervalEnd" timestamptz, "manifestHash" text, files int, bytes bigint, shadow boolean)`,
        links &&
          `
      select environment, version, location, pipeline, path as name, "mapKey", "runId", "taskId", "mapIndex", "attemptId", fence, release,
             "intervalStart", "intervalEnd", manifest_hash as "manifestHash", files, bytes, false as shadow
      from linked`,
      )}
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
    )`;

const POINTED = `
           (select coalesce(jsonb_agg(jsonb_build_object('environment', environment, 'location', location, 'version', version, 'fence', fence)), '[]')
            from pointed)`;

const ended = (rows: string): string => `
    ended as (
      update run r
      set state = u.state, reason = u.reason, counts = u.counts, finished_at = clock_timestamp(), deadline_at = null
      from ${counted(rows, '"runId" bigint, state text, reason text, counts jsonb')} as u
      where r.id = u."runId" and r.state = 'running'
      returning 1
    )`;

/** Whoever listens for the end of these runs, or for these paths of them, has something to look at. */
const told = (ends: string | undefined, paths: string | undefined, publishes: boolean): string => `
    told as (
      insert into unseen (environment, pipeline, source, path, run_id, state, interval_start, interval_end, depth)
      select l.environment, l.pipeline, l.source, l.path, r.id, happened.state, r.interval_start, r.interval_end, r.depth
      from (
        ${either(
          ends && `select "runId", '' as path, state from json_to_recordset(${ends}) as u ("runId" bigint, state text)`,
          paths &&
            `select "runId", path, 'success' as state from json_to_recordset(${paths}) as p ("runId" bigint, path text)`,
        )}
      ) happened
      join run r on r.id = happened."runId"
      join listener l on l.environment = r.environment and l.source = r.pipeline and l.path = happened.path
      where not r.shadow
        and (happened.path = ''
          ${publishes ? 'or exists (select from pointed p where p.pipeline = r.pipeline and p.path = happened.path)' : ''}
          -- The last of a fan-out skipped itself: what the others published was shown before.
          or exists (select from path_pointer p where p.environment = r.environment and p.pipeline = r.pipeline
            and p.path = happened.path and p.interval_end is not distinct from r.interval_end and p.run_id = r.id))
      returning 1
    )`;

const alerted = (rows: string): string => `
    alerted as (
      insert into alert_delivery (environment, pipeline, run_id, event, target, message, state, detail)
      select environment, pipeline, "runId", event, target, message, state, detail
      from json_to_recordset(${rows}) as t (environment text, pipeline text, "runId" bigint, event text, target text, message jsonb,
             state text, detail text)
    )`;

const waits = (rows: string): string => `
    waits as (
      insert into task_wait (run_id, task_id, map_index, environment, kind, target, what, subject, every_ms, on_timeout, since, timeout_at, next_check_at)
      select "runId", "taskId", "mapIndex", environment, kind, target, what, subject, "everyMs", "onTimeout", to_timestamp(since / 1000),
             to_timestamp("timeoutAt" / 1000), to_timestamp("nextCheckAt" / 1000)
      from json_to_recordset(${rows}) as t ("runId" bigint, "taskId" text, "mapIndex" int, environment text, kind text, target jsonb, what text,
             subject text, "everyMs" bigint, "onTimeout" text, since float8, "timeoutAt" float8, "nextCheckAt" float8)
      -- What it waited for has come, and this is the next thing.
      on conflict (run_id, task_id, map_index) do update
      set kind = excluded.kind, target = excluded.target, what = excluded.what, subject = excluded.subject, every_ms = excluded.every_ms,
          on_timeout = excluded.on_timeout, since = excluded.since, timeout_at = excluded.timeout_at, next_check_at = excluded.next_check_at,
          checked_at = null, detail = null, outcome = null, reason = null
    )`;

const shown = (rows: string): string => `
    shown as (
      insert into event (environment, run_id, payload)
      select environment, "runId", payload
      from json_to_recordset(${rows}) as t (environment text, "runId" bigint, payload jsonb)
    )`;

/**
 * Rows to look up others by, with their number. Without it Postgres takes them for a hundred, and reads a table whole that it
 * thinks to be small: for one row of a thousand.
 */
function counted(rows: string, columns: string): string {
  return `(select * from json_to_recordset(${rows}) as t (${columns}) limit json_array_length(${rows}))`;
}

/** What is there of two selections with the same columns. */
function either(one: string | undefined, other: string | undefined): string {
  return [one, other].filter((rows) => rows !== undefined).join(' union all ');
}
