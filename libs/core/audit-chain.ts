import { canonicalJson } from './canonical-json.ts';

/*
 * The audit trail as a chain: the hash of each record covers the hash of the one before, so that nothing in it can be
 * changed, removed or put in between without breaking every later record.
 */

/** What was done, before it has its place in the trail. */
export interface AuditEntry {
  /** Who: a token's name, or what Sluice calls itself where nobody asked. */
  readonly actor: string;
  /** What, as `noun.verb`: `token.create`, `run.trigger`, `pointer.move`. */
  readonly action: string;
  /** Null: it belongs to no environment. */
  readonly environment: string | null;
  /** What it was done to: a run's id, a token's name, a release's digest. */
  readonly subject: string;
  /** Before, after, why. Plain JSON without secrets. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface AuditRecord extends AuditEntry {
  /** 1, 2, 3, … without a gap. */
  readonly seq: number;
  /** By the database's clock, in milliseconds. */
  readonly at: string;
  /** Hash of the record before; of the first one `AUDIT_ORIGIN`. */
  readonly previous: string;
  readonly hash: string;
}

/** What stands before the first record. */
export const AUDIT_ORIGIN = '0'.repeat(64);

/** SHA-256 of a text as lower-case hex: core has no crypto of its own. */
export type Sha256 = (text: string) => string;

/** The entry at its place in the trail. */
export function sealEntry(
  entry: AuditEntry,
  before: { readonly seq: number; readonly hash: string },
  at: string,
  sha256: Sha256,
): AuditRecord {
  const placed = { ...entry, seq: before.seq + 1, at, previous: before.hash };
  return { ...placed, hash: sha256(sealedText(placed)) };
}

/** The text that a record's hash is made of: canonical JSON, so that it is the same from any database. */
function sealedText(record: Omit<AuditRecord, 'hash'>): string {
  const { seq, at, actor, action, environment, subject, detail, previous } = record;
  return canonicalJson({ seq, at, actor, action, environment, subject, detail, previous });
}

/** How far a chain holds; to go on with the next page, give it back as `from`. */
export interface ChainEnd {
  readonly seq: number;
  readonly hash: string;
}
export const CHAIN_START: ChainEnd = { seq: 0, hash: AUDIT_ORIGIN };

export type ChainCheck =
  | { readonly whole: true; readonly end: ChainEnd }
  /** `seq`: the first record that is not as it was written, or that is missing. */
  | { readonly whole: false; readonly seq: number; readonly reason: string };

/** Checks records, in order, that follow `from`. */
export function verifyChain(records: readonly AuditRecord[], from: ChainEnd, sha256: Sha256): ChainCheck {
  let end = from;
  for (const record of records) {
    const due = end.seq + 1;
    if (record.seq !== due) return { whole: false, seq: due, reason: `Record ${due} is missing.` };
    if (record.previous !== end.hash)
      return { whole: false, seq: due, reason: `Record ${due} does not follow the record before it.` };
    if (sha256(sealedText(record)) !== record.hash)
      return { whole: false, seq: due, reason: `Record ${due} is not what its hash was made of.` };
    end = { seq: record.seq, hash: record.hash };
  }
  return { whole: true, end };
}
