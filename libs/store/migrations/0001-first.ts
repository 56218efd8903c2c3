import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The first schema. Migrations are append-only; `schema.sql` beside shows their sum. */
export class First1790000000001 implements MigrationInterface {
  name = 'First1790000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- Truth about what happened. What a pipeline is, stands in its release; the data stands in storage.
-- No foreign keys from the hot tables (task_run, attempt, metric): every row is written by the owner of its run
-- under the run's row lock, and a key check per insert would cost a lookup each.

create table release (
  digest      text primary key,
  alias       text not null,
  commit      text,
  branch      text,
  author      text,
  message     text,
  dirty       boolean not null,
  created_at  timestamptz not null default now()
);

-- Append-only: the current release of an environment is the row with the highest seq.
create table environment_pointer (
  environment text not null,
  seq         integer not null,
  release     text not null references release,
  actor       text not null,
  at          timestamptz not null default now(),
  primary key (environment, seq)
);

-- Append-only: the content of environments/<name>.yaml as applied. Never holds a secret's value.
create table environment_config (
  environment text not null,
  seq         integer not null,
  hash        text not null,
  content     jsonb not null,
  actor       text not null,
  at          timestamptz not null default now(),
  primary key (environment, seq)
);

-- Processes that may own runs. A run's lease is valid while its owner's row says so; the database clock decides.
create table process (
  id          text primary key,
  kind        text not null,
  host        text not null,
  pid         integer not null,
  started_at  timestamptz not null default now(),
  alive_until timestamptz not null
);

-- One row for each pipeline that was ever active in an environment.
create table schedule (
  environment  text not null,
  pipeline     text not null,
  activated_at timestamptz not null default now(),
  -- End of the last interval that was handled (created, skipped or passed over): where the walk continues.
  last_end     timestamptz,
  -- What the two columns above are about; another schedule starts over from last_end.
  definition   text not null,
  paused       boolean not null default false,
  primary key (environment, pipeline)
);

-- What fired, for ever: any number of schedulers may fire the same tick and one row wins.
create table fire (
  environment text not null,
  pipeline    text not null,
  trigger_key text not null,
  at          timestamptz not null default now(),
  primary key (environment, pipeline, trigger_key)
);

create table run (
  id               bigint generated always as identity primary key,
  environment      text not null,
  pipeline         text not null,
  release          text not null references release,
  config_hash      text not null,
  trigger          text not null constraint run_trigger_known check (trigger in ('schedule', 'manual', 'backfill', 'rerun')),
  why              text not null,
  interval_start   timestamptz,
  interval_end     timestamptz,
  params           jsonb not null,
  -- The run whose finished task runs this one may take over by reference.
  origin_run       bigint,
  state            text not null constraint run_state_known
                   check (state in ('queued', 'running', 'success', 'failed', 'cancelled', 'timed_out', 'skipped')),
  reason           text,
  cancel_requested boolean not null default false,
  -- Task runs by state, denormalised when the run ends.
  counts           jsonb not null default '{}',
  max_active_runs  integer not null,
  -- Order among queued runs of one pipeline: lower first.
  queue_order      double precision not null,
  created_at       timestamptz not null default now(),
  started_at       timestamptz,
  finished_at      timestamptz,
  deadline_at      timestamptz,
  timeout_at       timestamptz,
  lease_owner      text,
  -- Rises with every change of owner; every write to this run compares it.
  lease_token      bigint not null default 0,
  constraint run_interval_whole check ((interval_start is null) = (interval_end is null)),
  constraint run_finished_has_time check ((state in ('queued', 'running')) = (finished_at is null))
) with (fillfactor = 80);
create index run_live on run (environment, pipeline, queue_order, id) where state in ('queued', 'running');
create index run_of_pipeline on run (environment, pipeline, id desc);
create index run_of_environment on run (environment, id desc);
create index run_deadline on run (deadline_at) where deadline_at is not null and state in ('queued', 'running');

-- A row exists once the task run is ready, waits for data, or has ended without being tried; absent = not yet.
create table task_run (
  run_id         bigint not null,
  task_id        text not null,
  map_index      integer not null,
  map_key        text not null default '',
  matrix         jsonb,
  environment    text not null,
  pipeline       text not null,
  state          text not null constraint task_run_state_known
                 check (state in ('waiting', 'ready', 'queued', 'running', 'retrying', 'success', 'failed', 'skipped', 'upstream_failed', 'cancelled', 'lost')),
  -- Number of attempts made.
  number         integer not null default 0,
  -- Rises with every attempt, and when the reaper gives an attempt up.
  fence          integer not null default 0,
  retries_used   integer not null default 0,
  lost           integer not null default 0,
  deferred       integer not null default 0,
  pool           text not null,
  slots          integer not null,
  priority       integer not null,
  interval_start timestamptz,
  -- Pinned when the task run becomes ready, kept over retries: InputBinding[].
  inputs         jsonb,
  outputs        jsonb,
  summary        text,
  reason         text,
  -- True: it succeeded, and its gate told what follows to be skipped.
  gate_closed    boolean not null default false,
  -- Run whose task run was taken over by reference.
  origin_run     bigint,
  ready_at       timestamptz,
  queued_at      timestamptz,
  started_at     timestamptz,
  finished_at    timestamptz,
  retry_at       timestamptz,
  primary key (run_id, task_id, map_index)
) with (fillfactor = 75);
create index task_run_ready on task_run (environment, pool, priority desc, interval_start, map_index, run_id) where state = 'ready';

create table attempt (
  id          bigint generated always as identity primary key,
  run_id      bigint not null,
  task_id     text not null,
  map_index   integer not null,
  number      integer not null,
  fence       integer not null,
  state       text not null constraint attempt_state_known
              check (state in ('queued', 'running', 'success', 'failed', 'skipped', 'timed_out', 'cancelled', 'lost', 'deferred')),
  -- The process that was told to execute it.
  worker      text not null,
  pid         integer,
  queued_at   timestamptz not null default clock_timestamp(),
  started_at  timestamptz,
  finished_at timestamptz,
  exit_code   integer,
  message     text,
  log_lines   integer,
  unique (run_id, task_id, map_index, number)
) with (fillfactor = 75);
create unique index attempt_one_live_per_task_run on attempt (run_id, task_id, map_index) where state in ('queued', 'running');

create table pool (
  environment text not null,
  name        text not null,
  slots       integer not null constraint pool_has_slots check (slots >= 0),
  used        integer not null default 0 constraint pool_used_not_negative check (used >= 0),
  primary key (environment, name)
) with (fillfactor = 50);

create table metric (
  environment    text not null,
  pipeline       text not null,
  task_id        text not null,
  map_index      integer not null,
  map_key        text not null,
  name           text not null,
  value          double precision not null,
  step           integer,
  at             timestamptz not null,
  interval_start timestamptz,
  run_id         bigint not null,
  number         integer not null,
  release        text not null,
  -- False: of an attempt that did not succeed; kept, but not in charts and gates.
  counted        boolean not null
);
create index metric_series on metric (environment, pipeline, task_id, name, run_id);
create index metric_of_run on metric (run_id);

-- Every version that was published, for ever (until garbage collection).
create table path_version (
  environment    text not null,
  version        text not null,
  location       text not null,
  pipeline       text not null,
  path           text not null,
  map_key        text not null,
  run_id         bigint not null,
  task_id        text not null,
  map_index      integer not null,
  attempt_id     bigint not null,
  fence          integer not null,
  release        text not null,
  interval_start timestamptz,
  interval_end   timestamptz,
  manifest_hash  text not null,
  files          integer not null,
  bytes          bigint not null,
  published_at   timestamptz not null default now(),
  primary key (environment, version)
);
create index path_version_of_run on path_version (run_id, path);

-- What a location shows now. Moved in the transaction that records the success.
create table path_pointer (
  environment    text not null,
  location       text not null,
  pipeline       text not null,
  path           text not null,
  map_key        text not null,
  interval_start timestamptz,
  interval_end   timestamptz,
  version        text not null,
  manifest_hash  text not null,
  run_id         bigint not null,
  -- Attempt id of the writer: rises over runs, so storage can refuse an older projection.
  attempt_id     bigint not null,
  published_at   timestamptz not null default now(),
  -- False until storage shows it; the sweep repairs.
  projected      boolean not null default false,
  primary key (environment, location)
);
create index path_pointer_of_path on path_pointer (environment, pipeline, path, interval_end desc);
create index path_pointer_unprojected on path_pointer (environment) where not projected;

-- Commands for the owner of a run; deleted when consumed.
create table inbox (
  id      bigint generated always as identity primary key,
  run_id  bigint not null,
  kind    text not null,
  payload jsonb not null,
  at      timestamptz not null default now()
);

-- The outbox of alerts and, once sent, the delivery log.
create table alert_delivery (
  id          bigint generated always as identity primary key,
  environment text not null,
  pipeline    text not null,
  run_id      bigint not null,
  event       text not null,
  target      text not null,
  message     jsonb not null,
  state       text not null constraint alert_delivery_state_known check (state in ('pending', 'sent', 'rejected', 'muted')),
  tries       integer not null default 0,
  -- True while a send is under way: after a crash it may or may not have arrived.
  in_doubt    boolean not null default false,
  thread      text,
  detail      text,
  created_at  timestamptz not null default now(),
  next_try_at timestamptz not null default now(),
  sent_at     timestamptz
);
create index alert_delivery_pending on alert_delivery (run_id, target, id) where state = 'pending';
-- What was told of a run before, to whom: threads continue there.
create index alert_delivery_of_run on alert_delivery (run_id, target, id);
-- Which failed run a success mends.
create index alert_delivery_of_pipeline on alert_delivery (environment, pipeline, run_id) where event in ('run.failed', 'run.recovered');
create index alert_delivery_log on alert_delivery (environment, id desc);

-- Live events for screens; kept for a day. Read below the oldest running transaction, never by id alone.
create table event (
  id          bigint generated always as identity primary key,
  xid         xid8 not null default pg_current_xact_id(),
  environment text not null,
  run_id      bigint,
  payload     jsonb not null,
  at          timestamptz not null default now()
);
create index event_by_age on event (at);
-- The order in which events may be told: a transaction with a lower number may commit later than one with a higher id.
create index event_in_order on event (xid, id);
`;
