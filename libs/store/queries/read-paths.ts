import type { Db } from '../statement.ts';

export interface PointerRow {
  readonly location: string;
  readonly mapKey: string;
  readonly version: string;
  readonly manifestHash: string;
  readonly runId: string;
  readonly publishedAt: string;
}

/**
 * What a path shows now for one interval: the one that holds `at`, or without it the newest. Several rows when a
 * fan-out wrote it; none when nothing was published. Paths without partitions have one "interval" for all.
 */
export function readPointers(
  db: Db,
  environment: string,
  pipeline: string,
  path: string,
  at: string | null,
): Promise<PointerRow[]> {
  return db.sql<PointerRow[]>`
    with wanted as (
      select interval_start, interval_end
      from path_pointer
      where environment = ${environment} and pipeline = ${pipeline} and path = ${path} and version is not null
        and (${at}::timestamptz is null or interval_end is null
             or (interval_start <= ${at}::timestamptz and ${at}::timestamptz < interval_end))
      order by interval_end desc nulls last, published_at desc
      limit 1
    )
    select p.location, p.map_key as "mapKey", p.version, p.manifest_hash as "manifestHash", p.run_id::text as "runId",
           p.published_at as "publishedAt"
    from path_pointer p
    join wanted w on p.interval_start is not distinct from w.interval_start and p.interval_end is not distinct from w.interval_end
    where p.environment = ${environment} and p.pipeline = ${pipeline} and p.path = ${path} and p.version is not null
    order by p.published_at desc, p.location
    limit 1000`;
}
