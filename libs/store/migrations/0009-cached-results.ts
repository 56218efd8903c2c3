import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Results of earlier runs: what a task run saw, and versions that were published again by reference. */
export class CachedResults1790000000009 implements MigrationInterface {
  name = 'CachedResults1790000000009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
alter table run add column no_cache boolean not null default false;

-- What a task run with a cache saw (parts: a digest each; their key), why its result was taken from an earlier run or was
-- not, and the run that executed it.
alter table task_run
  add column cache_key text,
  add column cache jsonb,
  add column cached_from bigint,
  add constraint task_run_cached_has_key check (cached_from is null or cache_key is not null);
create index task_run_by_cache_key on task_run (environment, pipeline, task_id, cache_key, run_id desc) where cache_key is not null;

-- A row is a publication: a version that a later run publishes again has one more, under a number of its own from the
-- sequence of attempts, which orders publications.
alter table path_version
  drop constraint path_version_pkey,
  add constraint path_version_pkey primary key (environment, version, attempt_id);
`;
