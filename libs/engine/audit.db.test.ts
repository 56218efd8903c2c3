import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { apiQueries } from '#store';
import { World } from '../testing/world.ts';

// What people ask of the engine stands in the audit trail, or did not happen.

let world: World;
beforeEach(async () => {
  world = await World.open({ at: '2026-01-04T12:00:00Z' });
  await world.release(`{ name: p, schedule: "@daily", tasks: { a: { run: "true" } } }`);
});
afterEach(() => world.close());

const trail = async () =>
  (await apiQueries.readAudit(world.db, { environments: null, before: null, limit: 100 })).reverse();
const since = async (count: number) => (await trail()).slice(count);

test('triggers, cancels, reruns, backfills and pauses name who asked', async () => {
  const before = (await trail()).length;
  const { commands } = world;
  await world.tick();
  const run = await commands.trigger({ pipeline: 'p', environment: 'dev', params: {}, actor: 'ann' });
  await commands.cancel(run, 'ben');
  const rerun = await commands.rerun(run, { mode: 'all', release: 'same', actor: 'cyn' });
  await commands.setPaused('dev', 'p', true, 'dan');
  await commands.setPaused('dev', 'p', false, 'dan');
  const range = { pipeline: 'p', environment: 'dev', from: '2026-01-01', to: '2026-01-03', reprocess: 'all' as const };
  await world.backfills.plan(range);
  const { id } = await world.backfills.create(range, 'eve');
  await world.backfills.cancel(id ?? '', 'eve');
  const records = await since(before);
  expect(records.map(({ actor, action, environment, subject }) => [actor, action, environment, subject])).toEqual([
    ['ann', 'run.trigger', 'dev', run],
    ['ben', 'run.cancel', 'dev', run],
    ['cyn', 'run.rerun', 'dev', rerun],
    ['dan', 'pipeline.pause', 'dev', 'p'],
    ['dan', 'pipeline.unpause', 'dev', 'p'],
    ['eve', 'backfill.create', 'dev', `backfill ${id}`],
    ['eve', 'backfill.cancel', 'dev', `backfill ${id}`],
  ]);
  expect(records[2]?.detail).toMatchObject({ originRun: run });
  expect(records[5]?.detail).toMatchObject({ pipeline: 'p', from: '2026-01-01', reprocess: 'all', runs: 2 });
  expect(await apiQueries.verifyAudit(world.db)).toMatchObject({ whole: true });
});

test('moves of the pointer and changes of the configuration stand there, repetitions do not', async () => {
  const config = { name: 'dev' };
  await world.store.applyEnvironment('dev', 'e1', config, 'test', {});
  const before = (await trail()).length;
  await world.store.applyEnvironment('dev', 'e2', config, 'a commit', { default: 3 });
  await world.store.applyEnvironment('dev', 'e2', config, 'a commit', { default: 4 });
  const now = await world.store.currentRelease('dev');
  const release = { alias: 'x', commit: 'c0ffee', branch: null, author: null, message: null, dirty: false };
  const point = (seq: number) => world.store.pointAt('dev', { ...release, digest: 'd9' }, seq, 'ann');
  expect([await point(now?.seq ?? 0), await point(now?.seq ?? 0)]).toEqual([true, false]);
  expect(
    (await since(before)).map(({ actor, action, subject, detail }) => ({ actor, action, subject, detail })),
  ).toEqual([
    { actor: 'a commit', action: 'environment.apply', subject: 'dev', detail: { from: 'e1', to: 'e2' } },
    {
      actor: 'ann',
      action: 'pointer.move',
      subject: 'd9',
      detail: { from: now?.release, to: 'd9', commit: 'c0ffee', dirty: false },
    },
  ]);
});

test('a run that cannot be noted is not created', async () => {
  const run = { pipeline: 'p', environment: 'dev', params: {} };
  await world.db.query('alter table audit add constraint nobody check (seq < 0) not valid');
  await expect(world.commands.trigger({ ...run, actor: 'ann' })).rejects.toThrow('nobody');
  expect(await world.db.query('select id from run')).toEqual([]);
});
