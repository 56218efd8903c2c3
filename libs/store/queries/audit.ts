import { createHash } from 'node:crypto';
import {
  AUDIT_ORIGIN,
  CHAIN_START,
  sealEntry,
  verifyChain,
  type AuditEntry,
  type AuditRecord,
  type ChainEnd,
} from '#core';
import { ADVISORY_LOCKS } from '../locks.ts';
import { inTransaction, type Db } from '../statement.ts';

const PAGE = 1000;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const COLUMNS = 'seq::float8 as seq, at, actor, action, environment, subject, detail, previous, hash';

/**
 * Adds entries to the trail, in the caller's transaction if `db` is in one. Call it last there: other appenders wait
 * from here until the commit. Takes an advisory lock; three statements.
 */
export async function appendAudit(db: Db, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await inTransaction(db, async (manager) => {
    await manager.sql`select pg_advisory_xact_lock(${ADVISORY_LOCKS.appendAudit}::bigint)`;
    // A statement of its own: its snapshot has to be younger than the lock.
    const [last] = await manager.sql<{ seq: number; hash: string; at: string }[]>`
      select coalesce(max(seq), 0)::float8 as seq, date_trunc('milliseconds', clock_timestamp()) as at,
             coalesce((select hash from audit order by seq desc limit 1), ${AUDIT_ORIGIN}) as hash
      from audit`;
    if (last === undefined) return;
    let end: ChainEnd = last;
    const records: AuditRecord[] = [];
    for (const entry of entries) {
      // Through JSON: what is sealed must be what the database will give back.
      const detail = JSON.parse(JSON.stringify(entry.detail)) as AuditEntry['detail'];
      const record = sealEntry({ ...entry, detail }, end, last.at, sha256);
      records.push(record);
      end = record;
    }
    await manager.sql`
      with appended as (
        insert into audit (seq, at, actor, action, environment, subject, detail, previous, hash)
        select seq, at, actor, action, environment, subject, detail, previous, hash
        from jsonb_to_recordset(${JSON.stringify(records)}::jsonb) as t (seq bigint, at timestamptz, actor text, action text,
             environment text, subject text, detail jsonb, previous text, hash text)
        returning 1
      )
      select count(*) from appended`;
  });
}

/**
 * Records, newest first, before the record `before` if that is given. `environments` null: all; otherwise those of these
 * environments and none that belong to no environment. Index audit_pkey, or audit_of_environment.
 */
export function readAudit(
  db: Db,
  filter: { environments: readonly string[] | null; before: string | null; limit: number },
): Promise<AuditRecord[]> {
  return db.query(
    `select ${COLUMNS}
     from audit
     where ($1::text[] is null or environment = any($1)) and ($2::bigint is null or seq < $2)
     order by audit.seq desc
     limit $3`,
    [filter.environments, filter.before, filter.limit],
  );
}

export type AuditVerdict =
  /** `hash` stands for the whole trail: kept elsewhere, it also shows whether newest records were cut off. */
  | { readonly whole: true; readonly records: number; readonly hash: string }
  | { readonly whole: false; readonly seq: number; readonly reason: string };

/** Reads the trail from its beginning, 1,000 records at a time, and says which is the first that does not hold. */
export async function verifyAudit(db: Db): Promise<AuditVerdict> {
  // One page after the other: each begins where the one before ended.
  for (let end = CHAIN_START; ;) {
    const page = await db.query<AuditRecord[]>(
      `select ${COLUMNS} from audit where seq > $1 order by audit.seq limit ${PAGE}`,
      [end.seq],
    );
    const check = verifyChain(page, end, sha256);
    if (!check.whole) return check;
    if (page.length < PAGE) return { whole: true, records: check.end.seq, hash: check.end.hash };
    end = check.end;
  }
}
