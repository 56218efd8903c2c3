import { inUnits, RESOURCE_NAMES, type Applicant, type Resources, type Room } from '#core';
import type { Db } from '../statement.ts';

/** Something that asks for resources, which its environment limits and the process that owns its run. */
export interface Asking {
  readonly environment: string;
  readonly owner: string;
  readonly resources: Resources | null;
}

/** Names for `admit`: environments and processes are never called the same. */
const environmentOf = ({ environment }: Pick<Asking, 'environment'>): string => `environment ${environment}`;
const processOf = ({ owner }: Pick<Asking, 'owner'>): string => `process ${owner}`;

export function asksOf(row: Asking): Applicant['asks'] {
  const { resources } = row;
  if (resources === null) return [];
  return RESOURCE_NAMES.flatMap((name) => {
    const amount = inUnits(name, resources[name] ?? 0);
    return [environmentOf(row), processOf(row)].map((holder) => ({ of: `${holder} ${name}`, amount }));
  });
}

/** What there is and what live attempts take of it, of every environment and process that these concern. */
export async function readRooms(db: Db, rows: readonly Asking[]): Promise<ReadonlyMap<string, Room>> {
  const asking = rows.filter(({ resources }) => resources !== null);
  const holders = await readHolders(
    db,
    [...new Set(asking.map(({ environment }) => environment))],
    [...new Set(asking.map(({ owner }) => owner))],
  );
  const rooms = new Map<string, Room>();
  for (const { holder, has, used } of holders)
    for (const name of RESOURCE_NAMES) {
      const size = has?.[name];
      if (size === undefined) continue;
      const free = inUnits(name, size) - inUnits(name, Number(used[name] ?? 0));
      rooms.set(`${holder} ${name}`, { free, size: inUnits(name, size) });
    }
  return rooms;
}

interface Holder {
  readonly holder: string;
  /** Null: not limited. */
  readonly has: Resources | null;
  readonly used: Resources;
}

/** Walks `attempt_one_live_per_task_run`. The caller is the only one that admits what asks for resources. */
function readHolders(db: Db, environments: readonly string[], processes: readonly string[]): Promise<Holder[]> {
  return db.sql<Holder[]>`
    with live as (
      select t.environment, a.worker, asked.key, sum(asked.value::numeric * coalesce(a.replicas, 1)) as used
      from attempt a
      join task_run t using (run_id, task_id, map_index)
      cross join jsonb_each_text(t.resources) asked
      where a.state in ('queued', 'running') and t.resources is not null
      group by t.environment, a.worker, asked.key
    ), limits as (
      select 'environment ' || name as holder, (
        select c.content -> 'resources' from environment_config c where c.environment = name order by c.seq desc limit 1
      ) as has
      from unnest(${environments}::text[]) as e (name)
      union all
      select 'process ' || id, resources from process where id = any(${processes}::text[])
    )
    select l.holder, l.has, coalesce((
      select jsonb_object_agg(key, used)
      from (
        select key, sum(used) as used
        from live
        where l.holder in ('environment ' || environment, 'process ' || worker)
        group by key
      ) sums
    ), '{}') as used
    from limits l`;
}
