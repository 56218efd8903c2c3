import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { PublishedVersion, Staged } from '#core';
import { S3TestServer } from '../testing/s3-server.ts';
import type { EnvironmentStorage } from './environment-storage.ts';
import { createManifest } from './manifest.ts';
import { S3Objects } from './s3-objects.ts';
import { createS3Storage } from './s3-storage.ts';

const OUT = { name: 'out', variable: 'PATH_OUT', location: 'p/out' };
const ABOUT = { release: 'r', pipeline: 'p', runId: '7', taskId: 't', mapIndex: 0, attempt: 1, fence: 4 };
const OVER = { olderThanMs: -60_000 };

let server: S3TestServer;
let folder: string;
let storage: EnvironmentStorage;
let root: string;
let problems: unknown[];
let roots = 0;
beforeAll(async () => {
  server = await S3TestServer.start({ pageKeys: 2 });
  folder = await mkdtemp(path.join(os.tmpdir(), 'sluice-s3-uris-'));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  root = `uris-${++roots}`;
  problems = [];
  const objects = new S3Objects(`s3://test/${root}`, server.settings);
  const problem = (error: unknown): void => void problems.push(error);
  storage = createS3Storage({ objects, folder: path.join(folder, root), cacheBytes: 1024 ** 3, problem });
});

const begin = (attemptId = '41') =>
  storage.stage({ attemptId, runId: '7', reads: [], writes: [OUT], uris: { fence: 4 } });
/** As a task does it that has keys of its own. */
const write = (staged: Staged, name: string, text = 'x') =>
  server.buckets.put('test', `${staged.folders.PATH_OUT!.slice('s3://test/'.length)}${name}`, text);
const left = () => server.buckets.keys('test', root).map((key) => key.slice(root.length + 1));
const published = async (staged: Staged): Promise<PublishedVersion> => (await storage.seal(staged, ABOUT))[0]!;

describe('attempts that write to a bucket themselves', () => {
  test('nothing is copied to this machine, neither what they read nor what they write', async () => {
    const staged = await begin();
    for (const name of ['a', 'b/c', 'd']) write(staged, name);
    const version = await published(staged);
    await storage.discard(staged);
    const asked = server.requests.length;
    const pinned = { ...version, link: null };
    const reads = [{ name: 'in', variable: 'PATH_IN', versions: [pinned] }];
    const reader = await storage.stage({ attemptId: '42', runId: '7', reads, writes: [], uris: { fence: 1 } });
    expect(reader.folders).toEqual({ PATH_IN: staged.folders.PATH_OUT });
    expect(server.requests.slice(asked)).toEqual([`GET test/${root}/.sluice/versions/${version.version}/_sluice.json`]);
    expect(await readdir(path.join(folder, root)).catch(() => [])).toEqual([]);
    expect((await storage.manifest(version.version)).files.map((file) => file.path)).toEqual(['a', 'b/c', 'd']);
  });

  test.each(['no manifest', '{}', 'one of another run'])(
    'an attempt that fails leaves nothing, whatever it called its objects (%s)',
    async (manifest) => {
      const staged = await begin();
      for (const name of ['a', 'b/', 'c//d', 'e'.repeat(300)]) write(staged, name);
      expect(left()).toHaveLength(5); // with what says who writes
      const copied = `${JSON.stringify(createManifest({ ...ABOUT, runId: '6' }, OUT.location, []))}\n`;
      if (manifest !== 'no manifest') write(staged, '_sluice.json', manifest === '{}' ? manifest : copied);
      await storage.discard(staged);
      expect([left(), problems]).toEqual([[], []]);
    },
  );

  test('what a killed attempt left is swept once it is over; what was sealed stays', async () => {
    const [killed, alive, sealed] = [await begin('41'), await begin('42'), await begin('43')];
    for (const staged of [killed, alive, sealed]) write(staged, 'a');
    const { version, manifestHash } = await published(sealed);
    await storage.sweep({ ...OVER, keep: new Set(['42']) });
    const [, second] = alive.folders.PATH_OUT!.split(`${root}/`);
    expect(left().filter((key) => key.startsWith('.sluice/versions/'))).toEqual(
      [`${second}a`, `.sluice/versions/${version}/a`, `.sluice/versions/${version}/_sluice.json`].sort(),
    );
    expect(left().filter((key) => key.startsWith('.sluice/writing/'))).toHaveLength(1);
    expect(await storage.isWhole(version, manifestHash)).toBe(true);
    expect((await published(alive)).files).toBe(1);
    await storage.sweep({ olderThanMs: 60_000 }); // too young
    expect(left().filter((key) => key.startsWith('.sluice/writing/'))).toHaveLength(1);
    expect(problems).toEqual([]);
  });

  test('an attempt that was swept although it still wrote publishes nothing and leaves nothing', async () => {
    const staged = await begin();
    write(staged, 'a');
    await storage.sweep(OVER);
    write(staged, 'b');
    await expect(storage.seal(staged, ABOUT)).rejects.toMatchObject({ code: 'conflict' });
    await storage.discard(staged);
    expect(left()).toEqual([]);
  });

  test('a sweep that comes while manifests are written takes either all or nothing', async () => {
    const staged = await begin();
    write(staged, 'a');
    const sweeping = server.hold(/^PUT .*\/\.sluice\/writing\//);
    const sweep = storage.sweep(OVER);
    await sweeping.reached; // the mark is there, and nobody has looked for a manifest yet
    await expect(storage.seal(staged, ABOUT)).rejects.toMatchObject({ code: 'conflict' });
    sweeping.release();
    await sweep;
    expect(left()).toEqual([]);
  });

  test.each([
    [['a//b'], '"a//b" holds an empty segment'],
    [['a\\b'], '"a\\\\b" holds a backslash'],
    [['.sluice/x'], '".sluice/x" has a reserved name'],
    [['a', 'a/b'], '"a" is the name of a file and of a folder'],
  ])('objects called %j are refused', async (names, why) => {
    const staged = await begin();
    for (const name of names) write(staged, name);
    await expect(storage.seal(staged, ABOUT)).rejects.toMatchObject({
      ...{ code: 'bad_request', message: `Output "out": ${why}.` },
    });
  });

  test('empty objects that stand for folders are no files', async () => {
    const staged = await begin();
    for (const name of ['', 'a/', 'a/b']) write(staged, name, name === 'a/b' ? 'x' : '');
    expect((await published(staged)).files).toBe(1);
  });

  test('an object that comes while others are read is still being written', async () => {
    const staged = await begin();
    write(staged, 'a');
    const reading = server.hold(/^GET .*\/a$/);
    const sealing = storage.seal(staged, ABOUT);
    await reading.reached;
    write(staged, 'b');
    reading.release();
    await expect(sealing).rejects.toMatchObject({
      ...{ code: 'bad_request', message: 'Output "out": "b" is still being written.' },
    });
    await storage.discard(staged);
    expect(left()).toEqual([]);
  });
});
