import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RemoteMirror } from '#release';
import { createFileStorage } from '#storage';
import { requestVerification, type VerificationParts } from '#engine';
import { createStore, createVerificationStore, followQueries } from '#store';
import { createTestDatabase } from '#testing';
import { systemClock } from './clock.ts';
import { collectGarbage, eraseMarked } from './collect-garbage.ts';
import { aRun, aTaskRun, seededReads, type SeededReads } from './reads/seeded-reads.ts';
import { filesOfVersion } from './version-files.ts';

const DAY = 86_400_000;
let seeded: SeededReads;
let root: string;
beforeAll(async () => {
  seeded = await seededReads(await createTestDatabase());
});
beforeEach(async () => {
  await seeded.clear();
  root = await mkdtemp(path.join(tmpdir(), 'sluice-gc-'));
});
afterAll(async () => {
  await seeded.close();
  await rm(root, { recursive: true, force: true });
});

const storageFor = () => createFileStorage({ root });
const collect = (more: Partial<Parameters<typeof collectGarbage>[1]> = {}, fails = false) =>
  collectGarbage(
    {
      ...{ db: seeded.db, releases: seeded.releases, clock: systemClock, mirrors: path.join(root, 'follow') },
      storageFor: fails ? () => ({ erase: () => Promise.reject(new Error('no disk')) }) : storageFor,
    },
    { dryRun: false, keep: 1, olderThanMs: 7 * DAY, ...more },
    'ann',
  );
const removed = async (...options: Parameters<typeof collect>) =>
  (await collect(...options)).versions.flatMap((one) => one.removed);

let attempts = 0;
/** A version that a run published so many days ago; the pointer shows it when `isShown`. */
async function aVersion(
  run: string,
  version: string,
  daysAgo: number,
  { isShown = false, location = 'churn/raw' } = {},
): Promise<void> {
  const at = new Date(Date.now() - daysAgo * DAY).toISOString();
  const common = {
    ...{ environment: 'dev', location, pipeline: 'churn', path: 'raw', map_key: '', version, run_id: run },
    ...{ attempt_id: ++attempts, manifest_hash: 'h', published_at: at },
  };
  await seeded.insert('path_version', {
    ...common,
    task_id: 'ingest',
    map_index: 0,
    fence: 1,
    release: 'r1',
    files: 1,
    bytes: 10,
  });
  if (isShown) await seeded.insert('path_pointer', { ...common, projected: true });
  const folder = path.join(root, '.sluice/versions', version);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'x'), 'x');
}
const ended = (daysAgo: number) => ({ state: 'success', finished_at: new Date(Date.now() - daysAgo * DAY) });
const left = async () => (await readdir(path.join(root, '.sluice/versions'))).sort();

