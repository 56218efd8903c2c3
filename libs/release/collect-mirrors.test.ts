import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { collectMirrors } from './collect-mirrors.ts';
import { RemoteMirror } from './follow-remote.ts';
import { TestRepository } from './repository-fixture.ts';

const DAY = 86_400_000;
let repo: TestRepository;
let folder: string;
beforeEach(async () => {
  repo = await TestRepository.create();
  await repo.commit({ 'dags/a.yaml': 'name: a\ntasks: { only: { run: "true" } }\n' });
  folder = path.join(repo.base, 'follow');
});
afterEach(() => repo.remove());

const mirrorOf = (remote: string) => new RemoteMirror({ folder, remote, access: { token: null, sshKeyFile: null } });
const collect = (followed: readonly string[], more: { dryRun?: boolean; now?: number } = {}) =>
  collectMirrors({ ...{ folder, followed, olderThanMs: 7 * DAY, now: Date.now() + 8 * DAY, dryRun: false }, ...more });
const there = async () => (await readdir(folder)).filter((name) => name.includes('.git')).sort();

test('the mirror of a remote that nothing follows goes, once nothing was fetched into it for long', async () => {
  const [one, two] = [mirrorOf(repo.folder), mirrorOf(`file://${repo.folder}`)];
  for (const mirror of [one, two]) await mirror.fetch('refs/heads/main');
  expect(await collect([], { now: Date.now() })).toEqual({ count: 0, bytes: 0 });
  const planned = await collect([repo.folder], { dryRun: true });
  expect([planned.count, planned.bytes > 100]).toEqual([1, true]);
  expect(await there()).toHaveLength(2);
  expect(await collect([repo.folder])).toEqual(planned);
  expect(await there()).toEqual([path.basename(one.repository)]);
  // Followed again, it is made again.
  expect(await two.fetch('refs/heads/main')).toMatch(/^[0-9a-f]{40}$/);
});

test('a fetch makes a mirror young again', async () => {
  const mirror = mirrorOf(repo.folder);
  await mirror.fetch('refs/heads/main');
  const longAgo = new Date(Date.now() - 30 * DAY);
  await utimes(mirror.repository, longAgo, longAgo);
  await mirror.fetch('refs/heads/main');
  expect((await collect([], { now: Date.now() })).count).toBe(0);
});

test('what was left half made or half removed goes; what is no mirror stays', async () => {
  const half = ['0123456789abcdef.git.7.new', '0123456789abcdef.git.7.old'];
  for (const name of [...half, 'notes.git', '0123456789abcdef.git.new'])
    await mkdir(path.join(folder, name), { recursive: true });
  await writeFile(path.join(folder, 'gitconfig'), '');
  expect((await collect([])).count).toBe(2);
  expect((await readdir(folder)).sort()).toEqual(['0123456789abcdef.git.new', 'gitconfig', 'notes.git']);
});

test('without a folder there is nothing to remove', async () => {
  expect(await collect([])).toEqual({ count: 0, bytes: 0 });
});
