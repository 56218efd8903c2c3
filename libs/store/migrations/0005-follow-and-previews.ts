import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Environments whose release a git remote decides, and environments that end by themselves. */
export class FollowAndPreviews1790000000005 implements MigrationInterface {
  name = 'FollowAndPreviews1790000000005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SQL);
  }

  async down(): Promise<void> {
    throw new Error('Migrations are not reversed: restore a backup instead.');
  }
}

const SQL = `
-- The remote that decides an environment's release; no row: something else does.
create table environment_follow (
  environment text primary key,
  remote      text not null,
  ref         text not null,
  actor       text not null,
  since       timestamptz not null default now(),
  -- Newest commit that was looked at, when that was noted, and the release it is; a problem when it is none.
  commit      text,
  seen_at     timestamptz,
  release     text references release,
  problem     text,
  problems    jsonb not null default '[]',
  -- Somebody asks to look now rather than at the next turn.
  asked_at    timestamptz,
  -- Commit and state that the git host was told last.
  told        text,
  constraint follow_release_has_commit check (release is null or commit is not null)
);

-- An environment beside its parent, from its creation to the removal of its data.
create table preview (
  id          bigint generated always as identity primary key,
  environment text not null,
  parent      text not null,
  storage     text not null,
  actor       text not null,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz not null,
  -- Nothing starts any more; what runs is cancelled, then the data goes.
  closing_at  timestamptz,
  closed_by   text,
  removed_at  timestamptz,
  constraint preview_within_parent check (starts_with(environment, parent || '/')),
  constraint preview_closes_before_removal check (removed_at is null or closing_at is not null)
);
create unique index preview_open on preview (environment) where removed_at is null;
`;
