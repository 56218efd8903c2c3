import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which process asks a followed remote, so that several schedulers do not ask it together. */
export class OneLooksAtARemote1790000000006 implements MigrationInterface {
  name = 'OneLooksAtARemote1790000000006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
alter table environment_follow
  add column looker     text,
  add column look_until timestamptz,
  add constraint follow_look_ends check ((looker is null) = (look_until is null));
`;
