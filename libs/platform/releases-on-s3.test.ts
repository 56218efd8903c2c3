import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createReleaseStore, type ReleaseStore, snapshotFolder } from '#release';
import { S3Objects } from '#storage';
import { S3TestServer } from '../testing/s3-server.ts';

let server: S3TestServer;
let base: string;
beforeAll(async () => {
  server = await S3TestServer.start({ pageKeys: 10 });
  base = await mkdtemp(path.join(os.tmpdir(), 'sluice-releases-'));
  await mkdir(path.join(base, 'repo', 'dags', 'task'), { recursive: true });
  await writeFile(path.join(base, 'repo/dags/good.yaml'), 'name: good\ntasks:\n  hello: { run: echo hello }\n');
  await writeFile(path.join(base, 'repo/dags/task/work.py'), 'print(1)\n');
});
afterAll(async () => {
  await server.stop();
  await rm(base, { recursive: true, force: true });
});

/** The store as one machine has it: copies in a folder of its own, everything else in the bucket. */
const machine = (name: string): ReleaseStore =>
  createReleaseStore({
    folder: path.join(base, name),
    objects: new S3Objects('s3://test/releases', server.settings),
  });

test('a release that one machine put is read and unpacked by another, and gone for all when it is swept', async () => {
  const [here, there] = [machine('here'), machine('there')];
  const snapshot = await snapshotFolder({ repository: path.join(base, 'repo') });
  const put = await here.put(snapshot);
  expect(await there.get(snapshot.digest)).toEqual(put);
  expect((await there.list()).map(({ digest }) => digest)).toEqual([snapshot.digest]);
  expect(await there.missing(snapshot.files)).toEqual([]);
  const folder = await there.folder(snapshot.digest);
  expect(folder).toBe(path.join(base, 'there', 'unpacked', snapshot.digest));
  expect(await readFile(path.join(folder, 'task/work.py'), 'utf8')).toBe('print(1)\n');
  expect(await there.sweep({ keep: new Set(), olderThanMs: -60_000 })).toEqual([snapshot.digest]);
  expect(await machine('third').list()).toEqual([]);
  expect(await machine('third').missing(snapshot.files)).toHaveLength(2);
});
