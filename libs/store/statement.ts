import type { DataSource, EntityManager } from 'typeorm';
import type { PoolClient } from 'pg';
import { SluiceError } from '#core';

/** A data source outside, an entity manager inside a transaction: both have the `sql` tag. */
export type Db = DataSource | EntityManager;

/** The statements of one transaction, for the hot path only. Everything else uses TypeORM's `sql` tag. */
export interface Pipeline {
  /** In the same transaction; for functions that begin none of their own. */
  readonly manager: EntityManager;
  /** Sends a statement at once, without waiting for the answers to those before it, which come first. */
  run<Row extends object>(text: string, values: unknown[]): Promise<Row[]>;
  /** The same for the last one, with the commit on its heels: what it locks is held for no more than a moment. */
  runLast<Row extends object>(text: string, values: unknown[]): Promise<Row[]>;
}

/**
 * Does `work` in the transaction that `db` is in, or in one of its own, in which statements go out without waiting for each
 * other: https://node-postgres.com/features/pipelining. After an error Postgres refuses whatever else was sent, and the
 * commit with it.
 */
export async function inPipeline<T>(db: Db, work: (pipeline: Pipeline) => Promise<T>): Promise<T> {
  if ('queryRunner' in db && db.queryRunner?.isTransactionActive) {
    const run = statements((await db.queryRunner.connect()) as PoolClient);
    return work({ manager: db, run, runLast: run });
  }
  const runner = ('connection' in db ? db.connection : db).createQueryRunner();
  try {
    const client = (await runner.connect()) as PoolClient;
    const run = statements(client);
    let committing = null as Promise<{ readonly command: string }> | null;
    const commit = (): Promise<{ readonly command: string }> => {
      committing = client.query('commit');
      // Whoever sent the statements before it is told by them.
      committing.catch(() => undefined);
      return committing;
    };
    client.query('begin').catch(() => undefined);
    try {
      const done = await work({
        manager: runner.manager,
        run,
        runLast: (text, values) => {
          const rows = run<never>(text, values);
          void commit();
          return rows;
        },
      });
      const { command } = await (committing ?? commit());
      if (command !== 'COMMIT') throw new SluiceError('internal', `a transaction ended with ${command}`);
      return done;
    } catch (error) {
      if (committing === null) await client.query('rollback').catch(() => undefined);
      throw error;
    }
  } finally {
    await runner.release();
  }
}

function statements(client: PoolClient): Pipeline['run'] {
  return async (text, values) => (await client.query<never>(text, values)).rows;
}

/** Does `work` in the transaction that `db` is in, or in one of its own. */
export function inTransaction<T>(db: Db, work: (manager: EntityManager) => Promise<T>): Promise<T> {
  return 'queryRunner' in db && db.queryRunner?.isTransactionActive ? work(db) : db.transaction(work);
}
