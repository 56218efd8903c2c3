import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Attempts that several processes execute together, which are admitted together. */
export class Replicas1790000000029 implements MigrationInterface {
  name = 'Replicas1790000000029';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- { min, max }: how many times it asks for its slots and resources at once. Null: once.
alter table task_run add column replicas jsonb;
-- How many there was room for. Null: its task has none.
alter table attempt add column replicas integer constraint attempt_has_replicas check (replicas > 0);
`;
