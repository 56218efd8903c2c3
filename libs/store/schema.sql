-- What the migrations add up to, for readers; made from the catalog of a migrated database.
-- After a new migration: SLUICE_WRITE_SCHEMA=1 npm test -- libs/store/schema

create table alert_delivery (
  id bigint generated always as identity,
  environment text not null,
  pipeline text not null,
  run_id bigint not null,
  event text not null,
  target text not null,
  message jsonb not null,
  state text not null,
  tries integer default 0 not null,
  in_doubt boolean default false not null,
  thread text,
  detail text,
  created_at timestamp with time zone default now() not null,
  next_try_at timestamp with time zone default now() not null,
  sent_at timestamp with time zone,
  mended boolean default false not null,
  constraint alert_delivery_pkey primary key (id),
  constraint alert_delivery_state_known check ((state = ANY (ARRAY['pending'::text, 'sent'::text, 'rejected'::text, 'muted'::text])))
);
create index alert_delivery_log on alert_delivery (environment, id DESC);
create index alert_delivery_of_run on alert_delivery (run_id, target, id);
create index alert_delivery_pending on alert_delivery (run_id, target, id) WHERE (state = 'pending'::text);
create index alert_delivery_unmended on alert_delivery (environment, pipeline, run_id) WHERE ((event = 'run.failed'::text) AND (NOT mended));
create trigger alert_mends after insert on alert_delivery for each row when ((new.event = 'run.recovered'::text)) execute function mend_alerts();

create table archive (
  id bigint generated always as identity,
  environment text not null,
  day date not null,
  key text not null,
  sha256 text not null,
  bytes bigint not null,
  runs integer not null,
  task_runs integer not null,
  at timestamp with time zone default now() not null,
  constraint archive_pkey primary key (id),
  constraint archive_holds_runs check ((runs > 0))
);
create index archive_of_environment on archive (environment, day DESC, id DESC);

create table archived_run (
  run_id bigint not null,
  archive_id bigint not null,
  environment text not null,
  pipeline text not null,
  release text not null,
  trigger text not null,
  shadow boolean not null,
  state text not null,
  interval_start timestamp with time zone,
  interval_end timestamp with time zone,
  created_at timestamp with time zone not null,
  started_at timestamp with time zone,
  finished_at timestamp with time zone not null,
  erased boolean default false not null,
  constraint archived_run_pkey primary key (run_id),
  constraint archived_run_archive_id_fkey foreign key (archive_id) REFERENCES archive(id)
);
create index archived_run_of_environment on archived_run (environment, run_id DESC);
create index archived_run_of_pipeline on archived_run (environment, pipeline, run_id DESC);
create index archived_run_to_erase on archived_run (environment, run_id) WHERE (NOT erased);

create table assignment (
  attempt_id bigint not null,
  run_id bigint not null,
  environment text not null,
  pool text not null,
  content jsonb not null,
  worker text,
  fenced boolean default false not null,
  cancel text,
  result jsonb,
  news boolean default false not null,
  noted_at timestamp with time zone default clock_timestamp() not null,
  claimed_at timestamp with time zone,
  note text,
  constraint assignment_pkey primary key (attempt_id),
  constraint assignment_fenced_had_a_worker check (((NOT fenced) OR (worker IS NOT NULL))),
  constraint assignment_reported_by_somebody check (((result IS NULL) OR (worker IS NOT NULL)))
) with (fillfactor=75);
create index assignment_live on assignment (worker) WHERE ((worker IS NOT NULL) AND (result IS NULL) AND (NOT fenced));
create index assignment_news on assignment (run_id) WHERE news;
create index assignment_run on assignment (run_id);
create index assignment_waiting on assignment (environment, pool, attempt_id) WHERE (worker IS NULL);

create table attempt (
  id bigint generated always as identity,
  run_id bigint not null,
  task_id text not null,
  map_index integer not null,
  number integer not null,
  fence integer not null,
  state text not null,
  worker text not null,
  pid integer,
  queued_at timestamp with time zone default clock_timestamp() not null,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  exit_code integer,
  message text,
  log_lines integer,
  replicas integer,
  constraint attempt_pkey primary key (id),
  constraint attempt_run_id_task_id_map_index_number_key unique (run_id, task_id, map_index, number),
  constraint attempt_has_replicas check ((replicas > 0)),
  constraint attempt_state_known check ((state = ANY (ARRAY['queued'::text, 'running'::text, 'success'::text, 'failed'::text, 'skipped'::text, 'timed_out'::text, 'cancelled'::text, 'lost'::text, 'deferred'::text])))
) with (fillfactor=75, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=5000);
create unique index attempt_one_live_per_task_run on attempt (run_id, task_id, map_index) WHERE (state = ANY (ARRAY['queued'::text, 'running'::text]));

