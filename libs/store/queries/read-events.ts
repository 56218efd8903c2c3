import type { Db } from '../statement.ts';

/** Place in the stream of live events: transaction number and id. Later commits always stand behind what was read. */
export interface EventPosition {
  readonly xid: string;
  readonly id: string;
}

export interface EventRow extends EventPosition {
  readonly environment: string;
  readonly runId: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

/**
 * Events behind `after`, in order, at most `limit`. Only those of transactions older than every one that still runs are
 * told: reading by id alone would skip what commits late. Walks `event_in_order`.
 */
export function readEvents(db: Db, after: EventPosition, limit: number): Promise<EventRow[]> {
  return db.sql<EventRow[]>`
    select e.xid::text, e.id::text, e.environment, e.run_id::text as "runId", e.payload
    from event e
    where (e.xid, e.id) > (${after.xid}::xid8, ${after.id}::bigint) and e.xid < pg_snapshot_xmin(pg_current_snapshot())
    -- Of the table: \`xid\` alone would be the text above, and 10 come before 9.
    order by e.xid, e.id
    limit ${limit}`;
}

/** Where the stream stands now: everything told later is behind it. */
export async function readEventEnd(db: Db): Promise<EventPosition> {
  const [row] = await db.sql<EventPosition[]>`
    select (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1)::text as xid, '9223372036854775807' as id`;
  return row ?? { xid: '0', id: '0' };
}

/** The oldest event kept; what came before it is gone. Null: none is kept. */
export async function readOldestEvent(db: Db): Promise<EventPosition | null> {
  const [row] = await db.sql<EventPosition[]>`select e.xid::text, e.id::text from event e order by e.xid, e.id limit 1`;
  return row ?? null;
}
