import { afterEach, expect, test } from '@jest/globals';
import { apiQueries } from '#store';
import { FAILURE } from '../../testing/scripted-executor.ts';
import { World } from '../../testing/world.ts';

let world: World;
afterEach(() => world.close());

const pipeline = (more = '') => `
name: p
schedule: { cron: "0 0 * * *", start: 2026-01-01 }
tasks: { a: { run: "true" } }
${more}`;
const wanted = {
  ...{ environment: 'dev', pipeline: 'p', from: '2026-01-01', to: '2026-01-06' },
  reprocess: 'missing',
} as const;

/** The schedule has made the run of the 5th already, and it succeeded. */
async function aWorld(more?: string): Promise<void> {
  world = await World.open({ at: '2026-01-06T12:00:00Z' });
  await world.release(pipeline(more));
  await world.tick();
  await world.endAll();
  world.executor.accepted.length = 0;
}

const days = () => world.executor.accepted.map(({ env }) => env.DS?.slice(8));
const shown = async (id: string | null) => {
  const row = await apiQueries.readBackfill(world.db, id ?? '0');
  return [row?.state, row?.pending, row?.leftOut, row?.runs];
};

test('only so many of its runs exist at once; each end makes the next, in the order wanted, until it is done', async () => {
  await aWorld();
  const { id, items } = await world.backfills.create({ ...wanted, maxActive: 2, order: 'newest_first' }, 'ann');
  expect(items.map(({ action, reason }) => `${action}: ${reason.replace(/\d+/, 'N')}`)).toEqual([
    ...Array<string>(4).fill('create: missing'),
    'skip: exists as run N (success)',
  ]);
  await world.tick();
  expect([days(), await shown(id)]).toEqual([
    ['04', '03'],
    ['running', 2, 1, { running: 2 }],
  ]);
  await world.end('a', FAILURE);
  expect([days(), await shown(id)]).toEqual([
    ['04', '03', '02'],
    ['running', 1, 1, { failed: 1, running: 2 }],
  ]);
  await world.endAll();
  expect([days(), await shown(id)]).toEqual([
    ['04', '03', '02', '01'],
    ['done', 0, 1, { failed: 1, success: 3 }],
  ]);
  const failed = await world.backfills.plan({ ...wanted, reprocess: 'failed' });
  expect(failed.items.map(({ reason }) => reason.replace(/\d+/, 'N'))).toEqual([
    ...Array<string>(3).fill('exists as run N (success)'),
    'failed: run N ended failed',
    'exists as run N (success)',
  ]);
});

test('scheduled runs go first: in the queue of the pipeline, and in the pool though their intervals are younger', async () => {
  world = await World.open({ at: '2026-01-05T12:00:00Z', environment: 'pools: { default: 1 }' });
  await world.release(pipeline());
  const { id } = await world.backfills.create({ ...wanted, to: '2026-01-04', maxActive: 3 }, 'ann');
  await world.tick();
  await world.tick();
  await world.endAll();
  // The first one had the slot before the scheduled run was there.
  expect(days()).toEqual(['01', '04', '02', '03']);
  expect(await shown(id)).toEqual(['done', 0, 0, { success: 3 }]);
});

test('two processes and a kill -9 double nothing; a run made meanwhile leaves its interval out', async () => {
  await aWorld('max_active_runs: 1');
  const { id } = await world.backfills.create(wanted, 'ann');
  await world.process();
  await world.run('p', { at: '2026-01-03' });
  await world.restart();
  for (let look = 0; look < 6; look++) {
    await world.tick();
    await world.endEverywhere();
  }
  expect((await world.runs('p')).sort()).toEqual(
    ['01', '02', '03', '04', '05'].map((day) => `01-${day}T00:00 success`),
  );
  expect(await shown(id)).toEqual(['done', 0, 2, { success: 3 }]);
  expect(world.problems).toEqual([]);
});

test('a paused one begins nothing, not even what is queued; resumed it goes on; cancelled its runs end', async () => {
  await aWorld('max_active_runs: 1');
  const { id } = await world.backfills.create({ ...wanted, maxActive: 2 }, 'ann');
  await world.tick();
  const backfill = id ?? '';
  await world.backfills.pause(backfill, 'ben');
  await world.endAll();
  await world.tick();
  expect([days(), await shown(id)]).toEqual([['01'], ['paused', 2, 1, { success: 1, queued: 1 }]]);
  await expect(world.backfills.pause(backfill, 'ben')).rejects.toThrow(`Backfill ${id} is paused.`);
  await world.backfills.resume(backfill, 'ben');
  await world.tick();
  expect(await shown(id)).toEqual(['running', 1, 1, { success: 1, running: 1, queued: 1 }]);
  await world.backfills.cancel(backfill, 'cyn');
  await world.tick();
  await world.endAll();
  expect(await shown(id)).toEqual(['cancelled', 1, 1, { success: 1, cancelled: 2 }]);
});

test('without a release of its own it follows the environment, and pauses when its pipeline is gone', async () => {
  await aWorld();
  const { id } = await world.backfills.create({ ...wanted, maxActive: 1 }, 'ann');
  await world.release(pipeline('description: newer'));
  await world.tick();
  await world.endAll();
  const releases = await world.db.query<{ release: string }[]>(
    'select release from run where trigger = $1 order by id',
    ['backfill'],
  );
  expect(releases.map(({ release }) => release)).toEqual(['r1', 'r2', 'r2', 'r2']);
  const stale = await world.backfills.plan({ ...wanted, reprocess: 'stale' });
  expect(stale.items.map(({ action }) => action)).toEqual(['create', 'skip', 'skip', 'skip', 'create']);
  expect(await shown(id)).toEqual(['done', 0, 1, { success: 4 }]);
  const next = await world.backfills.create({ ...wanted, reprocess: 'all', maxActive: 1 }, 'ann');
  await world.release(`{ name: q, tasks: { a: { run: "true" } } }`);
  await world.tick();
  await world.endAll();
  const row = await apiQueries.readBackfill(world.db, next.id ?? '0');
  expect([row?.state, row?.reason]).toEqual(['paused', 'Environment "dev" has no pipeline "p".']);
});

test('a range in which no interval begins comes to nothing, and says which begin around it', async () => {
  await aWorld();
  const around = async (from: string, to: string) => {
    const { id, items, nothing } = await world.backfills.create({ ...wanted, from, to }, 'ann');
    return [id, items, nothing?.replace(/^.*: /, '')];
  };
  expect(await around('2026-01-03T06:00:00Z', '2026-01-03T18:00:00Z')).toEqual([
    ...[null, []],
    'the one before begins at 2026-01-03T00:00:00.000Z, the next one begins at 2026-01-04T00:00:00.000Z.',
  ]);
  expect(await around('2025-12-01', '2025-12-31')).toEqual([
    ...[null, []],
    'its first one begins at 2026-01-01T00:00:00.000Z.',
  ]);
  await world.release(pipeline().replace('2026-01-01', '2026-01-01, end: 2026-01-03'));
  expect(await around('2026-02-01', '2026-03-01')).toEqual([
    ...[null, []],
    'its last one begins at 2026-01-03T00:00:00.000Z.',
  ]);
  const { nothing } = await world.backfills.plan({ ...wanted, from: '2026-02-01', to: '2026-03-01' });
  expect(nothing).toMatch(
    /^No interval of "p" begins from 2026-02-01T00:00:00.000Z on and before 2026-03-01T00:00:00.000Z: /,
  );
  const noted = 'select from backfill union all select from audit where action = $1';
  expect(await world.db.query(noted, ['backfill.create'])).toEqual([]);
});
