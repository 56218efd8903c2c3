import type { AuditRecord } from '#core';
import { apiQueries, type Db } from '#store';

/** The newest records of the audit trail, oldest first, and whether all of it holds. */
export async function readTrail(
  { db }: { readonly db: Db },
  limit: number,
): Promise<{ readonly records: readonly AuditRecord[]; readonly whole: boolean }> {
  const records = await apiQueries.readAudit(db, { environments: null, before: null, limit });
  return { records: records.reverse(), whole: (await apiQueries.verifyAudit(db)).whole };
}
