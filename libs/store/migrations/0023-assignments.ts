import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Attempts that workers on other machines execute. */
export class Assignments1790000000023 implements MigrationInterface {
  name = 'Assignments1790000000023';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- One row per attempt from its dispatch to the commit of its end. worker: null until one takes it; whoever it names may
-- report the attempt, once. fenced: its worker is dead, and nothing that it says counts. news: its run's owner has to look.
create table assignment (
  attempt_id bigint not null,
  run_id bigint not null,
  environment text not null,
  pool text not null,
  content jsonb not null,
  worker text,
  fenced boolean not null default false,
  cancel text,
  result jsonb,
  news boolean not null default false,
  noted_at timestamptz not null default clock_timestamp(),
  claimed_at timestamptz,
  constraint assignment_pkey primary key (attempt_id),
  constraint assignment_reported_by_somebody check (result is null or worker is not null),
  constraint assignment_fenced_had_a_worker check (not fenced or worker is not null)
) with (fillfactor = 75);
create index assignment_waiting on assignment (environment, pool, attempt_id) where worker is null;
create index assignment_news on assignment (run_id) where news;
create index assignment_run on assignment (run_id);
create index assignment_live on assignment (worker) where worker is not null and result is null and not fenced;

-- Of workers: what they prove themselves with, and what they can do.
alter table process add column key_hash text, add column capacity integer, add column queues text[];
`;
