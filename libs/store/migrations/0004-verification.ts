import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Runs that are executed again and compared, and versions that garbage collection removed. */
export class Verification1790000000004 implements MigrationInterface {
  name = 'Verification1790000000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- One row for each request to execute a run again and compare what it writes. Open while its shadow run goes on.
create table verification (
  id            bigint generated always as identity primary key,
  run_id        bigint not null references run,
  environment   text not null,
  pipeline      text not null,
  -- The run that executes it again; null: it could not be compared, so nothing was started.
  shadow_run_id bigint references run,
  actor         text not null,
  -- Chosen by chance, as the environment file asks; false: somebody asked.
  sampled       boolean not null,
  verdict       text,
  detail        text,
  result        jsonb,
  requested_at  timestamptz not null default now(),
  finished_at   timestamptz,
  constraint verification_verdict_known check (verdict in ('reproducible', 'drifted', 'not_comparable')),
  constraint verification_finished_whole check ((finished_at is null) = (verdict is null) and (finished_at is null) = (result is null)),
  constraint verification_open_has_run check (finished_at is not null or shadow_run_id is not null)
);
create unique index verification_one_open on verification (run_id) where finished_at is null;
create index verification_of_run on verification (run_id, id desc);

-- When each environment last chose runs by chance.
create table verification_sample (
  environment text primary key,
  last_at     timestamptz not null
);

-- What a process executes tasks with, as \`attempt.worker\` names it. One row for each start, kept as long as attempts are.
create table worker (
  id         text primary key,
  tools      jsonb not null,
  started_at timestamptz not null default now()
);

-- The row outlives the data: what was there, and that it is gone, can still be told. Nothing begins to use a version from
-- \`removed_at\` on; its files are gone by \`erased_at\`.
alter table path_version
  add column removed_at timestamptz,
  add column erased_at timestamptz;
create index path_version_to_erase on path_version (environment, version) where removed_at is not null and erased_at is null;
`;
