import type { Db } from '../statement.ts';

/** A release as screens show it; instants in ISO 8601. */
export interface ReleaseRow {
  readonly digest: string;
  readonly alias: string;
  readonly commit: string | null;
  readonly branch: string | null;
  readonly author: string | null;
  readonly message: string | null;
  readonly dirty: boolean;
  readonly createdAt: string;
  readonly buildUrl: string | null;
  /** Those that point at it now. */
  readonly environments: readonly string[];
}

// Pointers are few, releases shown at once too.
const COLUMNS = `r.digest, r.alias, r.commit, r.branch, r.author, r.message, r.dirty, r.created_at as "createdAt",
  r.build_url as "buildUrl", coalesce((
    select json_agg(environment order by environment)
    from (select distinct on (environment) environment, release from environment_pointer order by environment, seq desc) p
    where p.release = r.digest and (strpos(environment, '/') = 0 or environment in (select environment from preview where removed_at is null))
  ), '[]') as environments`;

/** Releases, newest first, after the release `before` if that is given; `dirty` null: of both kinds. Sorts all releases. */
export function readReleases(
  db: Db,
  filter: { readonly dirty: boolean | null; readonly before: string | null; readonly limit: number },
): Promise<ReleaseRow[]> {
  return db.query(
    `select ${COLUMNS}
     from (
       select *
       from release
       where ($1::boolean is null or dirty = $1)
         and ($2::text is null or (created_at, digest) < (select created_at, digest from release where digest = $2))
       order by created_at desc, digest desc
       limit $3
     ) r
     order by r.created_at desc, r.digest desc`,
    [filter.dirty, filter.before, filter.limit],
  );
}

export function releasesByDigest(db: Db, digests: readonly string[]): Promise<ReleaseRow[]> {
  return db.query(`select ${COLUMNS} from release r where r.digest = any($1::text[])`, [digests]);
}

/** Releases whose digest begins with `ref`, or whose alias it is; newest first, at most ten. */
export function findReleases(db: Db, ref: string): Promise<ReleaseRow[]> {
  return db.query(
    `select ${COLUMNS}
     from (
       select * from release where starts_with(digest, $1) or alias = $1 order by created_at desc, digest desc limit 10
     ) r
     order by r.created_at desc, r.digest desc`,
    [ref],
  );
}
