import type { Db } from '../statement.ts';

/** An open transaction. What it might still see can be removed from no table, by no vacuum. */
export interface OldestTransaction {
  readonly pid: number;
  readonly application: string;
  readonly user: string;
  /** `active`, `idle in transaction`, … as Postgres says it. */
  readonly state: string;
  /** ISO instant, by the database's clock; with the pid it names one transaction. */
  readonly startedAt: string;
  readonly openMs: number;
}

/**
 * The transaction of this database that is open longest, whoever has it; null: none but ours. An account that is no member of
 * `pg_monitor` sees only its own.
 */
export async function readOldestTransaction(db: Db): Promise<OldestTransaction | null> {
  const [row] = await db.sql<OldestTransaction[]>`
    select pid, application_name as application, usename as user, state, xact_start as "startedAt",
           (extract(epoch from clock_timestamp() - xact_start) * 1000)::float8 as "openMs"
    from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
      and (backend_xmin is not null or backend_xid is not null) and xact_start is not null
    order by xact_start, pid
    limit 1`;
  return row ?? null;
}
