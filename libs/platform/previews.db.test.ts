import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { S3TestServer } from '../testing/s3-server.ts';
import type { ReleaseRecord } from '#core';
import { createStore, previewQueries } from '#store';
import { createTestDatabase } from '#testing';
import { systemClock } from './clock.ts';
import { EnvironmentFiles } from './environment-files.ts';
import { Previews } from './previews.ts';
import { aRun, seededReads, type SeededReads } from './reads/seeded-reads.ts';
import { Secret } from './secret.ts';
import { openBucket, StorageRoots } from './storage-roots.ts';

const HOUR = 3_600_000;
let seeded: SeededReads;
let project: string;
let s3: S3TestServer;
beforeAll(async () => {
  seeded = await seededReads(await createTestDatabase());
  s3 = await S3TestServer.start();
});
beforeEach(async () => {
  await seeded.clear();
  await seeded.db.query(`truncate preview`);
  await seeded.db.query(`delete from environment_config where strpos(environment, '/') > 0`);
  await rm(project ?? '', { recursive: true, force: true });
  project = await mkdtemp(path.join(tmpdir(), 'sluice-previews-'));
  await mkdir(path.join(project, 'environments'));
  await file('dev', 'storage: data/dev\nschedules: active\nvars: { region: eu }\npools: { gpu: 2 }');
  await file('cloud', 'storage: s3://test/cloud');
  await file('prod', 'storage: data/prod\nfrom: [dev]');
});
afterAll(async () => {
  await seeded.close();
  await s3.stop();
  await rm(project, { recursive: true, force: true });
});

const file = (name: string, text: string) =>
  writeFile(path.join(project, 'environments', `${name}.yaml`), `name: ${name}\n${text}\n`);
const settings = () => ({
  ...{ endpoint: s3.endpoint, region: 'us-east-1', cacheBytes: 1e9 },
  keys: { id: 'AKTEST', secret: new Secret('secret-of-the-test-server'), session: null },
});

/** What one process knows; `erase` stands in for its storage. */
async function aProcess(erase?: (url: string) => Promise<void>) {
  const store = createStore(seeded.db);
  const environments = new EnvironmentFiles(project);
  await environments.load(store, 'test');
  const problems: string[] = [];
  const roots = new StorageRoots({
    ...{ s3: settings(), cacheFolder: path.join(project, 'cache') },
    problem: (what) => problems.push(what),
  });
  const observer = {
    event: () => undefined,
    problem: (what: string, error: unknown) => void problems.push(`${what}: ${(error as Error).message}`),
  };
  const previews = new Previews({
    ...{ db: seeded.db, store, environments, observer, clock: systemClock, wake: () => undefined },
    roots: erase === undefined ? roots : { erase },
  });
  return { previews, environments, problems, store };
}
const release = (digest = 'r1'): ReleaseRecord => ({
  ...{ digest, alias: 'a', commit: null, branch: null, author: null, message: null, dirty: false },
});
const expire = () => seeded.db.query(`update preview set expires_at = now() - interval '1 s' where removed_at is null`);
/** As if every process had had time to see that they close. */
const settle = () => seeded.db.query(`update preview set closing_at = closing_at - interval '6 s'`);
const open = async () => (await previewQueries.openPreviews(seeded.db)).map(({ environment }) => environment);
const trail = async (action: string) =>
  (
    await seeded.db.query<{ actor: string; detail: object }[]>(
      `select actor, detail from audit where action = $1 order by seq desc limit 1`,
      [action],
    )
  )[0];

