import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { AlertInsert, EngineStore } from '#core';
import { connectDatabase, createStore } from '#store';
import { createTestDatabase, type TestDatabase } from '#testing';

let database: TestDatabase;
let db: DataSource;
let store: EngineStore;
beforeAll(async () => {
  database = await createTestDatabase();
  db = await connectDatabase(database.url);
  store = createStore(db);
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});
beforeEach(() => db.query('truncate alert_delivery'));

const AN_ALERT = {
  environment: 'dev',
  pipeline: 'p',
  runId: '1',
  event: 'run.failed',
  target: 'slack:#a',
  message: {} as AlertInsert['message'],
  state: 'pending',
  detail: null,
} satisfies AlertInsert;
const SENT = { state: 'sent', thread: 't1', detail: 'posted', retryInMs: null } as const;
const AGAIN = { state: 'pending', thread: null, detail: 'no answer', retryInMs: 0 } as const;

async function oneTaken(): Promise<string> {
  const [id = ''] = await store.insertAlerts([AN_ALERT]);
  expect(await store.takeAlerts(10)).toMatchObject([{ id, tries: 1, inDoubt: false }]);
  return id;
}

/** The minute of a claim, passed. */
const claimRunsOut = () => db.query(`update alert_delivery set next_try_at = now() where state = 'pending'`);

describe('what a send came to', () => {
  test('a try that got no answer may have arrived: the next one is told so', async () => {
    const id = await oneTaken();
    await store.recordAlert(id, AGAIN);
    expect(await store.takeAlerts(10)).toMatchObject([{ id, tries: 2, inDoubt: true }]);
  });

  test('so is the next one after a sender that died with the alert in hand', async () => {
    const id = await oneTaken();
    expect(await store.takeAlerts(10)).toEqual([]);
    await claimRunsOut();
    expect(await store.takeAlerts(10)).toMatchObject([{ id, tries: 2, inDoubt: true }]);
  });

  test('a sender that is known to be dead has no claim, unless another process lives that may be sending', async () => {
    const id = await oneTaken();
    const other = { id: 'other', kind: 'scheduler', host: 'elsewhere', pid: 1, ttlMs: 60_000 };
    await store.heartbeat(other);
    await store.retireHost('here');
    expect(await store.takeAlerts(10)).toEqual([]);
    await store.retire(other.id);
    await store.retireHost('here');
    expect(await store.takeAlerts(10)).toMatchObject([{ id, inDoubt: true }]);
  });

  test('a sender slower than its claim does not take back what another one sent, nor tell it twice', async () => {
    const id = await oneTaken();
    await claimRunsOut();
    await store.takeAlerts(10);
    await store.recordAlert(id, SENT);
    await store.recordAlert(id, AGAIN);
    await store.recordAlert(id, { ...SENT, thread: 't2' });
    expect(await store.takeAlerts(10)).toEqual([]);
    expect(await db.query('select state, in_doubt, thread, detail from alert_delivery')).toEqual([
      { state: 'sent', in_doubt: false, thread: 't1', detail: 'posted' },
    ]);
    expect(await db.query(`select count(*)::int as told from event where payload->>'deliveryId' = $1`, [id])).toEqual([
      { told: 1 },
    ]);
  });
});