create table audit (
  seq bigint not null,
  at timestamp with time zone not null,
  actor text not null,
  action text not null,
  environment text,
  subject text not null,
  detail jsonb default '{}'::jsonb not null,
  previous text not null,
  hash text not null,
  constraint audit_pkey primary key (seq)
);
create index audit_of_environment on audit (environment, seq DESC);
create trigger audit_append_only before delete or update on audit for each row execute function refuse_change();
create trigger audit_never_emptied before truncate on audit for each statement execute function refuse_change();

create table backfill (
  id bigint generated always as identity,
  environment text not null,
  pipeline text not null,
  release text,
  range_start timestamp with time zone not null,
  range_end timestamp with time zone not null,
  reprocess text not null,
  run_order text not null,
  max_active integer not null,
  state text default 'running'::text not null,
  reason text,
  actor text not null,
  created_at timestamp with time zone default now() not null,
  finished_at timestamp with time zone,
  constraint backfill_pkey primary key (id),
  constraint backfill_release_fkey foreign key (release) REFERENCES release(digest),
  constraint backfill_finished_has_time check (((state = ANY (ARRAY['running'::text, 'paused'::text])) = (finished_at IS NULL))),
  constraint backfill_goes_on check ((max_active > 0)),
  constraint backfill_order_known check ((run_order = ANY (ARRAY['oldest_first'::text, 'newest_first'::text]))),
  constraint backfill_range_forward check ((range_start < range_end)),
  constraint backfill_reprocess_known check ((reprocess = ANY (ARRAY['missing'::text, 'failed'::text, 'stale'::text, 'all'::text]))),
  constraint backfill_state_known check ((state = ANY (ARRAY['running'::text, 'paused'::text, 'done'::text, 'cancelled'::text])))
);
create index backfill_of_environment on backfill (environment, id DESC);
create index backfill_running on backfill (id) WHERE (state = 'running'::text);

create table backfill_interval (
  backfill_id bigint not null,
  position integer not null,
  interval_start timestamp with time zone not null,
  interval_end timestamp with time zone not null,
  state text not null,
  reason text not null,
  run_id bigint,
  constraint backfill_interval_pkey primary key (backfill_id, "position"),
  constraint backfill_interval_backfill_id_fkey foreign key (backfill_id) REFERENCES backfill(id),
  constraint backfill_interval_created_has_run check (((state = 'created'::text) = (run_id IS NOT NULL))),
  constraint backfill_interval_state_known check ((state = ANY (ARRAY['pending'::text, 'created'::text, 'left_out'::text])))
);
create index backfill_interval_pending on backfill_interval (backfill_id, "position") WHERE (state = 'pending'::text);

create table check_result (
  environment text not null,
  pipeline text not null,
  run_id bigint not null,
  task_id text not null,
  map_index integer not null,
  map_key text not null,
  number integer not null,
  name text not null,
  path text,
  state text not null,
  rows bigint,
  bad bigint,
  detail text not null,
  sample jsonb not null,
  interval_start timestamp with time zone,
  release text not null,
  counted boolean not null,
  at timestamp with time zone default now() not null,
  constraint check_result_pkey primary key (run_id, task_id, map_index, number, name),
  constraint check_result_state_known check ((state = ANY (ARRAY['passed'::text, 'warned'::text, 'quarantined'::text, 'failed'::text])))
);
create index check_result_series on check_result (environment, pipeline, task_id, name, map_key, run_id DESC);

create table environment_config (
  environment text not null,
  seq integer not null,
  hash text not null,
  content jsonb not null,
  actor text not null,
  at timestamp with time zone default now() not null,
  constraint environment_config_pkey primary key (environment, seq)
);

