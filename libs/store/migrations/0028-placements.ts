import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Attempts for which machines are made: what holds one up. */
export class Placements1790000000028 implements MigrationInterface {
  name = 'Placements1790000000028';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- Why no worker has taken it yet, as whoever makes its machine knows; for people who ask.
alter table assignment add column note text;
`;