describe('a preview', () => {
  test('has the configuration of its parent, a folder of its own, and paused schedules; other processes learn of it', async () => {
    const [here, there] = [await aProcess(), await aProcess()];
    await here.previews.create('dev/pr-1', release(), HOUR, 'ann');
    expect(here.environments.get('dev/pr-1')?.config).toEqual({
      ...here.environments.get('dev')?.config,
      ...{ name: 'dev/pr-1', schedules: 'paused', storage: `file://${project}/data/dev/previews/pr-1` },
    });
    expect(there.environments.get('dev/pr-1')).toBeNull();
    await there.previews.load();
    expect(there.environments.all().map(({ config }) => config.name)).toEqual(['cloud', 'dev', 'prod', 'dev/pr-1']);
    expect(await here.store.currentRelease('dev/pr-1')).toMatchObject({ release: 'r1' });
    const [row] = (await seeded.reads.environments()).filter(({ name }) => name === 'dev/pr-1');
    expect(row).toMatchObject({ release: 'r1', schedules: 'paused', preview: { parent: 'dev', closing: false } });
    expect(await trail('preview.create')).toMatchObject({ actor: 'ann', detail: { release: 'r1' } });
  });

  test('follows the file of its parent, and each configuration it had is on record', async () => {
    const { previews, environments, store } = await aProcess();
    await previews.create('dev/pr-1', release(), HOUR, 'ann');
    await file('dev', 'storage: data/dev\nvars: { region: us }\npools: { gpu: 2 }');
    await environments.load(store, 'test');
    await previews.load();
    const [newest, first] = await seeded.reads.configurations('dev/pr-1', 10);
    expect([newest, first]).toMatchObject([
      { seq: 2, actor: 'Sluice', fields: [{ field: 'vars.region', before: 'eu', after: 'us' }] },
      { seq: 1, actor: 'ann', fields: [] },
    ]);
    expect(newest?.hash).toBe(environments.get('dev/pr-1')?.hash);
  });

  test('that exists is pointed at another release and lives longer', async () => {
    const { previews, store } = await aProcess();
    await previews.create('dev/pr-1', release(), HOUR, 'ann');
    await previews.create('dev/pr-1', release('r2'), 5 * HOUR, 'bob');
    expect(await store.currentRelease('dev/pr-1')).toMatchObject({ release: 'r2' });
    const [{ expiresAt } = { expiresAt: '' }] = await previewQueries.openPreviews(seeded.db);
    expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(4 * HOUR);
    expect(await trail('preview.move')).toMatchObject({ actor: 'bob' });
  });

  test.each([
    ['none/pr-1', 'There is no environment "none".'],
    ['prod/pr-1', 'prod has no previews: it takes releases from dev, and a preview would go around that.'],
    ['dev', '"dev" is not the name of a preview.'],
    ['dev/../prod', '"../prod" cannot be the name of a preview.'],
    ['dev/pr-1/x', '"pr-1/x" cannot be the name of a preview.'],
  ])('is not made as %s', async (name, message) => {
    const { previews } = await aProcess();
    await expect(previews.create(name, release(), HOUR, 'ann')).rejects.toThrow(message);
    expect(await open()).toEqual([]);
  });
});

