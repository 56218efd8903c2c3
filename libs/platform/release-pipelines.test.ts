import { expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createReleaseStore, snapshotFolder } from '#release';
import { ReleasePipelines } from './release-pipelines.ts';

const FILES = {
  'good.yaml': 'name: good\nextends: _base.yaml\ntasks: { hello: { run: echo hello } }\n',
  'broken.yaml': 'name: broken\ntasks: { hello: { rnu: echo hello } }\n',
  '_base.yaml': 'owner: growth\n',
  'tests/good.yaml': 'pipeline: good\ntests: []\n',
  'plugins/greet/plugin.yaml':
    'name: greet\nversion: 1.0.0\ndescription: Greets\nentry: plugin.mjs\nwith: { type: object }\n',
  'plugins/greet/plugin.mjs': 'export function run() {}\n',
};

test('screens list pipelines, broken ones too; parts, tests and plugins are none', async () => {
  const repository = await mkdtemp(path.join(tmpdir(), 'sluice-release-'));
  try {
    for (const [name, text] of Object.entries(FILES)) {
      const file = path.join(repository, 'dags', name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, text);
    }
    const store = createReleaseStore({ folder: path.join(repository, 'releases') });
    const { digest } = await store.put(await snapshotFolder({ repository }));
    const listed = await new ReleasePipelines(store).pipelines(digest);
    expect(listed.map(({ name, problems }) => `${name} ${problems.length}`).sort()).toEqual(['broken 1', 'good 0']);
  } finally {
    await rm(repository, { recursive: true, force: true });
  }
});
