import type { DataSource, EntityManager } from 'typeorm';
import type { PoolClient } from 'pg';

/** A data source outside, an entity manager inside a transaction: both have the `sql` tag. */
export type Db = DataSource | EntityManager;

/** Runs a statement in the manager's transaction without what TypeORM does around each: for the hot path only. Everything else uses TypeORM's `sql` tag. */
export async function run<Row extends object>(manager: EntityManager, text: string, values: unknown[]): Promise<Row[]> {
  const client = (await manager.queryRunner?.connect()) as PoolClient;
  const result = await client.query<Row>(text, values);
  return result.rows;
}

/** Does `work` in the transaction that `db` is in, or in one of its own. */
export function inTransaction<T>(db: Db, work: (manager: EntityManager) => Promise<T>): Promise<T> {
  return 'queryRunner' in db && db.queryRunner?.isTransactionActive ? work(db) : db.transaction(work);
}