describe('the end of a preview', () => {
  const data = (name: string) => path.join(project, 'data/dev/previews', name);
  const aPreview = async (process: Awaited<ReturnType<typeof aProcess>>, name = 'pr-1') => {
    await process.previews.create(`dev/${name}`, release(), HOUR, 'ann');
    await mkdir(path.join(data(name), '.sluice/versions/v1'), { recursive: true });
    await writeFile(path.join(data(name), '.sluice/versions/v1/x'), 'x');
  };

  test('comes by itself: what waits is cancelled, what runs is asked to stop, then the data goes', async () => {
    const process = await aProcess();
    await aPreview(process);
    await aPreview(process, 'pr-12');
    await seeded.db.query(`update preview set expires_at = now() where environment = 'dev/pr-1'`);
    const waiting = await aRun(seeded, { environment: 'dev/pr-1', state: 'queued' });
    const running = await aRun(seeded, { environment: 'dev/pr-1' });
    const version = { environment: 'dev/pr-1', version: 'v1', location: 'churn/raw', pipeline: 'churn', path: 'raw' };
    await seeded.insert('path_version', {
      ...{ ...version, map_key: '', run_id: running, task_id: 'ingest', map_index: 0, attempt_id: 1, fence: 1 },
      ...{ release: 'r1', manifest_hash: 'h', files: 1, bytes: 1, published_at: new Date() },
    });
    expect(await process.previews.step()).toBe(0);
    expect([process.environments.isClosing('dev/pr-1'), await trail('preview.remove')]).toMatchObject([
      true,
      { actor: 'Sluice', detail: { why: 'expired', runsCancelled: 2 } },
    ]);
    expect(process.environments.all().map(({ config }) => config.name)).not.toContain('dev/pr-1');
    const states = await seeded.db.query(`select id::text, state, cancel_requested from run order by run.id`);
    expect(states).toMatchObject([
      { id: waiting, state: 'cancelled' },
      { id: running, state: 'running' },
    ]);
    expect(await seeded.db.query(`select kind from inbox where run_id = $1`, [running])).toEqual([{ kind: 'cancel' }]);

    await settle();
    expect(await process.previews.step()).toBe(0);
    expect(await readdir(data('pr-1'))).toEqual(['.sluice']);
    await seeded.db.query(`update run set state = 'cancelled', finished_at = now() where id = $1`, [running]);
    expect(await process.previews.step()).toBe(1);
    expect(await readdir(data(''))).toEqual(['pr-12']);
    expect([await open(), process.environments.get('dev/pr-1')]).toEqual([['dev/pr-12'], null]);
    const left = `select count(*)::int as count from path_version where erased_at is null`;
    expect(await seeded.db.query(left)).toEqual([{ count: 0 }]);
    expect((await seeded.reads.environments()).map(({ name }) => name)).not.toContain('dev/pr-1');
    expect((await seeded.reads.run(running)).environment).toBe('dev/pr-1');
    expect(process.problems).toEqual([]);
  });

  test('waits for attempts that are being killed, and until every process has seen that it closes', async () => {
    const process = await aProcess();
    await aPreview(process);
    const run = await aRun(seeded, { environment: 'dev/pr-1', state: 'cancelled', finished_at: new Date() });
    await seeded.db.query(
      `insert into attempt (run_id, task_id, map_index, number, fence, state, worker) values ($1, 'a', 0, 1, 1, 'running', 'w')`,
      [run],
    );
    await process.previews.remove('dev/pr-1', 'bob');
    await process.previews.remove('dev/pr-1', 'bob');
    await settle();
    expect(await process.previews.step()).toBe(0);
    await seeded.db.query(`delete from attempt`);
    await seeded.db.query(`update preview set closing_at = now()`);
    expect(await process.previews.step()).toBe(0);
    await settle();
    expect(await process.previews.step()).toBe(1);
    await expect(process.previews.remove('dev/pr-1', 'bob')).rejects.toThrow('There is no preview dev/pr-1.');
  });

  test('that was cut off while its data went is finished by another process', async () => {
    const killed = await aProcess(() => Promise.reject(new Error('killed')));
    await aPreview(killed);
    await expire();
    await killed.previews.step();
    await settle();
    expect(await killed.previews.step()).toBe(0);
    expect(killed.problems).toEqual(['removing a preview: killed']);
    const other = await aProcess();
    expect([await open(), await other.previews.step(), await open()]).toEqual([['dev/pr-1'], 1, []]);
  });

  test('is one process at a time; meanwhile nobody makes one of that name, afterwards anybody may', async () => {
    let [begin, end] = [(): void => undefined, (): void => undefined];
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const ended = new Promise<void>((resolve) => (end = resolve));
    const slow = await aProcess(() => (begin(), ended));
    const other = await aProcess();
    await aPreview(slow);
    await slow.previews.remove('dev/pr-1', 'bob');
    await settle();
    const removing = slow.previews.step();
    await begun;
    expect(await other.previews.step()).toBe(0);
    await expect(other.previews.create('dev/pr-1', release(), HOUR, 'ann')).rejects.toThrow('is being removed');
    end();
    expect(await removing).toBe(1);
    await other.previews.create('dev/pr-1', release(), HOUR, 'ann');
    expect(await open()).toEqual(['dev/pr-1']);
  });

  test('takes the objects of a bucket below its own folder, and no others', async () => {
    const process = await aProcess();
    await process.previews.create('cloud/pr-1', release(), HOUR, 'ann');
    const objects = openBucket('s3://test/cloud', settings());
    for (const key of ['previews/pr-1/a', 'previews/pr-1/.sluice/x/y', 'previews/pr-12/a', 'a'])
      await objects.put(key, key);
    await process.previews.remove('cloud/pr-1', 'bob');
    await settle();
    expect(await process.previews.step()).toBe(1);
    expect(s3.buckets.keys('test')).toEqual(['cloud/a', 'cloud/previews/pr-12/a']);
  });
});
