import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Builds that wait for promotions. */
export class PromotionInputs1790000000013 implements MigrationInterface {
  name = 'PromotionInputs1790000000013';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- An \`input\` at which a build of Jenkins waits until a promotion is decided on.
create table promotion_input (
  build_url    text not null,
  input        text not null,
  promotion_id bigint not null references promotion,
  asked_at     timestamptz not null default now(),
  -- When the build was looked at last.
  looked_at    timestamptz not null default now(),
  -- What became of it; null: it waits.
  outcome      text,
  primary key (build_url, input),
  constraint promotion_input_outcome_known check (outcome in ('proceed', 'abort', 'answered_there', 'ended'))
);
create index promotion_input_waits on promotion_input (promotion_id) where outcome is null;

create index promotion_gate_elsewhere on promotion_gate (promotion_id) where kind = 'installation' and state = 'pending';
`;
