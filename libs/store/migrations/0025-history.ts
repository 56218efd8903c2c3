import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Retention: runs that were moved to archives in the storage of their environment, and what stays of them here. */
export class History1790000000025 implements MigrationInterface {
  name = 'History1790000000025';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- A file of ended runs below an environment's storage root; written before the row, in whose commit the runs go.
create table archive (
  id bigint generated always as identity primary key,
  environment text not null,
  -- UTC day on which its runs ended.
  day date not null,
  key text not null,
  sha256 text not null,
  bytes bigint not null,
  runs integer not null,
  task_runs integer not null,
  at timestamptz not null default now(),
  constraint archive_holds_runs check (runs > 0)
);
create index archive_of_environment on archive (environment, day desc, id desc);

-- What lists show of an archived run, and what backfills and waits have to know of its interval.
create table archived_run (
  run_id bigint primary key,
  archive_id bigint not null references archive (id),
  environment text not null,
  pipeline text not null,
  release text not null,
  trigger text not null,
  shadow boolean not null,
  state text not null,
  interval_start timestamptz,
  interval_end timestamptz,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz not null,
  -- Its logs and evidence are gone from storage too.
  erased boolean not null default false
);
create index archived_run_of_environment on archived_run (environment, run_id desc);
create index archived_run_of_pipeline on archived_run (environment, pipeline, run_id desc);
create index archived_run_to_erase on archived_run (environment, run_id) where not erased;

-- The last counted value of each metric of each archived run, for charts over runs.
create table metric_history (
  environment text not null,
  pipeline text not null,
  run_id bigint not null,
  task_id text not null,
  map_key text not null,
  name text not null,
  value double precision not null,
  at timestamptz not null,
  interval_start timestamptz,
  release text not null,
  constraint metric_history_pkey primary key (environment, pipeline, run_id, task_id, map_key, name)
);

-- Runs past their retention, the newest first.
create index run_ended on run (environment, finished_at desc, id desc) where finished_at is not null;
create index run_of_origin on run (origin_run) where origin_run is not null;
-- Backfills and tasks that wait for runs ask by interval, whatever the length of the history.
create index run_of_interval on run (environment, pipeline, interval_end) where interval_end is not null;

-- An interval of an ended backfill goes on to say which run was made, when that is in an archive.
alter table backfill_interval drop constraint backfill_interval_run_id_fkey;
create index verification_of_shadow on verification (shadow_run_id) where shadow_run_id is not null;
`;
