import type { RunState } from '#core';
import type { Db } from '../statement.ts';

export interface StartsRow {
  readonly startedBy: readonly { readonly runId: string; readonly pipeline: string; readonly path: string | null }[];
  readonly event: {
    readonly name: string;
    readonly key: string;
    readonly actor: string;
    readonly at: string;
  } | null;
  readonly started: readonly {
    readonly runId: string;
    readonly pipeline: string;
    readonly state: RunState;
    readonly path: string | null;
  }[];
}

/** What started a run, and what it started: at most 100 of each, oldest first. */
export async function readStarts(db: Db, runId: string): Promise<StartsRow> {
  const [row] = await db.sql<StartsRow[]>`
    select coalesce((
             select jsonb_agg(c) from (
               select k.cause_id::text as "runId", r.pipeline, nullif(k.path, '') as path
               from run_cause k join run r on r.id = k.cause_id
               where k.run_id = ${runId}::bigint order by k.cause_id, k.path limit 100) c
           ), '[]') as "startedBy", (
             select jsonb_build_object('name', e.name, 'key', e.key, 'actor', e.actor,
                                       'at', to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
             from run r join received_event e on e.id = r.event_id
             where r.id = ${runId}::bigint
           ) as event, coalesce((
             select jsonb_agg(s) from (
               select k.run_id::text as "runId", r.pipeline, r.state, nullif(k.path, '') as path
               from run_cause k join run r on r.id = k.run_id
               where k.cause_id = ${runId}::bigint order by k.run_id, k.path limit 100) s
           ), '[]') as started`;
  return row ?? { startedBy: [], event: null, started: [] };
}