describe('versions', () => {
  test('that are old, replaced and needed by nobody go; the newest of each location stay', async () => {
    const run = await aRun(seeded, ended(30));
    await aVersion(run, 'v1', 30);
    await aVersion(run, 'v2', 20);
    await aVersion(run, 'v3', 10, { isShown: true });
    expect(await collect({ dryRun: true })).toEqual({
      dryRun: true,
      versions: [{ environment: 'dev', count: 2, bytes: 20, removed: ['v1', 'v2'] }],
      releases: { count: 0, bytes: 0, removed: [] },
      mirrors: { count: 0, bytes: 0 },
      problems: [],
    });
    expect(await left()).toEqual(['v1', 'v2', 'v3']);
    expect(await removed({ keep: 2 })).toEqual(['v1']);
    expect(await left()).toEqual(['v2', 'v3']);
    const [entry] = await seeded.db.query<{ actor: string; detail: unknown }[]>(
      `select actor, detail from audit where action = 'gc' order by seq desc limit 1`,
    );
    expect(entry).toEqual({
      actor: 'ann',
      detail: { keep: 2, olderThanMs: 7 * DAY, versions: 1, bytes: 10, releases: [] },
    });
  });

  test('that are young stay, and so does one that was replaced just now', async () => {
    const run = await aRun(seeded, ended(30));
    await aVersion(run, 'young', 1);
    await aVersion(run, 'old', 30, { location: 'churn/other' });
    await aVersion(run, 'new', 0, { location: 'churn/other', isShown: true });
    await aVersion(run, 'newer', 0.5, { isShown: true });
    expect(await removed()).toEqual([]);
  });

  test('that a later run published again count as new as that, and go as a whole', async () => {
    const run = await aRun(seeded, ended(30));
    const again = await aRun(seeded, ended(12));
    await aVersion(run, 'v1', 30);
    await aVersion(run, 'v2', 20);
    await aVersion(again, 'v1', 12);
    await aVersion(again, 'v3', 10, { isShown: true });
    expect(await removed({ keep: 2 })).toEqual(['v2']);
    const [seen] = (await collect({ keep: 1, dryRun: true })).versions;
    expect(seen).toMatchObject({ count: 1, bytes: 10, removed: ['v1'] });
    expect(await removed({ keep: 1 })).toEqual(['v1']);
    expect(await left()).toEqual(['v3']);
  });

  test('stay that a pointer shows, however many are newer', async () => {
    const run = await aRun(seeded, ended(30));
    await aVersion(run, 'shown', 30, { isShown: true });
    await aVersion(run, 'newer', 20);
    await aVersion(run, 'newest', 10);
    expect(await removed()).toEqual(['newer']);
  });

  test.each([
    ['a run that goes on', { state: 'running' }],
    ['a run that ended lately, so that it can be verified', ended(1)],
  ])('stay that %s read or wrote', async (_what, run) => {
    const old = await aRun(seeded, ended(30));
    for (const [index, name] of ['other', 'read'].entries()) await aVersion(old, name, 30 - index);
    const origin = await aRun(seeded, ended(29));
    const user = await aRun(seeded, { ...run, origin_run: origin });
    await aVersion(user, 'wrote', 26);
    await aVersion(old, 'shown', 20, { isShown: true });
    const inputs = [
      {
        name: 'raw',
        variable: 'PATH_RAW',
        versions: [{ link: null, location: 'l', version: 'read', manifestHash: 'h' }],
      },
    ];
    await aTaskRun(seeded, user, 'train', 'success', { inputs });
    await aTaskRun(seeded, user, 'ingest', 'success');
    expect(await removed()).toEqual(['other']);
  });

  test('that a shadow run wrote go as soon as its verification is over', async () => {
    const run = await aRun(seeded, ended(30));
    await aVersion(run, 'shown', 30, { isShown: true });
    const shadow = await aRun(seeded, { ...ended(29), shadow: true, trigger: 'verification', origin_run: run });
    await aTaskRun(seeded, shadow, 'ingest', 'success');
    await aVersion(shadow, 'shadow', 29);
    const about = {
      id: 1,
      run_id: run,
      shadow_run_id: shadow,
      environment: 'dev',
      pipeline: 'churn',
      actor: 'x',
      sampled: false,
    };
    await seeded.insert('verification', { ...about, requested_at: new Date() });
    expect(await removed()).toEqual([]);
    await seeded.db.query(`update verification set verdict = 'drifted', result = '{}', finished_at = now()`);
    expect(await removed()).toEqual(['shadow']);
  });

  test('whose files could not be erased are erased the next time', async () => {
    const run = await aRun(seeded, ended(30));
    await aVersion(run, 'v1', 30);
    await aVersion(run, 'v2', 20, { isShown: true });
    expect((await collect({}, true)).problems).toEqual(['dev: no disk']);
    expect(await left()).toEqual(['v1', 'v2']);
    expect(await eraseMarked({ db: seeded.db, storageFor })).toEqual([]);
    expect(await left()).toEqual(['v2']);
    expect(await collect()).toMatchObject({ versions: [], problems: [] });
  });
});