create table environment_follow (
  environment text not null,
  remote text not null,
  ref text not null,
  actor text not null,
  since timestamp with time zone default now() not null,
  commit text,
  seen_at timestamp with time zone,
  release text,
  problem text,
  problems jsonb default '[]'::jsonb not null,
  asked_at timestamp with time zone,
  told text,
  looker text,
  look_until timestamp with time zone,
  constraint environment_follow_pkey primary key (environment),
  constraint environment_follow_release_fkey foreign key (release) REFERENCES release(digest),
  constraint follow_look_ends check (((looker IS NULL) = (look_until IS NULL))),
  constraint follow_release_has_commit check (((release IS NULL) OR (commit IS NOT NULL)))
);

create table environment_pointer (
  environment text not null,
  seq integer not null,
  release text not null,
  actor text not null,
  at timestamp with time zone default now() not null,
  constraint environment_pointer_pkey primary key (environment, seq),
  constraint environment_pointer_release_fkey foreign key (release) REFERENCES release(digest)
);

create table event (
  id bigint generated always as identity,
  xid xid8 default pg_current_xact_id() not null,
  environment text not null,
  run_id bigint,
  payload jsonb not null,
  at timestamp with time zone default now() not null,
  constraint event_pkey primary key (id)
);
create index event_by_age on event (at);
create index event_in_order on event (xid, id);

create table fire (
  environment text not null,
  pipeline text not null,
  trigger_key text not null,
  at timestamp with time zone default now() not null,
  constraint fire_pkey primary key (environment, pipeline, trigger_key)
);

create table inbox (
  id bigint generated always as identity,
  run_id bigint not null,
  kind text not null,
  payload jsonb not null,
  at timestamp with time zone default now() not null,
  constraint inbox_pkey primary key (id)
);

create table listener (
  environment text not null,
  source text not null,
  path text not null,
  pipeline text not null,
  constraint listener_pkey primary key (environment, source, path, pipeline)
);

create table metric (
  environment text not null,
  pipeline text not null,
  task_id text not null,
  map_index integer not null,
  map_key text not null,
  name text not null,
  value double precision not null,
  step integer,
  at timestamp with time zone not null,
  interval_start timestamp with time zone,
  run_id bigint not null,
  number integer not null,
  release text not null,
  counted boolean not null
);
create index metric_of_run on metric (run_id);
create index metric_series on metric (environment, pipeline, task_id, name, run_id);

create table metric_history (
  environment text not null,
  pipeline text not null,
  run_id bigint not null,
  task_id text not null,
  map_key text not null,
  name text not null,
  value double precision not null,
  at timestamp with time zone not null,
  interval_start timestamp with time zone,
  release text not null,
  constraint metric_history_pkey primary key (environment, pipeline, run_id, task_id, map_key, name)
);

create table path_pointer (
  environment text not null,
  location text not null,
  pipeline text not null,
  path text not null,
  map_key text not null,
  interval_start timestamp with time zone,
  interval_end timestamp with time zone,
  version text,
  manifest_hash text,
  run_id bigint,
  attempt_id bigint,
  published_at timestamp with time zone default now() not null,
  projected boolean default false not null,
  fence bigint default 0 not null,
  constraint path_pointer_pkey primary key (environment, location),
  constraint path_pointer_shows_whole_version_or_nothing check ((num_nulls(version, manifest_hash, run_id, attempt_id) = ANY (ARRAY[0, 4])))
);
create index path_pointer_of_path on path_pointer (environment, pipeline, path, interval_end DESC);
create index path_pointer_unprojected on path_pointer (environment) WHERE (NOT projected);

create table path_version (
  environment text not null,
  version text not null,
  location text not null,
  pipeline text not null,
  path text not null,
  map_key text not null,
  run_id bigint not null,
  task_id text not null,
  map_index integer not null,
  attempt_id bigint not null,
  fence integer not null,
  release text not null,
  interval_start timestamp with time zone,
  interval_end timestamp with time zone,
  manifest_hash text not null,
  files integer not null,
  bytes bigint not null,
  published_at timestamp with time zone default now() not null,
  removed_at timestamp with time zone,
  erased_at timestamp with time zone,
  constraint path_version_pkey primary key (environment, version, attempt_id)
);
create index path_version_of_location on path_version (environment, location, attempt_id DESC);
create index path_version_of_run on path_version (run_id, path);
create index path_version_to_erase on path_version (environment, version) WHERE ((removed_at IS NOT NULL) AND (erased_at IS NULL));

create table pool (
  environment text not null,
  name text not null,
  slots integer not null,
  used integer default 0 not null,
  constraint pool_pkey primary key (environment, name),
  constraint pool_has_slots check ((slots >= 0)),
  constraint pool_used_not_negative check ((used >= 0))
) with (fillfactor=50);

