import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { LiveEvent } from '#contracts';
import { connectDatabase } from '#store';
import { createTestDatabase, type TestDatabase } from '#testing';
import type { DataSource } from 'typeorm';
import { LiveEvents } from './live-events.ts';

let database: TestDatabase;
let db: DataSource;
let events: LiveEvents;
beforeAll(async () => {
  database = await createTestDatabase();
  db = await connectDatabase(database.url, { connections: 4 });
});
beforeEach(async () => {
  await db.query('truncate event');
  events = new LiveEvents(db, (error) => {
    throw error;
  });
  await events.start();
});
afterEach(() => events.stop());
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

const runEvent = (runId: string, environment = 'dev') =>
  ({ kind: 'run', environment, pipeline: 'p', runId, state: 'running' }) as const;

async function insert(event: LiveEvent, to: Pick<DataSource, 'query'> = db): Promise<void> {
  const runId = 'runId' in event ? event.runId : null;
  await to.query('insert into event (environment, run_id, payload) values ($1, $2, $3)', [
    event.environment,
    runId,
    event,
  ]);
}

/** Notes what it is told; `until` waits for so many entries. */
function aListener() {
  const told: { id: string; what: string }[] = [];
  let look = () => undefined as void;
  const note = (id: string, what: string) => {
    told.push({ id, what });
    look();
  };
  return {
    told,
    what: () => told.map((one) => one.what),
    event: (id: string, event: LiveEvent) => note(id, 'runId' in event ? event.runId : event.kind),
    reset: (id: string) => note(id, 'reset'),
    until: (count: number) =>
      new Promise<void>((resolve) => {
        look = () => void (told.length >= count && resolve());
        look();
      }),
  };
}

describe('live events', () => {
  test('reach those who asked for the environment or the run, and nobody else', async () => {
    const [all, one, other] = [aListener(), aListener(), aListener()];
    events.subscribe(['env:dev'], null, all);
    events.subscribe(['run:2'], null, one);
    events.subscribe(['env:prod', 'run:9'], null, other);
    for (const runId of ['1', '2', '3']) await insert(runEvent(runId));
    events.wake();
    await all.until(3);
    expect([all.what(), one.what(), other.what()]).toEqual([['1', '2', '3'], ['2'], []]);
  });

  test('of a board are what stands there and how promotions go, not its runs', async () => {
    const board = aListener();
    events.subscribe(['board:dev'], null, board);
    await insert(runEvent('1'));
    await insert({ kind: 'promotion', environment: 'dev', promotionId: '4', state: 'gates' });
    await insert({ kind: 'release', environment: 'prod', release: 'r' });
    await insert({ kind: 'release', environment: 'dev', release: 'r' });
    await insert({ kind: 'stand', environment: 'dev' });
    events.wake();
    await board.until(3);
    expect(board.what()).toEqual(['promotion', 'release', 'stand']);
  });

  test('come by themselves when nobody gives a hint', async () => {
    const listener = aListener();
    events.subscribe(['env:dev'], null, listener);
    await insert(runEvent('1'));
    await listener.until(1);
  });

  test('a transaction that commits late loses none of its events', async () => {
    const listener = aListener();
    events.subscribe(['env:dev'], null, listener);
    const slow = db.createQueryRunner();
    await slow.startTransaction();
    await insert(runEvent('1'), slow); // takes the lower id, and the lower transaction number
    await insert(runEvent('2'));
    events.wake();
    await new Promise((resolve) => setImmediate(resolve));
    await slow.commitTransaction();
    await slow.release();
    events.wake();
    await listener.until(2);
    expect(listener.what()).toEqual(['1', '2']);
  });

  test('one that began earlier but wrote later is not skipped either', async () => {
    const listener = aListener();
    events.subscribe(['env:dev'], null, listener);
    const early = db.createQueryRunner();
    await early.startTransaction();
    await early.query('select pg_current_xact_id()');
    await insert(runEvent('1'));
    await insert(runEvent('2'), early); // higher id, lower transaction number
    await early.commitTransaction();
    await early.release();
    events.wake();
    await listener.until(2);
    expect([...listener.what()].sort()).toEqual(['1', '2']);
  });

  test('who comes back with the last id it saw gets exactly what it missed', async () => {
    const first = aListener();
    const stop = events.subscribe(['env:dev'], null, first);
    for (const runId of ['1', '2']) await insert(runEvent(runId));
    events.wake();
    await first.until(2);
    stop();
    const stays = aListener();
    events.subscribe(['env:dev'], null, stays);
    for (const runId of ['3', '4']) await insert(runEvent(runId));
    events.wake();
    await stays.until(2);
    const again = aListener();
    events.subscribe(['env:dev'], first.told[1]?.id ?? '', again);
    expect(again.what()).toEqual(['3', '4']);
    const upToDate = aListener();
    events.subscribe(['env:dev'], again.told[1]?.id ?? '', upToDate);
    expect([first.what(), upToDate.what()]).toEqual([['1', '2'], []]);
  });

  test('an id that is too old, from another life or nonsense means a reset, whose id resumes', async () => {
    await insert(runEvent('1'));
    const warm = aListener();
    events.subscribe(['env:dev'], null, warm);
    events.wake();
    await warm.until(1);
    for (const id of ['1-1', 'x', '', '9'.repeat(19), '99999999999999999999-1']) {
      const listener = aListener();
      events.subscribe(['env:dev'], id, listener);
      expect(listener.what()).toEqual(['reset']);
      const resumed = aListener();
      events.subscribe(['env:dev'], listener.told[0]?.id ?? '', resumed);
      expect(resumed.what()).toEqual([]);
    }
  });

  test('progress is told at once and remembered, without a row', async () => {
    const listener = aListener();
    events.subscribe(['run:7'], null, listener);
    const about = { environment: 'dev', pipeline: 'p', runId: '7', taskId: 't', mapIndex: 0 };
    events.tellProgress({ kind: 'progress', ...about, done: 3, total: 10, label: 'loading' });
    expect(listener.what()).toEqual(['7']);
    expect(events.progress('7', 't', 0)).toEqual({ done: 3, total: 10, label: 'loading' });
    expect(events.progress('7', 't', 1)).toBeNull();
    expect(await db.query('select 1 from event')).toEqual([]);
  });

  test('a kind that this program does not know is passed over', async () => {
    const listener = aListener();
    events.subscribe(['env:dev'], null, listener);
    await insert({ kind: 'from-the-future', environment: 'dev' } as never);
    await insert(runEvent('1'));
    events.wake();
    await listener.until(1);
    expect(listener.what()).toEqual(['1']);
  });
});
