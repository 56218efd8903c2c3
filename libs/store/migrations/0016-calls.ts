import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Tasks that call another pipeline wait for its run. */
export class Calls1790000000016 implements MigrationInterface {
  name = 'Calls1790000000016';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
alter table task_wait drop constraint task_wait_kind_known, add constraint task_wait_kind_known
  check (kind in ('path', 'dataset', 'http', 'run', 'time', 'expr', 'approve', 'call'));
alter table run drop constraint run_trigger_known, add constraint run_trigger_known
  check (trigger in ('schedule', 'manual', 'backfill', 'rerun', 'smoke', 'verification', 'dataset', 'after', 'event', 'call'));
`;
