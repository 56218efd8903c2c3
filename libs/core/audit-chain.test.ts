import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  AUDIT_ORIGIN,
  CHAIN_START,
  sealEntry,
  verifyChain,
  type AuditEntry,
  type AuditRecord,
  type ChainEnd,
} from './audit-chain.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const AT = '2026-01-01T00:00:00.000Z';

function anEntry(subject: string): AuditEntry {
  return { actor: 'ci', action: 'run.trigger', environment: 'dev', subject, detail: { b: 1, a: [1, null, 'ü'] } };
}

function aChain(length: number): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let end: ChainEnd = CHAIN_START; records.length < length; end = records.at(-1) as AuditRecord)
    records.push(sealEntry(anEntry(String(records.length)), end, AT, sha256));
  return records;
}
const check = (records: readonly AuditRecord[], from = CHAIN_START) => verifyChain(records, from, sha256);

describe('a chain of audit records', () => {
  test('begins at one, and every record names the one before', () => {
    const [first, second] = aChain(2);
    expect(first).toMatchObject({ seq: 1, previous: AUDIT_ORIGIN, at: AT, subject: '0' });
    expect(second).toMatchObject({ seq: 2, previous: first?.hash });
  });

  test('holds when it is as it was written, whole or page by page', () => {
    const chain = aChain(5);
    const end = { seq: 5, hash: chain[4]?.hash };
    expect(check(chain)).toEqual({ whole: true, end });
    const half = check(chain.slice(0, 2));
    expect(half.whole && check(chain.slice(2), half.end)).toEqual({ whole: true, end });
    expect(check([])).toEqual({ whole: true, end: CHAIN_START });
  });

  test('holds when a database gives the keys of a detail in another order', () => {
    const chain = aChain(2).map((one) => ({ ...one, detail: { a: [1, null, 'ü'], b: 1 } }));
    expect(check(chain)).toMatchObject({ whole: true });
  });

  const FIELDS: readonly Partial<AuditRecord>[] = [
    { at: '2026-01-01T00:00:00.001Z' },
    { actor: 'me' },
    { action: 'run.cancel' },
    { environment: 'prod' },
    { environment: null },
    { subject: 'x' },
    { detail: { a: [1, null, 'ü'], b: 2 } },
    { detail: {} },
    { hash: 'f'.repeat(64) },
    { previous: 'f'.repeat(64) },
  ];
  test.each(FIELDS)('breaks at the record that was given %j', (changed) => {
    const chain = aChain(5);
    chain[2] = { ...(chain[2] as AuditRecord), ...changed };
    expect(check(chain)).toMatchObject({ whole: false, seq: 3 });
  });

  test('breaks behind a record that was changed and sealed anew', () => {
    const chain = aChain(5);
    chain[2] = sealEntry({ ...anEntry('2'), actor: 'me' }, chain[1] as AuditRecord, AT, sha256);
    expect(check(chain)).toEqual({ whole: false, seq: 4, reason: 'Record 4 does not follow the record before it.' });
  });

  test('breaks where a record is missing, is there twice, or stands elsewhere', () => {
    const [one, two, three, four] = aChain(4) as [AuditRecord, AuditRecord, AuditRecord, AuditRecord];
    expect(check([two, three])).toMatchObject({ whole: false, seq: 1 });
    expect(check([one, three, four])).toEqual({ whole: false, seq: 2, reason: 'Record 2 is missing.' });
    expect(check([one, two, two, three])).toMatchObject({ whole: false, seq: 3 });
    expect(check([one, three, two, four])).toMatchObject({ whole: false, seq: 2 });
  });
});
