import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { appendFile, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { LogKey, LogLine } from '#core';
import { logConformance } from '../testing/log-conformance.ts';
import { S3TestServer } from '../testing/s3-server.ts';
import { createS3Logs, type S3Logs } from './s3-logs.ts';
import { S3Objects } from './s3-objects.ts';

const KEY: LogKey = { runId: '7', taskId: 'train', mapIndex: 0, number: 2 };
const line = (text: string) => ({ at: 1000, stream: 'out' as const, text });
const texts = (lines: readonly LogLine[]) => lines.map(({ text }) => text);

let server: S3TestServer;
let base: string;
let roots = 0;
beforeAll(async () => {
  server = await S3TestServer.start({ pageKeys: 3 });
  base = await mkdtemp(path.join(os.tmpdir(), 'sluice-s3-logs-'));
});
afterAll(async () => {
  await server.stop();
  await rm(base, { recursive: true, force: true });
});

const machines = (): { here: S3Logs; there: S3Logs; folder: string; root: string; problems: unknown[] } => {
  const root = `logs-${++roots}`;
  const problems: unknown[] = [];
  const on = (machine: string): S3Logs =>
    createS3Logs({
      objects: new S3Objects(`s3://test/${root}`, server.settings),
      folder: path.join(base, root, machine),
      problem: (error) => problems.push(error),
      uploadMs: 50,
    });
  return { here: on('here'), there: on('there'), folder: path.join(base, root, 'here'), root, problems };
};

logConformance('a bucket', () => {
  const { here, there } = machines();
  return Promise.resolve({ logs: here, elsewhere: there, dispose: () => Promise.resolve() });
});

describe('logs on their way into a bucket', () => {
  let here: S3Logs;
  let there: S3Logs;
  let folder: string;
  let root: string;
  let problems: unknown[];
  beforeEach(() => {
    ({ here, there, folder, root, problems } = machines());
  });
  const local = () => path.join(folder, '.sluice/logs/7/train/0/2');
  const hourAgo = new Date(Date.now() - 3_600_000);
  const age = async (): Promise<void> => {
    for (const name of await readdir(local())) await utimes(path.join(local(), name), hourAgo, hourAgo);
  };

  test('another machine follows a task while it runs', async () => {
    const got: string[] = [];
    let wake = (): void => undefined;
    const followed = there.follow(KEY, 1, (lines) => (got.push(...texts(lines)), wake()), new AbortController().signal);
    const writer = await here.open(KEY);
    void writer.write([line('one')]);
    await new Promise<void>((resolve) => (wake = resolve));
    expect(got).toEqual(['one']);
    void writer.write([line('two')]);
    await writer.close();
    await followed;
    expect(got).toEqual(['one', 'two']);
  });

  test('what is read on the machine that writes asks the bucket nothing', async () => {
    const writer = await here.open(KEY);
    void writer.write([line('one'), line('two')]);
    const seen = new AbortController();
    await here.follow(KEY, 2, () => seen.abort(), seen.signal);
    const asked = server.requests.length;
    expect(texts((await here.read(KEY, { fromLine: 1, limit: 9 })).lines)).toEqual(['one', 'two']);
    expect(server.requests.slice(asked).filter((request) => request.startsWith('GET'))).toEqual([]);
    await writer.close();
  });

  test('a bucket that does not answer costs no lines: the sweep brings them away later', async () => {
    const writer = await here.open(KEY);
    void writer.write([line('kept')]);
    server.fail(new RegExp(`^PUT test/${root}/`), 1000, 403);
    expect(await writer.close()).toBe(1);
    expect(problems.length).toBeGreaterThan(0);
    expect(texts((await here.read(KEY, { fromLine: 1, limit: 9 })).lines)).toEqual(['kept']);
    server.mend();
    await age();
    expect(await here.sweep(60_000)).toBe(1);
    expect(await readdir(folder, { recursive: true })).toEqual(['.sluice', '.sluice/logs']);
    for (const logs of [here, there])
      expect(await logs.read(KEY, { fromLine: 1, limit: 9 })).toMatchObject({
        lines: [{ n: 1, text: 'kept' }],
        complete: true,
      });
  });

  test('the sweep spares logs that are open or young, and uploads what a killed process left, without its torn line', async () => {
    const writer = await here.open(KEY);
    void writer.write([line('one')]);
    const seen = new AbortController();
    await here.follow(KEY, 1, () => seen.abort(), seen.signal);
    await age();
    expect(await here.sweep(60_000)).toBe(0);
    await appendFile(path.join(local(), '00000001.ndjson'), '{"n":2,"at":1,"stream":"ou');
    const afterKill = machinesAgain();
    expect(await afterKill.sweep(60_000)).toBe(0);
    await age();
    expect(await afterKill.sweep(60_000)).toBe(1);
    expect(texts((await there.read(KEY, { fromLine: 1, limit: 9 })).lines)).toEqual(['one']);
    await writer.close();
  });

  /** The same machine after a restart: nothing is remembered. */
  const machinesAgain = (): S3Logs =>
    createS3Logs({
      objects: new S3Objects(`s3://test/${root}`, server.settings),
      folder,
      problem: (error) => problems.push(error),
    });
});
