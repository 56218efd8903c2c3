import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a rolled-back release published is shown nowhere: pointers move back, or show nothing. */
export class RolledBackData1790000000007 implements MigrationInterface {
  name = 'RolledBackData1790000000007';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- When a rollback took back what the run published; what it still publishes is shown to nobody.
alter table run add column withdrawn_at timestamptz;

-- The fence rises with every move of the pointer, so that storage follows it back to an older version too. A pointer whose
-- version is null shows nothing; its row stays, so that the fence goes on rising.
alter table path_pointer
  add column fence bigint not null default 0,
  alter column version drop not null,
  alter column manifest_hash drop not null,
  alter column run_id drop not null,
  alter column attempt_id drop not null,
  add constraint path_pointer_shows_whole_version_or_nothing
    check (num_nulls(version, manifest_hash, run_id, attempt_id) in (0, 4));
update path_pointer set fence = attempt_id;

-- The version that a location showed before.
create index path_version_of_location on path_version (environment, location, attempt_id desc);
`;
