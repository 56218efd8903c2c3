import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { createFileStorage } from '#storage';
import { connectDatabase } from '#store';
import { createTestDatabase, type TestDatabase } from '#testing';
import { systemClock } from './clock.ts';
import { sweepOnce } from './sweep-storage.ts';

let database: TestDatabase;
let db: DataSource;
let root: string;
beforeAll(async () => {
  database = await createTestDatabase();
  db = await connectDatabase(database.url);
  root = await mkdtemp(join(tmpdir(), 'sluice-sweep-'));
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
  await rm(root, { recursive: true });
});

test('what killed attempts staged is removed; what live and new attempts stage is not', async () => {
  const insert = `insert into attempt (run_id, task_id, map_index, number, fence, state, worker) values (1, $1, 0, 1, 1, $2, 'w') returning id::text`;
  const attempt = async (task: string, state: string): Promise<string> =>
    ((await db.query(insert, [task, state])) as { id: string }[])[0]?.id ?? '';
  const ids = {
    live: await attempt('a', 'running'),
    lost: await attempt('b', 'lost'),
    fresh: await attempt('c', 'lost'),
  };
  const hourAgo = new Date(Date.now() - 3_600_000);
  for (const [name, id] of Object.entries(ids)) {
    const folder = join(root, '.sluice', 'staging', `${id}-0011223344556677`);
    await mkdir(folder, { recursive: true });
    if (name !== 'fresh') await utimes(folder, hourAgo, hourAgo);
  }
  const storage = createFileStorage({ root });
  const swept = {
    db,
    clock: systemClock,
    environments: () => ['dev'],
    storageFor: () => storage,
    problem: () => undefined,
  };
  expect(await sweepOnce(swept)).toBe(1);
  const left = (await readdir(join(root, '.sluice', 'staging'))).map((name) => name.split('-')[0]);
  expect(left.sort()).toEqual([ids.live, ids.fresh].sort());
});

test('an environment that cannot be swept is told of, and keeps no other from it', async () => {
  const other = await mkdtemp(join(root, 'other-'));
  const [broken, fine] = [createFileStorage({ root: join(root, 'broken') }), createFileStorage({ root: other })];
  const left = join(other, '.sluice', 'staging', '999999-0011223344556677');
  await mkdir(left, { recursive: true });
  const hourAgo = new Date(Date.now() - 3_600_000);
  await utimes(left, hourAgo, hourAgo);
  const problems: unknown[] = [];
  const away = new Error('it cannot be removed');
  const swept = {
    db,
    clock: systemClock,
    environments: () => ['broken', 'fine'],
    storageFor: (name: string) =>
      name === 'fine' ? fine : { ...broken, sweep: (): Promise<number> => Promise.reject(away) },
    problem: (error: unknown) => problems.push(error),
  };
  expect(await sweepOnce(swept)).toBe(1);
  expect(problems).toEqual([away]);
});
