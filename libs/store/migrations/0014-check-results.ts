import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What checks of tasks came to, run by run. */
export class CheckResults1790000000014 implements MigrationInterface {
  name = 'CheckResults1790000000014';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- One row per check and attempt. path is null for checks of outputs; counted: of the attempt that succeeded.
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
  interval_start timestamptz,
  release text not null,
  counted boolean not null,
  at timestamptz not null default now(),
  constraint check_result_pkey primary key (run_id, task_id, map_index, number, name),
  constraint check_result_state_known check (state in ('passed', 'warned', 'quarantined', 'failed'))
);
create index check_result_series on check_result (environment, pipeline, task_id, name, map_key, run_id desc);
`;