test('a run that read what was collected is not comparable any more, and says which input is gone', async () => {
  const storage = storageFor();
  const publish = async (location: string, text: string) => {
    const output = { name: 'raw', variable: 'PATH_RAW', location };
    const staged = await storage.stage({ attemptId: '1', runId: '1', reads: [], writes: [output] });
    await writeFile(path.join(staged.folders.PATH_RAW!, 'a.txt'), text);
    const about = { release: 'r1', pipeline: 'churn', runId: '1', taskId: 'ingest', mapIndex: 0, attempt: 1, fence: 1 };
    const [version] = await storage.seal(staged, about);
    return version!;
  };
  const [input, later, output] = [
    await publish('churn/raw', 'then'),
    await publish('churn/raw', 'now'),
    await publish('churn/models', 'x'),
  ];
  const writer = await aRun(seeded, ended(30));
  const row = async (run: string, task: string, { version, location, manifestHash }: typeof input, daysAgo: number) => {
    const at = new Date(Date.now() - daysAgo * DAY);
    const known = { environment: 'dev', location, pipeline: 'churn', path: 'raw', map_key: '', version, run_id: run };
    const about = { ...known, attempt_id: ++attempts, manifest_hash: manifestHash, published_at: at };
    await seeded.insert('path_version', {
      ...about,
      ...{ task_id: task, map_index: 0, fence: 1, release: 'r1', files: 1, bytes: 4 },
    });
    return about;
  };
  await row(writer, 'ingest', input, 30);
  const reader = await aRun(seeded, ended(29));
  const versions = [{ link: null, ...input }].map(({ link, location, version, manifestHash }) => ({
    ...{ link, location, version, manifestHash },
  }));
  await aTaskRun(seeded, reader, 'train', 'success', { inputs: [{ name: 'raw', variable: 'PATH_RAW', versions }] });
  await row(reader, 'train', output, 29);
  await seeded.insert('path_pointer', { ...(await row(writer, 'ingest', later, 20)), projected: true });

  expect(await removed()).toEqual([input.version]);
  const pipelines = { get: () => Promise.resolve(seeded.pipeline), all: () => Promise.resolve([]) };
  const parts = {
    ...{
      verifications: createVerificationStore(seeded.db),
      store: createStore(seeded.db),
      pipelines,
      clock: systemClock,
    },
    filesOf: (_name: string, version: string, hash: string) => filesOfVersion(storage, version, hash),
    environments: { get: () => ({ hash: 'h' }), all: () => [] },
  } as unknown as VerificationParts;
  await requestVerification(parts, reader, { actor: 'ann', sampled: false });
  expect((await seeded.reads.verification(reader))?.detail).toBe(
    `An input of task train is gone: churn/raw, version ${input.version}.`,
  );

  // It went after the files were looked at, with what told of it.
  await seeded.db.query('delete from path_version where version = $1', [input.version]);
  const unaware = { ...parts, filesOf: async () => [] };
  await requestVerification(unaware, reader, { actor: 'ann', sampled: false });
  expect((await seeded.reads.verification(reader))?.detail).toBe(`Version ${input.version}, which it needs, is gone.`);
});

test('releases that nothing refers to go, with their contents, but the last ones', async () => {
  const made = (daysAgo: number) => ({ alias: 'a', dirty: false, created_at: new Date(Date.now() - daysAgo * DAY) });
  await seeded.insert('release', { digest: 'unused', ...made(30) });
  await seeded.insert('release', { digest: 'ran', ...made(30) });
  await seeded.insert('release', { digest: 'last', ...made(8) });
  await aRun(seeded, { release: 'ran', ...ended(20) });
  const { releases } = await collect();
  expect(releases.removed.map(({ digest }) => digest)).toEqual(['unused']);
  const rows = await seeded.db.query<{ digest: string }[]>('select digest from release order by digest');
  expect(rows.map(({ digest }) => digest)).toEqual(['last', 'r1', 'ran']);
});

test('mirrors of remotes that no environment follows go', async () => {
  const remotes = ['/srv/git/followed.git', '/srv/git/other.git'];
  const mirrors = remotes.map((remote) => {
    const options = { folder: path.join(root, 'follow'), remote, access: { token: null, sshKeyFile: null } };
    return new RemoteMirror(options).repository;
  });
  const longAgo = new Date(Date.now() - 30 * DAY);
  for (const mirror of mirrors) {
    await mkdir(mirror, { recursive: true });
    await utimes(mirror, longAgo, longAgo);
  }
  await followQueries.setFollow(seeded.db, { environment: 'dev', remote: remotes[0] ?? '', ref: 'main' }, 'ann');
  expect((await collect({ dryRun: true })).mirrors).toEqual({ count: 1, bytes: 0 });
  expect((await collect()).mirrors).toEqual({ count: 1, bytes: 0 });
  expect(await readdir(path.join(root, 'follow'))).toEqual([path.basename(mirrors[0] ?? '')]);
  await followQueries.clearFollow(seeded.db, 'dev', 'ann');
});
