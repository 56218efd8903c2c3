import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ReleaseRecord } from '#core';
import { createStore } from '#store';
import { createTestDatabase } from '#testing';
import { TestRepository } from '../../release/repository-fixture.ts';
import { EnvironmentFiles } from '../environment-files.ts';
import { createDriftReads } from './drift-reads.ts';
import { seededReads, type SeededReads } from './seeded-reads.ts';

let seeded: SeededReads;
let repo: TestRepository;
let environments: EnvironmentFiles;
beforeAll(async () => {
  seeded = await seededReads(await createTestDatabase());
  repo = await TestRepository.create();
  await repo.write({ 'environments/prod.yaml': 'name: prod\nstorage: data\n' });
  environments = new EnvironmentFiles(repo.folder);
  await environments.load(createStore(seeded.db), 'ann');
});
afterAll(async () => {
  await seeded.close();
  await repo.remove();
});

const drift = async () => {
  const { items } = await createDriftReads({ db: seeded.db, environments, project: repo.folder }).environmentDrift(
    'prod',
  );
  return items.map(({ kind, text }) => `${kind}: ${text}`);
};
const aRelease = async (digest: string, commit: string): Promise<ReleaseRecord> => {
  const release = { digest, alias: `${digest}-owl`, commit, branch: 'main', author: null, message: null, dirty: false };
  await seeded.insert('release', { ...release, created_at: new Date() });
  return release;
};

test('commits are counted in the project’s repository; the file is the one of now, pauses say who', async () => {
  const store = createStore(seeded.db);
  const first = await repo.commit({ 'dags/a.txt': '1' });
  const old = await aRelease('old', first);
  await store.pointAt('prod', old, 0, 'ann');
  expect(await drift()).toEqual([]);

  for (const text of ['2', '3', '4']) await repo.commit({ 'dags/a.txt': text });
  expect(await drift()).toEqual([
    `unreleased: main is 3 commits ahead of the newest release old-owl (${first.slice(0, 12)}).`,
  ]);
  const newest = repo.git('rev-parse', 'HEAD');
  await aRelease('new', newest);
  expect(await drift()).toEqual([
    `behind: prod is 3 commits behind: it runs old-owl (${first.slice(0, 12)}), the newest release is new-owl (${newest.slice(0, 12)}).`,
  ]);

  await store.syncSchedules('prod', [{ pipeline: 'churn', definition: '{}' }]);
  await store.setPaused('prod', 'churn', true);
  await writeFile(path.join(repo.folder, 'environments/prod.yaml'), 'name: prod\nstorage: data\nvars: { a: 1 }\n');
  expect((await drift()).slice(1)).toEqual([
    expect.stringMatching(/^configuration: The file \([0-9a-f]{12}\) is not what was applied/),
    'paused: The schedule of churn is paused.',
  ]);
  await writeFile(path.join(repo.folder, 'environments/prod.yaml'), 'name: prod\nstorrage: data\n');
  expect((await drift())[1]).toMatch(/^configuration: The file has problems.*environments\/prod\.yaml:2:1/);
});

test('an environment that there is not is none', async () => {
  await expect(
    createDriftReads({ db: seeded.db, environments, project: '/' }).environmentDrift('nope'),
  ).rejects.toThrow('There is no environment "nope".');
});