create table preview (
  id bigint generated always as identity,
  environment text not null,
  parent text not null,
  storage text not null,
  actor text not null,
  created_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone not null,
  closing_at timestamp with time zone,
  closed_by text,
  removed_at timestamp with time zone,
  constraint preview_pkey primary key (id),
  constraint preview_closes_before_removal check (((removed_at IS NULL) OR (closing_at IS NOT NULL))),
  constraint preview_within_parent check (starts_with(environment, (parent || '/'::text)))
);
create unique index preview_open on preview (environment) WHERE (removed_at IS NULL);

create table process (
  id text not null,
  kind text not null,
  host text not null,
  pid integer not null,
  started_at timestamp with time zone default now() not null,
  alive_until timestamp with time zone not null,
  resources jsonb,
  key_hash text,
  capacity integer,
  queues text[],
  constraint process_pkey primary key (id)
);

create table promotion (
  id bigint generated always as identity,
  environment text not null,
  release text not null,
  kind text not null,
  state text not null,
  previous text,
  fallback text,
  pointer_seq integer not null,
  config_hash text not null,
  plan jsonb not null,
  plan_hash text not null,
  actor text not null,
  reason text,
  build_url text,
  detail text,
  requested_at timestamp with time zone default now() not null,
  state_at timestamp with time zone default now() not null,
  switched_at timestamp with time zone,
  finished_at timestamp with time zone,
  told text default ''::text not null,
  constraint promotion_pkey primary key (id),
  constraint promotion_release_fkey foreign key (release) REFERENCES release(digest),
  constraint promotion_finished_has_time check (((state = ANY (ARRAY['queued'::text, 'gates'::text, 'approval'::text, 'window'::text, 'verifying'::text])) = (finished_at IS NULL))),
  constraint promotion_kind_known check ((kind = ANY (ARRAY['promote'::text, 'rollback'::text, 'hotfix'::text]))),
  constraint promotion_state_known check ((state = ANY (ARRAY['queued'::text, 'gates'::text, 'approval'::text, 'window'::text, 'verifying'::text, 'verified'::text, 'failed'::text, 'rolled_back'::text, 'rejected'::text, 'expired'::text, 'superseded'::text, 'cancelled'::text])))
);
create index promotion_of_environment on promotion (environment, id DESC);
create index promotion_of_release on promotion (release, environment);
create unique index promotion_one_active on promotion (environment) WHERE (state = ANY (ARRAY['gates'::text, 'approval'::text, 'window'::text, 'verifying'::text]));
create index promotion_open on promotion (environment, id) WHERE (finished_at IS NULL);
create index promotion_untold on promotion (id) WHERE (told <> state);

create table promotion_approval (
  promotion_id bigint not null,
  approver text not null,
  asserted_by text,
  groups text[] not null,
  decision text not null,
  comment text,
  plan_hash text not null,
  at timestamp with time zone default now() not null,
  constraint promotion_approval_pkey primary key (promotion_id, approver),
  constraint promotion_approval_promotion_id_fkey foreign key (promotion_id) REFERENCES promotion(id),
  constraint approval_decision_known check ((decision = ANY (ARRAY['approve'::text, 'reject'::text])))
);

create table promotion_freeze (
  id bigint generated always as identity,
  environment text not null,
  starts_at timestamp with time zone not null,
  ends_at timestamp with time zone not null,
  reason text not null,
  actor text not null,
  at timestamp with time zone default now() not null,
  lifted_at timestamp with time zone,
  lifted_by text,
  constraint promotion_freeze_pkey primary key (id),
  constraint freeze_has_length check ((ends_at > starts_at))
);
create index promotion_freeze_in_force on promotion_freeze (environment, ends_at) WHERE (lifted_at IS NULL);

create table promotion_gate (
  promotion_id bigint not null,
  position integer not null,
  kind text not null,
  name text not null,
  state text not null,
  detail text not null,
  evidence jsonb default '{}'::jsonb not null,
  checked_at timestamp with time zone default now() not null,
  constraint promotion_gate_pkey primary key (promotion_id, "position"),
  constraint promotion_gate_promotion_id_fkey foreign key (promotion_id) REFERENCES promotion(id),
  constraint promotion_gate_state_known check ((state = ANY (ARRAY['pending'::text, 'passed'::text, 'failed'::text, 'inconclusive'::text, 'overridden'::text, 'skipped'::text])))
);
create index promotion_gate_elsewhere on promotion_gate (promotion_id) WHERE ((kind = 'installation'::text) AND (state = 'pending'::text));

