import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '#testing';
import { PromotionWorld } from '../../testing/promotion-world.ts';

const PIPELINE = 'name: p\ntasks: { a: { run: "true" } }';
const RELEASES = ['first', 'second', 'third'];

let database: TestDatabase;
let worlds: PromotionWorld[];
let blocker: pg.Client;
beforeEach(async () => {
  database = await createTestDatabase();
  worlds = [await aProcess(), await aProcess()];
  for (const release of RELEASES) await worlds[0]!.promote('dev', release);
  blocker = new pg.Client({ connectionString: database.url });
  await blocker.connect();
});
afterEach(async () => {
  await blocker.end();
  for (const world of worlds) await world.close();
  await database.drop();
});

async function aProcess(): Promise<PromotionWorld> {
  const world = await PromotionWorld.open({ url: database.url });
  for (const release of RELEASES) await world.release(release, PIPELINE);
  return world;
}

/** Holds a lock until so many others wait for one, and lets them go. */
async function letGoTogether<T>(lock: string, waiting: number, work: () => Promise<T>): Promise<T> {
  await blocker.query('begin');
  await blocker.query(lock);
  const done = work();
  for (let count = 0; count < waiting;) {
    // What waits for a row's lock waits for the transaction that has it.
    const { rows } = await blocker.query<{ count: number }>(
      `select count(distinct pid)::int as count from pg_locks l join pg_database d on d.oid = l.database or l.database is null
       where not granted and d.datname = current_database()`,
    );
    count = rows[0]?.count ?? 0;
  }
  await blocker.query('commit');
  return done;
}

test('of two who promote at once, one wins, and the other one’s promotion says what took its place', async () => {
  const [here, there] = worlds as [PromotionWorld, PromotionWorld];
  const ids = await letGoTogether(`select pg_advisory_xact_lock(7305004, hashtext('prod'))`, 2, () =>
    Promise.all([here.ask('prod', 'first'), there.ask('prod', 'second')]),
  );
  await Promise.all([here.settle(), there.settle()]);
  const cases = await Promise.all(ids.map((id) => here.case(id)));
  const ends = cases.map(({ promotion: { release, state, detail } }) => ({ release, state, detail }));
  expect(ends.map(({ state }) => state).sort()).toEqual(['superseded', 'verified']);
  expect(ends.find(({ state }) => state === 'superseded')?.detail).toBe('Superseded by a newer promotion.');
  expect(await here.pointed('prod')).toEqual([ends.find(({ state }) => state === 'verified')?.release]);
});

test('two processes that take on one promotion at once switch it once', async () => {
  const [here, there] = worlds as [PromotionWorld, PromotionWorld];
  const { seq } = (await here.parts.store.currentRelease('prod')) ?? { seq: 0 };
  const id = await here.ask('prod', 'first');
  await here.db.query(`update promotion set state = 'window' where id = $1`, [id]);
  await letGoTogether(`select from promotion where id = ${id} for update`, 2, () =>
    Promise.all([here.settle(), there.settle()]),
  );
  const switches = await here.db.query(`select from audit where action = 'promote.switch' and environment = 'prod'`);
  expect([seq, switches, await here.pointed('prod'), await here.course(id)]).toMatchObject([
    0,
    [{}],
    ['first'],
    /^verified: /,
  ]);
});

test('a plan that somebody overtook is refused', async () => {
  const [here, there] = worlds as [PromotionWorld, PromotionWorld];
  const plan = await here.promotions.plan('prod', { release: 'second' });
  expect(await there.promote('prod', 'first')).toMatch(/^verified/);
  await expect(here.ask('prod', 'second', { planHash: plan.planHash })).rejects.toMatchObject({
    code: 'conflict',
    message: 'The plan is stale: prod or its configuration changed since it was made.',
  });
  expect(await here.pointed('prod')).toEqual(['first']);
  const again = await here.promotions.plan('prod', { release: 'second' });
  expect(await here.promote('prod', 'second', { planHash: again.planHash })).toMatch(/^verified/);
});

test('nobody rolls back what follows something: it would come straight back', async () => {
  const [here] = worlds as [PromotionWorld];
  for (const release of ['first', 'second']) await here.promote('prod', release);
  here.followed = 'prod';
  await expect(here.rollBack()).rejects.toMatchObject({
    code: 'conflict',
    message: 'prod runs what a branch or the working tree holds.',
  });
});
