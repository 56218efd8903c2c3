import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which change of a promotion people were told of. */
export class TellOfPromotions1790000000008 implements MigrationInterface {
  name = 'TellOfPromotions1790000000008';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- The change whose alerts the outbox has got: the state, while it waits for approval with the number of decisions so far.
alter table promotion add column told text not null default '';
-- What there was before, nobody wants to hear of now.
update promotion set told = state;
create index promotion_untold on promotion (id) where told <> state;
`;
