import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What tasks wait for, and runs that nobody needs to own while they only wait. */
export class Waits1790000000011 implements MigrationInterface {
  name = 'Waits1790000000011';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- One row for each \`wait\` and \`approve\` task that waits; looked at by whichever process comes first, in batches.
create table task_wait (
  run_id        bigint not null,
  task_id       text not null,
  environment   text not null,
  kind          text not null constraint task_wait_kind_known check (kind in ('path', 'dataset', 'http', 'run', 'time', 'expr', 'approve')),
  -- What is looked at, resolved; holds no secret.
  target        jsonb not null,
  what          text not null,
  -- What is told of when it comes: a hint, the next look finds it anyway.
  subject       text,
  every_ms      bigint not null,
  on_timeout    text not null constraint task_wait_on_timeout_known check (on_timeout in ('fail', 'skip')),
  since         timestamptz not null,
  timeout_at    timestamptz,
  -- Null: nothing but somebody's answer ends it, or it has ended.
  next_check_at timestamptz,
  checked_at    timestamptz,
  detail        text,
  outcome       text constraint task_wait_outcome_known check (outcome in ('met', 'skipped', 'failed')),
  reason        text,
  primary key (run_id, task_id),
  constraint task_wait_ended_says_why check ((outcome is null) = (reason is null)),
  constraint task_wait_ended_is_not_due check (outcome is null or next_check_at is null)
) with (fillfactor = 70);
create index task_wait_due on task_wait (next_check_at) where next_check_at is not null;
create index task_wait_of_subject on task_wait (subject) where subject is not null and outcome is null;
create index task_wait_ended on task_wait (run_id) where outcome is not null;

-- True: all that it has open waits, and no process owns it until something of it is to be done.
alter table run add column parked boolean not null default false;
alter table run add constraint run_parked_is_unowned check (not parked or lease_owner is null);
-- Runs that somebody must own: those that wait in thousands are not among them.
create index run_to_own on run (id) where state = 'running' and not parked;
create index run_parked_timeout on run (timeout_at) where parked;
create index run_queued on run (environment, pipeline) where state = 'queued';
`;
