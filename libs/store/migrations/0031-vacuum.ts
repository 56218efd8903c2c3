import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Dead rows are removed by how many there are, not by which part they are of a table that grows with history. */
export class Vacuum1790000000031 implements MigrationInterface {
  name = 'Vacuum1790000000031';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
alter table run set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
alter table task_run set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
alter table attempt set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
`;
