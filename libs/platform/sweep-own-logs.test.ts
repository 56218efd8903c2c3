import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogKey } from '#core';
import { FakeClock } from '../testing/fake-clock.ts';
import { S3_TEST_KEYS, S3TestServer } from '../testing/s3-server.ts';
import { Secret } from './secret.ts';
import { StorageRoots } from './storage-roots.ts';
import { sweepOwnLogs } from './sweep-own-logs.ts';

const URL = 's3://test/dev';
const key = (runId: string): LogKey => ({ runId, taskId: 'train', mapIndex: 0, number: 1 });
const line = (text: string) => ({ at: 1000, stream: 'out' as const, text });

let server: S3TestServer;
let cacheFolder: string;
beforeAll(async () => {
  server = await S3TestServer.start();
  cacheFolder = await mkdtemp(join(tmpdir(), 'sluice-own-logs-'));
});
afterAll(async () => {
  await server.stop();
  await rm(cacheFolder, { recursive: true, force: true });
});

test('a worker brings its own logs away once they ended, and leaves those of a process that shares its folder', async () => {
  const problems: string[] = [];
  const aProcess = (): StorageRoots => {
    const { accessKeyId, secretAccessKey } = S3_TEST_KEYS;
    const keys = { id: accessKeyId, secret: new Secret(secretAccessKey), session: null };
    const s3 = { endpoint: server.endpoint, region: 'us-east-1', keys, cacheBytes: 1e9 };
    return new StorageRoots({ s3, cacheFolder, problem: (what) => problems.push(what) });
  };
  const [worker, other] = [aProcess(), aProcess()];
  const writers = {
    ended: await worker.at(URL).logs.open(key('1')),
    runs: await worker.at(URL).logs.open(key('2')),
    others: await other.at(URL).logs.open(key('3')),
  };
  server.fail(/^PUT test\/dev\//, 1000, 403);
  for (const writer of Object.values(writers)) void writer.write([line('kept')]);
  for (const runId of ['1', '2', '3']) {
    const seen = new AbortController();
    await other.at(URL).logs.follow(key(runId), 1, () => seen.abort(), seen.signal);
  }
  await writers.ended.close();
  expect(problems).toContain('uploading a log');
  server.mend();

  const clock = new FakeClock(Date.now());
  let swept = Promise.resolve();
  const stop = sweepOwnLogs({ sweepOwnLogs: (now) => (swept = worker.sweepOwnLogs(now)) }, clock);
  const [copies] = await readdir(cacheFolder);
  const here = async () => (await readdir(join(cacheFolder, copies!, '.sluice/logs'))).sort();
  await clock.moveTo(clock.now().getTime() + 5 * 60_000, () => swept);
  expect(await here()).toEqual(['1', '2', '3']);
  await clock.moveTo(clock.now().getTime() + 10 * 60_000, () => swept);
  expect(await here()).toEqual(['2', '3']);
  expect((await other.at(URL).logs.read(key('1'), { fromLine: 1, limit: 9 })).lines).toMatchObject([{ text: 'kept' }]);
  stop();
  await Promise.all([writers.runs.close(), writers.others.close()]);
});
