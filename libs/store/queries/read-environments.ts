import type { EnvironmentConfig, Problem } from '#core';
import type { Db } from '../statement.ts';

export interface EnvironmentRow {
  readonly name: string;
  readonly config: EnvironmentConfig;
  /** Digest of the current release; null: it points at none yet. */
  readonly release: string | null;
  readonly dirty: boolean;
  readonly releasedAt: string | null;
  /** Null: no git remote decides its release. */
  readonly follow: {
    readonly remote: string;
    readonly ref: string;
    readonly commit: string | null;
    readonly at: string | null;
    readonly problem: string | null;
    readonly problems: readonly Problem[];
  } | null;
  /** Null: it is declared by a file. */
  readonly preview: { readonly parent: string; readonly expiresAt: string; readonly closing: boolean } | null;
}

/** Where an environment points, since when and by whose act; null: nowhere yet. */
export async function readPointer(
  db: Db,
  environment: string,
): Promise<{ readonly release: string; readonly at: string; readonly actor: string } | null> {
  const [row] = await db.sql<{ release: string; at: string; actor: string }[]>`
    select release, at, actor from environment_pointer where environment = ${environment} order by seq desc limit 1`;
  return row ?? null;
}

/** All environments as last applied, with the release each points at; by name. Previews that were removed are left out. */
export function readEnvironments(db: Db): Promise<EnvironmentRow[]> {
  return db.sql<EnvironmentRow[]>`
    select c.environment as name, c.content as config, p.release, coalesce(r.dirty, false) as dirty, p.at as "releasedAt",
           case when f.environment is not null then jsonb_build_object('remote', f.remote, 'ref', f.ref, 'commit', f.commit,
             'at', to_char(f.seen_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'problem', f.problem, 'problems', f.problems) end as follow,
           case when v.environment is not null then jsonb_build_object('parent', v.parent, 'closing', v.closing_at is not null,
             'expiresAt', to_char(v.expires_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) end as preview
    from (
      select distinct on (environment) environment, content
      from environment_config
      order by environment, seq desc
    ) c
    left join lateral (
      select release, at
      from environment_pointer
      where environment = c.environment
      order by seq desc
      limit 1
    ) p on true
    left join release r on r.digest = p.release
    left join environment_follow f on f.environment = c.environment
    left join preview v on v.environment = c.environment and v.removed_at is null
    where v.environment is not null or strpos(c.environment, '/') = 0
    order by c.environment`;
}

export interface ConfigurationRow {
  readonly seq: number;
  readonly hash: string;
  readonly content: EnvironmentConfig;
  readonly actor: string;
  readonly at: string;
}

/** Configurations as they were applied, newest first. Index environment_config_pkey. */
export function readConfigurations(db: Db, environment: string, limit: number): Promise<ConfigurationRow[]> {
  return db.sql<ConfigurationRow[]>`
    select seq, hash, content, actor, at from environment_config
    where environment = ${environment}
    order by environment_config.seq desc
    limit ${limit}`;
}
