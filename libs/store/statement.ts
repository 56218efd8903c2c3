import type { DataSource, EntityManager } from 'typeorm';
import type { PoolClient } from 'pg';

/** A data source outside, an entity manager inside a transaction: both have the `sql` tag. */
export type Db = DataSource | EntityManager;

/**
 * A statement that Postgres parses and plans once per connection: for the hot path only, where that saves a third of
 * the time. Everything else uses TypeORM's `sql` tag.
 */
export interface Prepared {
  readonly name: string;
  readonly text: string;
}

/** Runs a prepared statement in the manager's transaction. */
export async function run<Row extends object>(
  manager: EntityManager,
  statement: Prepared,
  values: unknown[],
): Promise<Row[]> {
  const client = (await manager.queryRunner?.connect()) as PoolClient;
  const result = await client.query<Row>({ name: statement.name, text: statement.text, values });
  return result.rows;
}

/** Does `work` in the transaction that `db` is in, or in one of its own. */
export function inTransaction<T>(db: Db, work: (manager: EntityManager) => Promise<T>): Promise<T> {
  return 'queryRunner' in db && db.queryRunner?.isTransactionActive ? work(db) : db.transaction(work);
}
