import { afterEach, describe, expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import type { EngineStore, InputBinding, PublishedVersion } from '#core';
import { SUCCESS } from '../testing/scripted-executor.ts';
import { World } from '../testing/world.ts';

let world: World;
afterEach(() => world.close());

/** Ends an attempt well; what it writes is published as a new version. */
async function publish(name: string): Promise<void> {
  const { writes, attemptId } = world.executor.find(name);
  const versions = writes.map((write): PublishedVersion => ({
    name: write.name,
    location: write.location,
    version: `v${attemptId}`,
    manifestHash: 'm',
    files: 1,
    bytes: 1,
  }));
  await world.end(name, SUCCESS, { versions });
  await world.wait(50);
}

function links(inputs: readonly InputBinding[]): string[] {
  return inputs.flatMap((input) => input.versions.map((version) => version.link ?? version.location));
}

const ingest = `
name: ingest
schedule: { cron: "0 0 * * *", start: 2026-01-01, catchup: true }
max_active_runs: 1
paths: { raw: { at: raw, partition: ds } }
tasks: { fetch: { run: "true", writes: [raw] } }`;

describe('windows of partitions', () => {
  const weekly = (missing: string): string => `
name: features
schedule: { cron: "0 0 * * *", start: 2026-01-03, end: 2026-01-03, catchup: true }
tasks: { build: { run: "true", reads: [{ path: ingest.raw, last: 3d, missing: ${missing} }] } }`;

  test('a task waits, holding nothing, until the last partition that it reads is there', async () => {
    world = await World.open({ at: '2026-01-04T00:00:00Z' });
    await world.release(ingest, weekly('wait'));
    await world.tick();
    expect(world.executor.names()).toEqual(['fetch']);
    const [row] = await world.db.query<{ state: string; reason: string }[]>(
      `select state, reason from task_run where task_id = 'build'`,
    );
    expect(row).toEqual({
      state: 'waiting',
      reason: '3 partitions of ingest.raw not published yet, the first for 2026-01-01T00:00:00.000Z',
    });
    await publish('fetch');
    await publish('fetch');
    expect(world.executor.names()).toEqual(['fetch']);
    await publish('fetch');
    expect(world.executor.names()).toEqual(['build']);
    expect(links(world.executor.find('build').reads)).toEqual(['ds=2026-01-01', 'ds=2026-01-02', 'ds=2026-01-03']);
    await world.endAll();
    expect(await world.runs('features')).toEqual(['01-03T00:00 success']);
  });

  test('missing: ok takes what is there, missing: fail fails at once', async () => {
    world = await World.open({ at: '2026-01-04T00:00:00Z' });
    await world.release(ingest, weekly('ok'), weekly('fail').replace('features', 'strict'));
    await world.tick();
    expect(world.executor.find('build').reads).toEqual([{ name: 'raw', variable: 'PATH_RAW', versions: [] }]);
    expect(await world.runs('strict')).toEqual(['01-03T00:00 failed']);
  });

  test('inputs stay the same over retries, although newer versions were published meanwhile', async () => {
    world = await World.open({ at: '2026-01-04T00:00:00Z' });
    await world.release(ingest, weekly('wait').replace('run: "true",', 'run: "true", retries: { max: 1, delay: 1s },'));
    await world.tick();
    for (let day = 0; day < 3; day++) await publish('fetch');
    const before = world.executor.find('build').reads;
    await world.run('ingest', { at: '2026-01-02T00:00:00Z' });
    await publish('fetch');
    await world.end('build', { kind: 'failed', exitCode: 1, message: 'exit code 1' });
    await world.wait(2000);
    expect(world.executor.find('build').number).toBe(2);
    expect(world.executor.find('build').reads).toEqual(before);
  });
});

test('a read of another pipeline takes the newest version whose interval ends by its own end', async () => {
  world = await World.open({ at: '2026-01-04T00:00:00Z' });
  const reader = (name: string, day: string) => `
name: ${name}
schedule: { cron: "0 0 * * *", start: ${day}, end: ${day}, catchup: true }
tasks: { use: { run: "true", reads: [ingest.raw] } }`;
  await world.release(ingest, reader('early', '2026-01-02'), reader('late', '2026-01-03'));
  await world.tick();
  await publish('fetch');
  await publish('fetch');
  await publish('fetch');
  // Both waited for the first version of all; no later one leaks into the earlier interval.
  const taken = world.executor.accepted.filter(({ taskId }) => taskId === 'use');
  expect(Object.fromEntries(taken.map((each) => [each.pipeline, links(each.reads)]))).toEqual({
    early: ['ingest/raw/ds=2026-01-01'],
    late: ['ingest/raw/ds=2026-01-01'],
  });
  const id = await world.run('late', { at: '2026-01-03T00:00:00Z' });
  expect(links(world.executor.accepted.find(({ runId }) => runId === id)!.reads)).toEqual(['ingest/raw/ds=2026-01-03']);
  const early = await world.run('early', { at: '2026-01-02T00:00:00Z' });
  expect(links(world.executor.accepted.find(({ runId }) => runId === early)!.reads)).toEqual([
    'ingest/raw/ds=2026-01-02',
  ]);
});

describe('answers of the database for tasks that read', () => {
  /** The versions of "late" are found once `answer` was called. */
  function answering(): { around: (store: EngineStore) => EngineStore; answer: () => void; early: Promise<void> } {
    let answer: () => void = () => undefined;
    const late = new Promise<void>((resolve) => (answer = resolve));
    let foundEarly: () => void = () => undefined;
    const early = new Promise<void>((resolve) => (foundEarly = resolve));
    const around = (store: EngineStore): EngineStore =>
      new Proxy(store, {
        get(target, name: keyof EngineStore) {
          if (name !== 'newestVersions') return target[name].bind(target);
          return async (...asked: Parameters<EngineStore['newestVersions']>) => {
            if (asked[2] === 'late') await late;
            const found = await target.newestVersions(...asked);
            if (asked[2] === 'early') foundEarly();
            return found;
          };
        },
      });
    return { around, answer, early };
  }

  const reader = `
name: p
tasks:
  one: { run: "true", reads: [{ path: source.late, missing: ok }] }
  other: { run: "true", reads: [{ path: source.early, missing: ok }] }`;
  const source = `
name: source
paths: { early: early, late: late }
tasks: { write: { run: "true", writes: [early, late] } }`;

  test('in another order: they begin in that of the file all the same', async () => {
    const { around, answer, early } = answering();
    world = await World.open({ around });
    await world.release(reader, source);
    void early.then(() => turn()).then(answer);
    await world.run('p');
    expect(world.executor.names()).toEqual(['one', 'other']);
  });

  test('of which one does not come: the other task begins without it', async () => {
    const { around, answer } = answering();
    world = await World.open({ around });
    await world.release(reader, source);
    await world.commands.trigger({ pipeline: 'p', environment: 'dev', params: {}, actor: 'ann' });
    await world.scheduler.tick();
    while (world.executor.accepted.length === 0) {
      await turn();
      await world.clock.moveTo(world.clock.now().getTime() + 25, () => turn());
    }
    expect(world.executor.names()).toEqual(['other']);
    answer();
    await world.settle();
    expect(world.executor.names()).toEqual(['other', 'one']);
  });
});

test('a task that waits for data is released after a restart, too', async () => {
  world = await World.open({ at: '2026-01-02T00:00:00Z' });
  await world.release(
    ingest,
    `
name: reader
tasks: { use: { run: "true", reads: [ingest.raw] } }`,
  );
  const id = await world.run('reader');
  expect(await world.tasks(id)).toEqual({ use: 'waiting' });
  const next = await world.restart();
  expect(next.executor.names()).toEqual(['fetch']);
  await publish('fetch');
  expect(world.executor.names()).toEqual(['use']);
});

test('a run that waits for data that never comes can be cancelled', async () => {
  world = await World.open({});
  await world.release(
    ingest,
    `
name: reader
tasks: { read: { run: "true", reads: [ingest.raw] } }`,
  );
  const id = await world.run('reader');
  expect(await world.runs('reader')).toEqual(['manual running']);
  await world.commands.cancel(id, 'ann');
  await world.tick();
  expect(await world.runs('reader')).toEqual(['manual cancelled']);
});

describe('data of another environment', () => {
  const reader = (missing: string): string => `
name: reader
tasks:
  own: { run: "true", reads: [{ path: ingest.raw, missing: ok }] }
  granted: { run: "true", reads: [{ path: ingest.features, missing: ${missing} }] }`;
  const publisher = `
name: ingest
paths: { raw: raw, features: features }
tasks: { fetch: { run: "true", writes: [raw, features] } }`;
  const publishIn = (environment: string): Promise<unknown> =>
    world.db.query(
      `insert into path_pointer (environment, location, pipeline, path, map_key, version, manifest_hash, run_id, attempt_id)
       select $1, 'ingest/' || path, 'ingest', path, '', path || '-of-' || $1, 'm', 1, 1 from unnest(array['raw', 'features']) path`,
      [environment],
    );
  const versionsOf = (task: string) => world.executor.find(task).reads.flatMap(({ versions }) => versions);

  test('is read where a grant names it, and only what it names', async () => {
    world = await World.open({ environment: 'grants: [{ read: prod, paths: [ingest.features] }]' });
    await world.release(publisher, reader('wait'));
    await publishIn('dev');
    await publishIn('prod');
    await world.run('reader');
    expect(versionsOf('own')).toEqual([
      { link: null, location: 'ingest/raw', version: 'raw-of-dev', manifestHash: 'm' },
    ]);
    expect(versionsOf('granted')).toEqual([
      { link: null, location: 'ingest/features', version: 'features-of-prod', manifestHash: 'm', environment: 'prod' },
    ]);
  });

  test('is waited for by name while it is not there, although there is data of its own', async () => {
    world = await World.open({ environment: 'grants: [{ read: prod, paths: [features] }]' });
    await world.release(publisher, reader('wait'));
    await publishIn('dev');
    await world.run('reader');
    const [row] = await world.db.query<{ reason: string }[]>(`select reason from task_run where task_id = 'granted'`);
    expect(row?.reason).toBe('nothing was published at ingest.features in prod, which a grant names, yet');
    await publishIn('prod');
    await world.wait(5000);
    await world.tick();
    expect(versionsOf('granted')).toMatchObject([{ version: 'features-of-prod', environment: 'prod' }]);
  });
});
