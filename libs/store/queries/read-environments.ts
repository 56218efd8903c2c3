import type { EnvironmentConfig } from '#core';
import type { Db } from '../statement.ts';

export interface EnvironmentRow {
  readonly name: string;
  readonly config: EnvironmentConfig;
  /** Digest of the current release; null: it points at none yet. */
  readonly release: string | null;
  readonly dirty: boolean;
  readonly releasedAt: string | null;
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

/** All environments as last applied, with the release each points at; by name. */
export function readEnvironments(db: Db): Promise<EnvironmentRow[]> {
  return db.sql<EnvironmentRow[]>`
    select c.environment as name, c.content as config, p.release, coalesce(r.dirty, false) as dirty, p.at as "releasedAt"
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
    order by c.environment`;
}
