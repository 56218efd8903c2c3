import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Task runs ask for processors, memory and graphics processors of the process that executes them. */
export class Resources1790000000020 implements MigrationInterface {
  name = 'Resources1790000000020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- { cpu, memory, gpu }: processors, bytes, devices. Null: it asks for none, or there is no limit.
alter table task_run add column resources jsonb;
alter table process add column resources jsonb;
-- Most systems have none of these at any time.
create index task_run_asking on task_run (environment, pool, priority desc, interval_start, map_index, run_id)
  where state = 'ready' and resources is not null;
`;
