import type { Db } from '../statement.ts';

/** Fewer rows are read from end to end as fast as by an index. */
const FEW = 200;
/** Autovacuum looks after a table once it has grown by a tenth, but once a minute only. */
const GROWN = 4;

/**
 * Brings the planner's statistics up to date for tables that have grown several times since they were made. A plan is kept
 * for as long as its connection: one from when the tables of a new installation were small would read them whole,
 * slower with each run, until autovacuum comes by.
 */
export async function analyzeGrown(db: Db): Promise<void> {
  const grown = await db.sql<{ table: string }[]>`
    select format('%I.%I', s.schemaname, s.relname) as "table"
    from pg_stat_user_tables s
    join pg_class c on c.oid = s.relid
    where s.schemaname = current_schema() and s.n_live_tup > ${FEW}::int and s.n_live_tup > ${GROWN}::int * greatest(c.reltuples, 0)`;
  // Who is at it already, autovacuum or another process, is not waited for.
  for (const { table } of grown) await db.query(`analyze (skip_locked) ${table}`);
}
