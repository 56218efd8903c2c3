import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tasks wait for the interval before; schedules are paused by failures in a row. */
export class Past1790000000019 implements MigrationInterface {
  name = 'Past1790000000019';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
alter table task_wait drop constraint task_wait_kind_known, add constraint task_wait_kind_known
  check (kind in ('path', 'dataset', 'http', 'run', 'time', 'expr', 'approve', 'call', 'past'));
-- Which run has the interval before, and what is known of the intervals of a range.
create index run_by_interval on run (environment, pipeline, interval_start desc, id desc) where interval_start is not null and not shadow;
-- Which pause is by failures in a row, and why; null: somebody's, or none.
alter table schedule add column paused_reason text;
-- Failures before that do not count.
alter table schedule add column resumed_at timestamptz;
alter table schedule add constraint schedule_paused_for_a_reason check (paused or paused_reason is null);
`;
