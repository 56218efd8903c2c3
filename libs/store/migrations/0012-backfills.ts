import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Backfills as plans that the scheduler works off. */
export class Backfills1790000000012 implements MigrationInterface {
  name = 'Backfills1790000000012';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
create table backfill (
  id          bigint generated always as identity primary key,
  environment text not null,
  pipeline    text not null,
  -- Null: each run takes the release that the environment points at when the run is created.
  release     text references release,
  range_start timestamptz not null,
  range_end   timestamptz not null,
  reprocess   text not null constraint backfill_reprocess_known check (reprocess in ('missing', 'failed', 'stale', 'all')),
  run_order   text not null constraint backfill_order_known check (run_order in ('oldest_first', 'newest_first')),
  -- Runs of it that may be queued or running at once.
  max_active  integer not null constraint backfill_goes_on check (max_active > 0),
  state       text not null default 'running'
              constraint backfill_state_known check (state in ('running', 'paused', 'done', 'cancelled')),
  -- Why it is in this state, unless that goes without saying.
  reason      text,
  actor       text not null,
  created_at  timestamptz not null default now(),
  finished_at timestamptz,
  constraint backfill_finished_has_time check ((state in ('running', 'paused')) = (finished_at is null)),
  constraint backfill_range_forward check (range_start < range_end)
);
create index backfill_running on backfill (id) where state = 'running';
create index backfill_of_environment on backfill (environment, id desc);

alter table run add column backfill_id bigint references backfill;

-- Every interval of the range, in the order in which its run comes.
create table backfill_interval (
  backfill_id    bigint not null references backfill,
  position       integer not null,
  interval_start timestamptz not null,
  interval_end   timestamptz not null,
  state          text not null
                 constraint backfill_interval_state_known check (state in ('pending', 'created', 'left_out')),
  -- Why it is in or out: as planned, and when its turn came as it was then.
  reason         text not null,
  run_id         bigint references run,
  primary key (backfill_id, position),
  constraint backfill_interval_created_has_run check ((state = 'created') = (run_id is not null))
);
create index backfill_interval_pending on backfill_interval (backfill_id, position) where state = 'pending';
`;