create table promotion_hold (
  id bigint generated always as identity,
  environment text not null,
  release text not null,
  reason text not null,
  actor text not null,
  at timestamp with time zone default now() not null,
  lifted_at timestamp with time zone,
  lifted_by text,
  constraint promotion_hold_pkey primary key (id)
);
create unique index promotion_hold_in_force on promotion_hold (environment, release) WHERE (lifted_at IS NULL);

create table promotion_input (
  build_url text not null,
  input text not null,
  promotion_id bigint not null,
  asked_at timestamp with time zone default now() not null,
  looked_at timestamp with time zone default now() not null,
  outcome text,
  constraint promotion_input_pkey primary key (build_url, input),
  constraint promotion_input_promotion_id_fkey foreign key (promotion_id) REFERENCES promotion(id),
  constraint promotion_input_outcome_known check ((outcome = ANY (ARRAY['proceed'::text, 'abort'::text, 'answered_there'::text, 'ended'::text])))
);
create index promotion_input_waits on promotion_input (promotion_id) WHERE (outcome IS NULL);

create table received_event (
  id bigint generated always as identity,
  environment text not null,
  name text not null,
  key text not null,
  body_hash text not null,
  actor text not null,
  at timestamp with time zone default now() not null,
  constraint received_event_pkey primary key (id),
  constraint received_event_once unique (environment, name, key)
);

create table release (
  digest text not null,
  alias text not null,
  commit text,
  branch text,
  author text,
  message text,
  dirty boolean not null,
  created_at timestamp with time zone default now() not null,
  build_url text,
  constraint release_pkey primary key (digest)
);

create table release_test (
  id bigint generated always as identity,
  release text not null,
  passed integer not null,
  failed integer not null,
  seconds double precision not null,
  junit text not null,
  build_url text,
  actor text not null,
  at timestamp with time zone default now() not null,
  constraint release_test_pkey primary key (id),
  constraint release_test_release_fkey foreign key (release) REFERENCES release(digest) ON DELETE CASCADE,
  constraint release_test_counts check (((passed >= 0) AND (failed >= 0)))
);
create index release_test_of_release on release_test (release, id DESC);

create table run (
  id bigint generated always as identity,
  environment text not null,
  pipeline text not null,
  release text not null,
  config_hash text not null,
  trigger text not null,
  why text not null,
  interval_start timestamp with time zone,
  interval_end timestamp with time zone,
  params jsonb not null,
  origin_run bigint,
  state text not null,
  reason text,
  cancel_requested boolean default false not null,
  counts jsonb default '{}'::jsonb not null,
  max_active_runs integer not null,
  queue_order double precision not null,
  created_at timestamp with time zone default now() not null,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  deadline_at timestamp with time zone,
  timeout_at timestamp with time zone,
  lease_owner text,
  lease_token bigint default 0 not null,
  shadow boolean default false not null,
  promotion_id bigint,
  withdrawn_at timestamp with time zone,
  no_cache boolean default false not null,
  depth integer default 0 not null,
  event_id bigint,
  parked boolean default false not null,
  backfill_id bigint,
  constraint run_pkey primary key (id),
  constraint run_backfill_id_fkey foreign key (backfill_id) REFERENCES backfill(id),
  constraint run_event_id_fkey foreign key (event_id) REFERENCES received_event(id),
  constraint run_promotion_id_fkey foreign key (promotion_id) REFERENCES promotion(id),
  constraint run_release_fkey foreign key (release) REFERENCES release(digest),
  constraint run_finished_has_time check (((state = ANY (ARRAY['queued'::text, 'running'::text])) = (finished_at IS NULL))),
  constraint run_interval_whole check (((interval_start IS NULL) = (interval_end IS NULL))),
  constraint run_parked_is_unowned check (((NOT parked) OR (lease_owner IS NULL))),
  constraint run_state_known check ((state = ANY (ARRAY['queued'::text, 'running'::text, 'success'::text, 'failed'::text, 'cancelled'::text, 'timed_out'::text, 'skipped'::text]))),
  constraint run_trigger_known check ((trigger = ANY (ARRAY['schedule'::text, 'manual'::text, 'backfill'::text, 'rerun'::text, 'smoke'::text, 'verification'::text, 'dataset'::text, 'after'::text, 'event'::text, 'call'::text])))
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=5000);
create index run_by_interval on run (environment, pipeline, interval_start DESC, id DESC) WHERE ((interval_start IS NOT NULL) AND (NOT shadow));
create index run_deadline on run (deadline_at) WHERE ((deadline_at IS NOT NULL) AND (state = ANY (ARRAY['queued'::text, 'running'::text])));
create index run_ended on run (environment, finished_at DESC, id DESC) WHERE (finished_at IS NOT NULL);
create index run_live on run (environment, pipeline, queue_order, id) WHERE (state = ANY (ARRAY['queued'::text, 'running'::text]));
create index run_of_environment on run (environment, id DESC);
create index run_of_event on run (event_id) WHERE (event_id IS NOT NULL);
create index run_of_interval on run (environment, pipeline, interval_end) WHERE (interval_end IS NOT NULL);
create index run_of_origin on run (origin_run) WHERE (origin_run IS NOT NULL);
create index run_of_pipeline on run (environment, pipeline, id DESC);
create index run_of_promotion on run (promotion_id) WHERE (promotion_id IS NOT NULL);
create index run_of_release on run (environment, pipeline, release, id DESC);
create index run_parked_timeout on run (timeout_at) WHERE parked;
create index run_queued on run (environment, pipeline) WHERE (state = 'queued'::text);
create index run_to_own on run (id) WHERE ((state = 'running'::text) AND (NOT parked));

