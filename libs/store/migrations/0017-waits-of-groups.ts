import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Each task run of a task that waits, or calls, may wait by itself. */
export class WaitsOfGroups1790000000017 implements MigrationInterface {
  name = 'WaitsOfGroups1790000000017';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
alter table task_wait add column map_index integer not null default 0;
alter table task_wait drop constraint task_wait_pkey, add primary key (run_id, task_id, map_index);
`;
