import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Promotions of releases between environments, who may do what, and the audit trail. */
export class Promotions1790000000002 implements MigrationInterface {
  name = 'Promotions1790000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- Where a release came from, beyond what git says; never part of its digest.
alter table release add column build_url text;

-- One row for each request to point an environment at a release. \`plan\` holds what was decided when it was requested:
-- gates, approvals, window, verification. A plan is stale once the pointer or the configuration moved on.
create table promotion (
  id           bigint generated always as identity primary key,
  environment  text not null,
  release      text not null references release,
  kind         text not null,
  state        text not null,
  -- Release of the environment when it was planned, and the last verified one; null: none.
  previous     text,
  fallback     text,
  pointer_seq  integer not null,
  config_hash  text not null,
  plan         jsonb not null,
  plan_hash    text not null,
  actor        text not null,
  reason       text,
  build_url    text,
  -- Why it stands where it stands, for people.
  detail       text,
  requested_at timestamptz not null default now(),
  state_at     timestamptz not null default now(),
  switched_at  timestamptz,
  finished_at  timestamptz,
  constraint promotion_kind_known check (kind in ('promote', 'rollback', 'hotfix')),
  constraint promotion_state_known check (state in ('queued', 'gates', 'approval', 'window', 'verifying', 'verified', 'failed',
    'rolled_back', 'rejected', 'expired', 'superseded', 'cancelled')),
  constraint promotion_finished_has_time check ((state in ('queued', 'gates', 'approval', 'window', 'verifying')) = (finished_at is null))
);
create unique index promotion_one_active on promotion (environment) where state in ('gates', 'approval', 'window', 'verifying');
create index promotion_open on promotion (environment, id) where finished_at is null;
create index promotion_of_environment on promotion (environment, id desc);
create index promotion_of_release on promotion (release, environment);

-- Evidence of each gate; the newest look replaces the one before while it is pending.
create table promotion_gate (
  promotion_id bigint not null references promotion,
  position     integer not null,
  kind         text not null,
  name         text not null,
  state        text not null,
  detail       text not null,
  evidence     jsonb not null default '{}',
  checked_at   timestamptz not null default now(),
  primary key (promotion_id, position),
  constraint promotion_gate_state_known check (state in ('pending', 'passed', 'failed', 'inconclusive', 'overridden', 'skipped'))
);

create table promotion_approval (
  promotion_id bigint not null references promotion,
  approver     text not null,
  -- Token that vouches for the approver; null: the approver's own.
  asserted_by  text,
  groups       text[] not null,
  decision     text not null,
  comment      text,
  plan_hash    text not null,
  at           timestamptz not null default now(),
  primary key (promotion_id, approver),
  constraint approval_decision_known check (decision in ('approve', 'reject'))
);

-- Stops promotions of one release to one environment until it is lifted.
create table promotion_hold (
  id          bigint generated always as identity primary key,
  environment text not null,
  release     text not null,
  reason      text not null,
  actor       text not null,
  at          timestamptz not null default now(),
  lifted_at   timestamptz,
  lifted_by   text
);
create unique index promotion_hold_in_force on promotion_hold (environment, release) where lifted_at is null;

-- Nothing is switched in the environment meanwhile, rollbacks apart.
create table promotion_freeze (
  id          bigint generated always as identity primary key,
  environment text not null,
  starts_at   timestamptz not null,
  ends_at     timestamptz not null,
  reason      text not null,
  actor       text not null,
  at          timestamptz not null default now(),
  lifted_at   timestamptz,
  lifted_by   text,
  constraint freeze_has_length check (ends_at > starts_at)
);
create index promotion_freeze_in_force on promotion_freeze (environment, ends_at) where lifted_at is null;

-- Named tokens. \`rights\` is a list of {right, environment}; environment '*' is all of them.
create table token (
  id           bigint generated always as identity primary key,
  name         text not null,
  hash         text not null unique,
  groups       text[] not null default '{}',
  rights       jsonb not null,
  created_by   text not null,
  created_at   timestamptz not null default now(),
  expires_at   timestamptz,
  last_used_at timestamptz,
  revoked_at   timestamptz
);
create unique index token_name on token (name) where revoked_at is null;

-- Append-only; each row's hash covers the row before it.
create table audit (
  seq         bigint primary key,
  at          timestamptz not null,
  actor       text not null,
  action      text not null,
  environment text,
  subject     text not null,
  detail      jsonb not null default '{}',
  previous    text not null,
  hash        text not null
);
create index audit_of_environment on audit (environment, seq desc);

-- Runs that promotions asked for. A shadow run publishes nothing: what it writes can be read by its own tasks only.
alter table run
  add column shadow boolean not null default false,
  add column promotion_id bigint references promotion,
  drop constraint run_trigger_known,
  add constraint run_trigger_known check (trigger in ('schedule', 'manual', 'backfill', 'rerun', 'smoke', 'verification'));
create index run_of_promotion on run (promotion_id) where promotion_id is not null;
create index run_of_release on run (environment, pipeline, release, id desc);
`;
