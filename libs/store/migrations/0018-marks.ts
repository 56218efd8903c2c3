import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people say that runs and task runs count as. */
export class Marks1790000000018 implements MigrationInterface {
  name = 'Marks1790000000018';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- Only ever added to: the last one that names a run or task run holds, and what happened stays as it was.
create table run_mark (
  id        bigint generated always as identity primary key,
  run_id    bigint not null,
  -- Null: the run itself.
  task_id   text,
  -- Null: all of the task.
  map_index integer,
  state     text not null constraint run_mark_state_known check (state in ('success', 'failed')),
  reason    text not null constraint run_mark_says_why check (reason <> ''),
  actor     text not null,
  at        timestamptz not null default now(),
  constraint run_mark_names_its_task check (task_id is not null or map_index is null)
);
create index run_mark_of_run on run_mark (run_id, id);
`;
