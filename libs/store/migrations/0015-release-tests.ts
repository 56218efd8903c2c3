import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What `sluice test` came to on the files of a release. */
export class ReleaseTests1790000000015 implements MigrationInterface {
  name = 'ReleaseTests1790000000015';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- Append-only; the newest counts. junit: SHA-256 of the report.
create table release_test (
  id bigint generated always as identity primary key,
  release text not null references release (digest) on delete cascade,
  passed integer not null,
  failed integer not null,
  seconds double precision not null,
  junit text not null,
  build_url text,
  actor text not null,
  at timestamptz not null default now(),
  constraint release_test_counts check (passed >= 0 and failed >= 0)
);
create index release_test_of_release on release_test (release, id desc);
`;
