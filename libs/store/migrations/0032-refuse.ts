import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A statement can end its transaction before those behind it do anything, so that they need not wait for its answer. */
export class Refuse1790000000032 implements MigrationInterface {
  name = 'Refuse1790000000032';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
create function refuse(why text, rows jsonb) returns void language plpgsql as $$
begin
  raise exception '%', why using errcode = 'SL001', detail = rows::text;
end $$;
`;
