import type { DataSource } from 'typeorm';
import { ADVISORY_LOCKS } from '../locks.ts';

/**
 * Does `work` unless somebody in the installation is at it; null then. Holds a connection meanwhile: the lock is the
 * session's, and goes with it when this process dies.
 */
export async function withHistoryLock<T>(db: DataSource, work: () => Promise<T>): Promise<T | null> {
  const runner = db.createQueryRunner();
  try {
    const [lock] = (await runner.query('select pg_try_advisory_lock($1::bigint) as got', [ADVISORY_LOCKS.history])) as {
      got: boolean;
    }[];
    if (!lock?.got) return null;
    try {
      return await work();
    } finally {
      await runner.query('select pg_advisory_unlock($1::bigint)', [ADVISORY_LOCKS.history]);
    }
  } finally {
    await runner.release();
  }
}