create table run_cause (
  run_id bigint not null,
  cause_id bigint not null,
  path text not null,
  constraint run_cause_pkey primary key (run_id, cause_id, path)
);
create index run_cause_of_cause on run_cause (cause_id);

create table run_mark (
  id bigint generated always as identity,
  run_id bigint not null,
  task_id text,
  map_index integer,
  state text not null,
  reason text not null,
  actor text not null,
  at timestamp with time zone default now() not null,
  constraint run_mark_pkey primary key (id),
  constraint run_mark_names_its_task check (((task_id IS NOT NULL) OR (map_index IS NULL))),
  constraint run_mark_says_why check ((reason <> ''::text)),
  constraint run_mark_state_known check ((state = ANY (ARRAY['success'::text, 'failed'::text])))
);
create index run_mark_of_run on run_mark (run_id, id);

create table schedule (
  environment text not null,
  pipeline text not null,
  activated_at timestamp with time zone default now() not null,
  last_end timestamp with time zone,
  definition text not null,
  paused boolean default false not null,
  paused_reason text,
  resumed_at timestamp with time zone,
  constraint schedule_pkey primary key (environment, pipeline),
  constraint schedule_paused_for_a_reason check ((paused OR (paused_reason IS NULL)))
);

create table task_run (
  run_id bigint not null,
  task_id text not null,
  map_index integer not null,
  map_key text default ''::text not null,
  matrix jsonb,
  environment text not null,
  pipeline text not null,
  state text not null,
  number integer default 0 not null,
  fence integer default 0 not null,
  retries_used integer default 0 not null,
  lost integer default 0 not null,
  deferred integer default 0 not null,
  pool text not null,
  slots integer not null,
  priority integer not null,
  interval_start timestamp with time zone,
  inputs jsonb,
  outputs jsonb,
  summary text,
  reason text,
  gate_closed boolean default false not null,
  origin_run bigint,
  ready_at timestamp with time zone,
  queued_at timestamp with time zone,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  retry_at timestamp with time zone,
  cache_key text,
  cache jsonb,
  cached_from bigint,
  resources jsonb,
  replicas jsonb,
  constraint task_run_pkey primary key (run_id, task_id, map_index),
  constraint task_run_cached_has_key check (((cached_from IS NULL) OR (cache_key IS NOT NULL))),
  constraint task_run_state_known check ((state = ANY (ARRAY['waiting'::text, 'ready'::text, 'queued'::text, 'running'::text, 'retrying'::text, 'success'::text, 'failed'::text, 'skipped'::text, 'upstream_failed'::text, 'cancelled'::text, 'lost'::text])))
) with (fillfactor=75, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=5000);
create index task_run_asking on task_run (environment, pool, priority DESC, interval_start, map_index, run_id) WHERE ((state = 'ready'::text) AND (resources IS NOT NULL));
create index task_run_by_cache_key on task_run (environment, pipeline, task_id, cache_key, run_id DESC) WHERE (cache_key IS NOT NULL);
create index task_run_ready on task_run (environment, pool, priority DESC, interval_start, map_index, run_id) WHERE (state = 'ready'::text);

