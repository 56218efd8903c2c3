import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Runs that are started by data, by other pipelines' ends and by events from outside. */
export class Triggers1790000000010 implements MigrationInterface {
  name = 'Triggers1790000000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- What the pipelines of an environment's release wait for; made from the release, as the definitions of schedules are.
create table listener (
  environment text not null,
  source      text not null,
  -- Path of the source; '' stands for the end of its runs.
  path        text not null,
  pipeline    text not null,
  primary key (environment, source, path, pipeline)
);

-- What a pipeline waits for and that no run of it was started for yet. Written in the commit of what happened, deleted in
-- the commit of the run that it starts: nothing is lost between the two, and nothing starts two.
create table unseen (
  id             bigint generated always as identity primary key,
  environment    text not null,
  pipeline       text not null,
  source         text not null,
  path           text not null,
  run_id         bigint not null,
  state          text not null,
  interval_start timestamptz,
  interval_end   timestamptz,
  depth          int not null,
  at             timestamptz not null default clock_timestamp(),
  -- True: it was looked at, and more has to happen before a run starts.
  asked          boolean not null default false
);
create index unseen_of_pipeline on unseen (environment, pipeline);
create index unseen_unasked on unseen (environment, pipeline) where not asked;

-- An event as it came. The key is the sender's: the same key is the same event, however often it is sent.
create table received_event (
  id          bigint generated always as identity primary key,
  environment text not null,
  name        text not null,
  key         text not null,
  body_hash   text not null,
  actor       text not null,
  at          timestamptz not null default now(),
  constraint received_event_once unique (environment, name, key)
);

alter table run
  add column depth int not null default 0,
  add column event_id bigint references received_event (id),
  drop constraint run_trigger_known,
  add constraint run_trigger_known
    check (trigger in ('schedule', 'manual', 'backfill', 'rerun', 'smoke', 'verification', 'dataset', 'after', 'event'));
create index run_of_event on run (event_id) where event_id is not null;

-- Which runs started a run: those that published what it waited for, or the one whose end it waited for (path '').
create table run_cause (
  run_id   bigint not null,
  cause_id bigint not null,
  path     text not null,
  primary key (run_id, cause_id, path)
);
create index run_cause_of_cause on run_cause (cause_id);
`;
