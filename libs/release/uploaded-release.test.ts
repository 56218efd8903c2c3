import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { createReleaseStore, type ReleaseStore } from './release-store.ts';
import { TestRepository } from './repository-fixture.ts';
import { snapshotCommit } from './snapshot-commit.ts';
import { snapshotFolder } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

let repo: TestRepository;
let folder: string;
let store: ReleaseStore;
beforeEach(async () => {
  repo = await TestRepository.create();
  folder = path.join(repo.base, 'store');
  store = createReleaseStore({ folder });
});
afterEach(() => repo.remove());

const GOOD = 'name: a\ntasks: { x: { run: "python3 a/b.py" } }\n';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const file = (name: string, text = 'x') => ({
  path: name,
  executable: false,
  bytes: text.length,
  sha256: sha256(text),
});
const upload = (files: ReturnType<typeof file>[], commit = 'c'.repeat(40)) =>
  store.putUploaded({ commit, branch: 'main', author: 'Ada', message: 'First', files });

async function send(snapshot: Snapshot): Promise<number> {
  const missing = new Set(await store.missing(snapshot.files));
  for (const one of snapshot.files)
    if (missing.delete(one.sha256)) await store.putContent(one.sha256, await snapshot.read(one));
  return missing.size;
}

describe('a release that is uploaded', () => {
  test('is the one that the same working tree makes: digest, pipelines, files, texts', async () => {
    const commit = await repo.commit({
      'dags/a.yaml': GOOD,
      'dags/a/b.py': 'print(1)\n',
      'dags/copy.py': 'print(1)\n',
    });
    const snapshot = await snapshotCommit({ repository: repo.folder, ref: 'HEAD' });
    await send(snapshot);
    expect(await store.missing(snapshot.files)).toEqual([]);
    const release = await upload([...snapshot.files].reverse() as ReturnType<typeof file>[], commit);
    const local = await createReleaseStore({ folder: path.join(repo.base, 'other') }).put(
      await snapshotFolder({ repository: repo.folder }),
    );
    expect(release).toEqual({ ...local, createdAt: expect.any(String), author: 'Ada' });
    expect(await createReleaseStore({ folder }).get(release.digest)).toEqual(release);
    expect((await readdir(await store.folder(release.digest), { recursive: true })).sort()).toEqual([
      'a',
      'a.yaml',
      'a/b.py',
      'copy.py',
    ]);
  });

  test('of the same content is the same one, whoever comes first; a dirty one becomes clean', async () => {
    await repo.write({ 'dags/a.yaml': GOOD.replace('python3 a/b.py', 'true') });
    const dirty = await store.put(await snapshotFolder({ repository: repo.folder }));
    expect(dirty).toMatchObject({ dirty: true, commit: null });
    const clean = await upload(dirty.files as ReturnType<typeof file>[]);
    expect(clean).toEqual({
      ...dirty,
      dirty: false,
      commit: 'c'.repeat(40),
      branch: 'main',
      author: 'Ada',
      message: 'First',
    });
    expect(await upload(dirty.files as ReturnType<typeof file>[], 'd'.repeat(40))).toEqual(clean);
  });

  test('is refused while contents are missing, or not as long as they are said to be', async () => {
    await expect(upload([file('a.yaml', GOOD)])).rejects.toMatchObject({
      code: 'conflict',
      details: { missing: [sha256(GOOD)] },
    });
    await store.putContent(sha256(GOOD), Buffer.from(GOOD));
    await expect(upload([{ ...file('a.yaml', GOOD), bytes: 1 }])).rejects.toMatchObject({ code: 'conflict' });
    expect(await store.list()).toEqual([]);
  });

  test('takes no content under a name that is not its hash', async () => {
    await expect(store.putContent(sha256('x'), Buffer.from('y'))).rejects.toMatchObject({ code: 'bad_request' });
    await expect(store.putContent('../../x', Buffer.from('y'))).rejects.toMatchObject({ code: 'bad_request' });
    expect(await store.missing([{ sha256: sha256('x'), bytes: 1 }])).toEqual([sha256('x')]);
  });

  test('with problems is refused with all of them and leaves no release, even when a working tree made it before', async () => {
    const bad = 'name: b\ntasks: { x: { rn: "true" }, y: { run: 3 } }\n';
    await repo.write({ 'dags/bad.yaml': bad, 'dags/worse.yaml': '- 1' });
    await store.putContent(sha256(bad), Buffer.from(bad));
    await store.putContent(sha256('- 1'), Buffer.from('- 1'));
    const files = [file('bad.yaml', bad), file('worse.yaml', '- 1')];
    const refused = expect.objectContaining({
      code: 'invalid_config',
      message: expect.stringMatching(/problems in 2 files/),
      details: {
        problems: expect.arrayContaining([
          expect.objectContaining({ file: 'dags/bad.yaml', line: 2 }),
          expect.objectContaining({ file: 'dags/worse.yaml' }),
        ]),
      },
    });
    await expect(upload(files)).rejects.toEqual(refused);
    expect(await store.list()).toEqual([]);
    await store.put(await snapshotFolder({ repository: repo.folder }));
    await expect(upload(files)).rejects.toEqual(refused);
  });

  test.each([
    ['../x', /segment "\.\."/],
    ['/etc/x', /is absolute/],
    ['a/.GIT/x', /git would take/],
    ['a\u0000b', /control character/],
  ])('%j is refused by name, before the store is looked at', async (name, expected) => {
    await expect(upload([file('a.yaml', GOOD), file(name)])).rejects.toMatchObject({
      code: 'bad_request',
      details: { problems: [{ message: expect.stringMatching(expected) }] },
    });
  });

  test('is refused when its names clash, when it is empty, too large, or has too many files', async () => {
    const refused = (files: ReturnType<typeof file>[], message: RegExp) =>
      expect(upload(files)).rejects.toMatchObject({ code: 'bad_request', message: expect.stringMatching(message) });
    await refused([file('A'), file('a')], /dags\/a differs from "A" only by case/);
    await refused([file('a'), file('a')], /is listed twice/);
    await refused([file('a'), file('a/b')], /is a file and a folder/);
    await refused([], /holds no file/);
    await refused([{ ...file('a'), bytes: 2 ** 40 }], /has 1099511627776 bytes/);
    await refused([{ ...file('a'), bytes: -1 }], /has -1 bytes/);
    await refused([{ ...file('a'), sha256: 'x' }], /has no SHA-256/);
    await refused(
      Array.from({ length: 50_001 }, (_, i) => file(`f${i}`)),
      /holds 50001 files; at most 50000 fit/,
    );
  });

  test('is refused, not half there, when a sweep has removed a content meanwhile', async () => {
    const text = GOOD.replace('python3 a/b.py', 'true');
    await store.putContent(sha256(text), Buffer.from(text));
    expect(await store.missing([file('a.yaml', text)])).toEqual([]);
    const dirty = await store.put({ ...(await emptyFolder()), digest: '1'.repeat(64) });
    const swept = await store.sweep({ keep: new Set(), olderThanMs: -60_000 });
    expect(swept).toEqual([dirty.digest]);
    await expect(upload([file('a.yaml', text)])).rejects.toMatchObject({ code: 'conflict' });
    await rm(folder, { recursive: true });
  });
});

async function emptyFolder(): Promise<Snapshot> {
  await repo.write({ 'dags/none.txt': '' });
  return snapshotFolder({ repository: repo.folder });
}