create table task_wait (
  run_id bigint not null,
  task_id text not null,
  environment text not null,
  kind text not null,
  target jsonb not null,
  what text not null,
  subject text,
  every_ms bigint not null,
  on_timeout text not null,
  since timestamp with time zone not null,
  timeout_at timestamp with time zone,
  next_check_at timestamp with time zone,
  checked_at timestamp with time zone,
  detail text,
  outcome text,
  reason text,
  map_index integer default 0 not null,
  constraint task_wait_pkey primary key (run_id, task_id, map_index),
  constraint task_wait_ended_is_not_due check (((outcome IS NULL) OR (next_check_at IS NULL))),
  constraint task_wait_ended_says_why check (((outcome IS NULL) = (reason IS NULL))),
  constraint task_wait_kind_known check ((kind = ANY (ARRAY['path'::text, 'dataset'::text, 'http'::text, 'run'::text, 'time'::text, 'expr'::text, 'approve'::text, 'call'::text, 'past'::text]))),
  constraint task_wait_on_timeout_known check ((on_timeout = ANY (ARRAY['fail'::text, 'skip'::text]))),
  constraint task_wait_outcome_known check ((outcome = ANY (ARRAY['met'::text, 'skipped'::text, 'failed'::text])))
) with (fillfactor=70);
create index task_wait_due on task_wait (next_check_at) WHERE (next_check_at IS NOT NULL);
create index task_wait_ended on task_wait (run_id) WHERE (outcome IS NOT NULL);
create index task_wait_of_subject on task_wait (subject) WHERE ((subject IS NOT NULL) AND (outcome IS NULL));

create table token (
  id bigint generated always as identity,
  name text not null,
  hash text not null,
  groups text[] default '{}'::text[] not null,
  rights jsonb not null,
  created_by text not null,
  created_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  constraint token_pkey primary key (id),
  constraint token_hash_key unique (hash)
);
create unique index token_name on token (name) WHERE (revoked_at IS NULL);

create table unseen (
  id bigint generated always as identity,
  environment text not null,
  pipeline text not null,
  source text not null,
  path text not null,
  run_id bigint not null,
  state text not null,
  interval_start timestamp with time zone,
  interval_end timestamp with time zone,
  depth integer not null,
  at timestamp with time zone default clock_timestamp() not null,
  asked boolean default false not null,
  constraint unseen_pkey primary key (id)
);
create index unseen_of_pipeline on unseen (environment, pipeline);
create index unseen_unasked on unseen (environment, pipeline) WHERE (NOT asked);

create table verification (
  id bigint generated always as identity,
  run_id bigint not null,
  environment text not null,
  pipeline text not null,
  shadow_run_id bigint,
  actor text not null,
  sampled boolean not null,
  verdict text,
  detail text,
  result jsonb,
  requested_at timestamp with time zone default now() not null,
  finished_at timestamp with time zone,
  constraint verification_pkey primary key (id),
  constraint verification_run_id_fkey foreign key (run_id) REFERENCES run(id),
  constraint verification_shadow_run_id_fkey foreign key (shadow_run_id) REFERENCES run(id),
  constraint verification_finished_whole check ((((finished_at IS NULL) = (verdict IS NULL)) AND ((finished_at IS NULL) = (result IS NULL)))),
  constraint verification_open_has_run check (((finished_at IS NOT NULL) OR (shadow_run_id IS NOT NULL))),
  constraint verification_verdict_known check ((verdict = ANY (ARRAY['reproducible'::text, 'drifted'::text, 'not_comparable'::text])))
);
create index verification_of_run on verification (run_id, id DESC);
create index verification_of_shadow on verification (shadow_run_id) WHERE (shadow_run_id IS NOT NULL);
create unique index verification_one_open on verification (run_id) WHERE (finished_at IS NULL);

create table verification_sample (
  environment text not null,
  last_at timestamp with time zone not null,
  constraint verification_sample_pkey primary key (environment)
);

create table worker (
  id text not null,
  tools jsonb not null,
  started_at timestamp with time zone default now() not null,
  constraint worker_pkey primary key (id)
);
