import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { appendFile, chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { releaseAlias } from './alias.ts';
import { createReleaseStore, type ReleaseStore } from './release-store.ts';
import { snapshotFolder } from './snapshot.ts';

const GOOD = 'name: good\ntasks:\n  hello: { run: echo hello }\n';
const BROKEN = 'name: broken\ntasks:\n  hello: { rnu: echo hello }\n';

let base: string;
let repository: string;
let folder: string;
let store: ReleaseStore;
beforeEach(async () => {
  base = await mkdtemp(path.join(os.tmpdir(), 'sluice-releases-'));
  repository = path.join(base, 'repo');
  folder = path.join(base, 'home', 'releases');
  store = createReleaseStore({ folder });
  await write({ 'good.yaml': GOOD, 'task/work.py': 'print(1)\n', 'run.sh': '#!/bin/sh\n' });
  await chmod(path.join(repository, 'dags/run.sh'), 0o755);
});
afterEach(() => rm(base, { recursive: true, force: true }));

async function write(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(repository, 'dags', name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}
const take = () => snapshotFolder({ repository });
const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@b', '-c', 'init.defaultBranch=main', ...args], {
    cwd: repository,
  });

describe('the release store', () => {
  test('what was put is read back, by another process too, with its pipelines, sources and alias', async () => {
    const snapshot = await take();
    const put = await store.put(snapshot);
    expect(put).toMatchObject({
      digest: snapshot.digest,
      alias: releaseAlias(snapshot.digest),
      dirty: true,
      problems: {},
    });
    expect(put.pipelines.map(({ name }) => name)).toEqual(['good']);
    expect(put.sources).toEqual({ 'good.yaml': GOOD });
    const elsewhere = createReleaseStore({ folder });
    expect(await elsewhere.get(snapshot.digest)).toEqual(put);
    expect(await elsewhere.list()).toEqual([
      expect.objectContaining({ digest: snapshot.digest, alias: put.alias, createdAt: put.createdAt }),
    ]);
    await rm(repository, { recursive: true });
    expect(await elsewhere.folder(snapshot.digest)).toBe(path.join(folder, 'unpacked', snapshot.digest));
  });

  test('a broken file has problems and stops no other', async () => {
    await write({ 'broken.yaml': BROKEN, 'also.yaml': GOOD.replace('good', 'also') });
    const release = await store.put(await take());
    expect(release.pipelines.map(({ name }) => name).sort()).toEqual(['also', 'good']);
    expect(Object.keys(release.problems)).toEqual(['broken.yaml']);
    expect(release.problems['broken.yaml']?.[0]).toMatchObject({ file: 'broken.yaml', line: 3 });
    expect(await createReleaseStore({ folder }).get(release.digest)).toEqual(release);
  });

  test('putting the same content again changes nothing', async () => {
    const first = await store.put(await take());
    expect(await createReleaseStore({ folder }).put(await take())).toEqual(first);
    expect(await store.list()).toHaveLength(1);
  });

  test('content first seen in a dirty tree takes the commit that it is committed with', async () => {
    git('init', '-q');
    const dirty = await store.put(await take());
    git('add', '-A');
    git('commit', '-q', '-m', 'Good pipeline');
    const clean = await store.put(await take());
    expect(clean).toMatchObject({
      digest: dirty.digest,
      createdAt: dirty.createdAt,
      dirty: false,
      branch: 'main',
      message: 'Good pipeline',
    });
    expect(await createReleaseStore({ folder }).get(dirty.digest)).toEqual(clean);
    await writeFile(path.join(repository, 'dags', 'x'), '');
    await store.put(await take());
    await rm(path.join(repository, 'dags', 'x'));
    expect((await store.put({ ...(await take()), dirty: true })).dirty).toBe(false);
  });

  test('an unknown digest is null, its folder an error, and nonsense is refused', async () => {
    expect(await store.get('0'.repeat(64))).toBeNull();
    await expect(store.folder('0'.repeat(64))).rejects.toMatchObject({ code: 'not_found' });
    for (const evil of ['', '../x', 'A'.repeat(64), `${'0'.repeat(63)}/`])
      await expect(store.get(evil)).rejects.toMatchObject({ code: 'bad_request' });
    expect(await store.list()).toEqual([]);
  });

  test('the unpacked folder holds exactly the files, read-only, executable where they were', async () => {
    const { digest } = await store.put(await take());
    const unpacked = await store.folder(digest);
    expect((await readdir(unpacked, { recursive: true })).sort()).toEqual([
      'good.yaml',
      'run.sh',
      'task',
      'task/work.py',
    ]);
    expect((await stat(path.join(unpacked, 'run.sh'))).mode & 0o777).toBe(0o555);
    expect((await stat(path.join(unpacked, 'good.yaml'))).mode & 0o777).toBe(0o444);
    expect(await readFile(path.join(unpacked, 'task/work.py'), 'utf8')).toBe('print(1)\n');
  });

  test.each<[string, (unpacked: string) => Promise<unknown>]>([
    [
      'a changed file',
      async (at) => (await chmod(path.join(at, 'good.yaml'), 0o644), appendFile(path.join(at, 'good.yaml'), 'x')),
    ],
    ['an added file', (at) => writeFile(path.join(at, 'task', 'out.csv'), '')],
    ['a missing file', (at) => rm(path.join(at, 'run.sh'))],
    ['a missing folder', (at) => rm(at, { recursive: true })],
    ['a changed mode', (at) => chmod(path.join(at, 'run.sh'), 0o444)],
  ])('an unpacked folder with %s is made anew', async (_what, harm) => {
    const { digest } = await store.put(await take());
    const unpacked = await store.folder(digest);
    await harm(unpacked);
    const again = await createReleaseStore({ folder }).folder(digest);
    expect(again).toBe(unpacked);
    expect((await readdir(unpacked, { recursive: true })).sort()).toEqual([
      'good.yaml',
      'run.sh',
      'task',
      'task/work.py',
    ]);
    expect(await readFile(path.join(unpacked, 'good.yaml'), 'utf8')).toBe(GOOD);
    expect(await readdir(path.dirname(unpacked))).toHaveLength(2); // the folder and its stamp, no leftovers
  });

  test('an untouched unpacked folder is reused', async () => {
    const { digest } = await store.put(await take());
    const before = await stat(await store.folder(digest));
    const again = await stat(await createReleaseStore({ folder }).folder(digest));
    expect(again.ino).toBe(before.ino);
  });

  test('many at once unpack one folder', async () => {
    const { digest } = await store.put(await take());
    const stores = [store, createReleaseStore({ folder }), createReleaseStore({ folder })];
    const folders = await Promise.all(stores.flatMap((each) => [each.folder(digest), each.folder(digest)]));
    expect(new Set(folders).size).toBe(1);
    expect(await readFile(path.join(folders[0]!, 'good.yaml'), 'utf8')).toBe(GOOD);
  });

  test('damaged contents and records are noticed, and contents are written again by the next put', async () => {
    const snapshot = await take();
    const { digest } = await store.put(snapshot);
    const file = snapshot.files.find(({ path: name }) => name === 'task/work.py')!;
    const blob = path.join(folder, 'blobs', file.sha256.slice(0, 2), file.sha256);
    await rm(blob);
    await writeFile(blob, 'print(2)\n');
    await expect(createReleaseStore({ folder }).folder(digest)).rejects.toMatchObject({ code: 'conflict' });
    await rm(blob);
    await expect(createReleaseStore({ folder }).folder(digest)).rejects.toMatchObject({ code: 'not_found' });
    await appendFile(path.join(folder, 'releases', digest), ' ');
    await expect(createReleaseStore({ folder }).get(digest)).rejects.toMatchObject({ code: 'conflict' });
    await rm(path.join(folder, 'releases', digest));
    const repaired = createReleaseStore({ folder });
    await repaired.put(snapshot);
    expect(await readFile(path.join(await repaired.folder(digest), 'task/work.py'), 'utf8')).toBe('print(1)\n');
  });

  test('the sweep removes dirty releases that nothing refers to, with what only they held', async () => {
    const kept = await store.put(await take());
    await write({ 'only-here.py': 'print(7)\n' });
    const dropped = await store.put(await take());
    await store.folder(dropped.digest);
    await write({ 'only-here.py': 'print(8)\n' });
    const young = await store.put(await take());
    const later = Date.parse(young.createdAt) + 10_000;
    expect(await store.sweep({ keep: new Set(), olderThanMs: 60_000, now: later })).toEqual([]);
    const keep = new Set([kept.digest, young.digest]);
    expect(await store.sweep({ keep, olderThanMs: 0, now: later })).toEqual([dropped.digest]);
    expect(await store.get(dropped.digest)).toBeNull();
    await expect(stat(path.join(folder, 'unpacked', dropped.digest))).rejects.toMatchObject({ code: 'ENOENT' });
    const blobs = (await readdir(path.join(folder, 'blobs'), { recursive: true })).map((name) => path.basename(name));
    const blobOf = (release: typeof kept) => release.files.find((file) => file.path === 'only-here.py')?.sha256 ?? '';
    expect(blobs).toContain(blobOf(young));
    expect(blobs).not.toContain(blobOf(dropped));
    expect(await createReleaseStore({ folder }).get(kept.digest)).toEqual(kept);
    await write({ 'only-here.py': 'print(7)\n' });
    expect((await store.put(await take())).digest).toBe(dropped.digest);
    expect(await readFile(path.join(await store.folder(dropped.digest), 'only-here.py'), 'utf8')).toBe('print(7)\n');
  });

  test('a file that changes between snapshot and put is a conflict, and no release is left', async () => {
    const snapshot = await take();
    await write({ 'task/work.py': 'print(2)\n' });
    await expect(store.put(snapshot)).rejects.toMatchObject({ code: 'conflict' });
    expect(await store.list()).toEqual([]);
  });
});

describe('the alias', () => {
  test('is two words, the same for the same digest', () => {
    expect(releaseAlias('0'.repeat(64))).toBe('able-acorn');
    expect(releaseAlias(`${'f'.repeat(8)}${'1'.repeat(56)}`)).toMatch(/^[a-z]+-[a-z]+$/);
  });
});
