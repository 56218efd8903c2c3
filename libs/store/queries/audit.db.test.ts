import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { AuditEntry } from '#core';
import { apiQueries, appendAudit, connectDatabase } from '#store';
import { createTestDatabase, type TestDatabase } from '#testing';

let database: TestDatabase;
let db: DataSource;
beforeAll(async () => {
  database = await createTestDatabase();
  db = await connectDatabase(database.url);
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

/** As somebody does who owns the database and does not mind the triggers. */
async function tamper(sql: string): Promise<void> {
  await db.query(`alter table audit disable trigger all; ${sql}; alter table audit enable trigger all`);
}
beforeEach(() => tamper('truncate audit'));

function anEntry(subject: string, over: Partial<AuditEntry> = {}): AuditEntry {
  return {
    actor: 'ci',
    action: 'run.trigger',
    environment: 'dev',
    subject,
    detail: { why: 'a "test"', n: 1.5 },
    ...over,
  };
}
const several = (count: number) => Array.from({ length: count }, (_, index) => anEntry(String(index)));
const all = () => apiQueries.readAudit(db, { environments: null, before: null, limit: 10_000 });

describe('the audit trail', () => {
  test('numbers what is appended and takes the time from the database', async () => {
    await appendAudit(db, [anEntry('a'), anEntry('b', { environment: null })]);
    await appendAudit(db, []);
    await appendAudit(db, [anEntry('c', { detail: { z: { b: 1, a: [] }, a: undefined } })]);
    const [third, second, first] = await all();
    expect([first?.seq, second?.seq, third?.seq]).toEqual([1, 2, 3]);
    expect(third).toMatchObject({ subject: 'c', detail: { z: { b: 1, a: [] } }, previous: second?.hash });
    const [clock] = await db.query<{ now: string }[]>('select now()');
    expect(Math.abs(Date.parse(first?.at ?? '') - Date.parse(clock?.now ?? ''))).toBeLessThan(60_000);
    expect(await apiQueries.verifyAudit(db)).toEqual({ whole: true, records: 3, hash: third?.hash });
  });

  test('is empty and whole at first', async () => {
    expect(await apiQueries.verifyAudit(db)).toEqual({ whole: true, records: 0, hash: '0'.repeat(64) });
  });

  test('what is undone with its transaction leaves neither a record nor a gap', async () => {
    await appendAudit(db, [anEntry('kept')]);
    const undone = db.transaction(async (manager) => {
      await appendAudit(manager, [anEntry('undone')]);
      throw new Error('undo');
    });
    await expect(undone).rejects.toThrow('undo');
    await appendAudit(db, [anEntry('later')]);
    expect((await all()).map(({ seq, subject }) => [seq, subject])).toEqual([
      [2, 'later'],
      [1, 'kept'],
    ]);
    expect(await apiQueries.verifyAudit(db)).toMatchObject({ whole: true });
  });

  test('many appenders at once keep the chain whole', async () => {
    const other = await connectDatabase(database.url);
    const append = (on: DataSource, count: number) => appendAudit(on, several(count));
    await Promise.all(Array.from({ length: 40 }, (_, index) => append(index % 2 ? db : other, 1 + (index % 3))));
    await other.destroy();
    expect(await apiQueries.verifyAudit(db)).toMatchObject({ whole: true, records: (await all()).length });
  });

  test('a second appender waits for the first one’s commit, and follows it', async () => {
    let second: Promise<void> | undefined;
    await db.transaction(async (manager) => {
      await appendAudit(manager, [anEntry('first')]);
      second = appendAudit(db, [anEntry('second')]);
      for (let waiting = 0; waiting === 0;)
        [{ waiting }] = await manager.query<[{ waiting: number }]>(
          `select count(*)::int as waiting from pg_locks where locktype = 'advisory' and not granted`,
        );
    });
    await second;
    expect((await all()).map(({ subject }) => subject)).toEqual(['second', 'first']);
    expect(await apiQueries.verifyAudit(db)).toMatchObject({ whole: true });
  });

  test('is read in pages, newest first, of the asked environments only', async () => {
    await appendAudit(
      db,
      ['dev', 'prod', null, 'dev'].map((environment, at) => anEntry(String(at), { environment })),
    );
    const read = async (environments: readonly string[] | null, before: string | null) =>
      (await apiQueries.readAudit(db, { environments, before, limit: 2 })).map(({ seq }) => seq);
    expect(await read(null, null)).toEqual([4, 3]);
    expect(await read(null, '3')).toEqual([2, 1]);
    expect(await read(['dev'], null)).toEqual([4, 1]);
    expect(await read(['prod', 'test'], null)).toEqual([2]);
    expect(await read([], null)).toEqual([]);
  });
});

describe('a record that was written', () => {
  test('is neither changed nor removed', async () => {
    await appendAudit(db, [anEntry('a')]);
    for (const sql of [`update audit set actor = 'me'`, 'delete from audit', 'truncate audit'])
      await expect(db.query(sql)).rejects.toThrow('takes new rows only');
    expect(await all()).toHaveLength(1);
  });

  const CHANGES = [
    [`update audit set actor = 'me' where seq = 1500`, 1500],
    [`update audit set detail = detail || '{"n": 2}' where seq = 1001`, 1001],
    [`update audit set at = at - interval '1 day' where seq = 1`, 1],
    [`update audit set environment = null where seq = 2000`, 2000],
    [`delete from audit where seq = 1000`, 1000],
    [`delete from audit where seq <= 10`, 1],
    [`update audit set hash = 'x' where seq = 7`, 7],
  ] as const;
  test('is found when somebody with more power changes it all the same, wherever it stands', async () => {
    for (const [sql, seq] of CHANGES) {
      await tamper('truncate audit');
      await appendAudit(db, several(2100));
      await tamper(sql);
      expect([sql, await apiQueries.verifyAudit(db)]).toEqual([sql, { whole: false, seq, reason: expect.any(String) }]);
    }
  });
});
