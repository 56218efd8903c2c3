import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TestRepository } from '../../libs/release/repository-fixture.ts';
import { TestProject, until, type RunningStandalone } from './standalone-fixture.ts';

const GOOD = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].map((letter) => `good-${letter}`);
const good = (name: string): string => `name: ${name}\ntasks:\n  say:\n    run: echo ${name}\n`;
const BROKEN = 'name: broken\ntasks:\n  a:\n    run: "true"\n    need: [b]\n';
const WRITES = `
name: writes
paths: { file: file }
tasks:
  write: { run: 'echo "$SLUICE_ENV" > "$PATH_FILE/x"', writes: [file] }
`;
/** Waits for a file, then runs a script of the release. */
const slow = (words: string): string => `
name: slow
params: { go: { type: string, default: "" } }
tasks:
  wait: { run: 'until [ -e "$PARAM_GO" ]; do sleep 0.05; done' }
  say:
    needs: [wait]
    run: bash slow/say.sh "${words}"
`;

let project: TestProject;
let running: RunningStandalone;
beforeAll(async () => {
  project = await TestProject.create({
    ...Object.fromEntries(GOOD.map((name) => [`dags/${name}.yaml`, good(name)])),
    'dags/broken.yaml': BROKEN,
    'dags/writes.yaml': WRITES,
    'dags/slow.yaml': slow('first'),
    'dags/slow/say.sh': 'echo "script 1 says $1"\n',
  });
  running = await project.start();
});
afterAll(() => project.destroy());

const releaseOfDev = async (): Promise<string | null> =>
  (await running.client.environments()).find(({ name }) => name === 'dev')?.release ?? null;
const linesOf = async (runId: string, task: string): Promise<string[]> =>
  (await running.client.log({ runId, task })).lines.filter(({ stream }) => stream === 'out').map(({ text }) => text);

const storage = (path: string): string => join(project.folder, '.sluice/storage/dev', path);

test('a preview runs what it was given in a folder of its own, until it is removed', async () => {
  const release = String(await releaseOfDev());
  const made = await project.sluice('env', 'create', 'dev/pr-1', '--release', release.slice(0, 12), '-o', 'name');
  expect([made.code, made.out]).toEqual([0, 'dev/pr-1\n']);
  const ended = await project.sluice('run', 'writes', '--env', 'dev/pr-1', '--wait', '--json');
  expect(JSON.parse(ended.out)).toMatchObject({ environment: 'dev/pr-1', state: 'success' });
  expect(await readFile(storage('previews/pr-1/writes/file/x'), 'utf8')).toBe('dev/pr-1\n');
  expect(existsSync(storage('writes'))).toBe(false);
  expect((await project.sluice('env', 'remove', 'dev/pr-1')).code).toBe(0);
  expect((await project.sluice('run', 'writes', '--env', 'dev/pr-1')).code).toBe(5);
});

describe('one broken and ten good pipeline files', () => {
  test('the ten run', async () => {
    const ended = await Promise.all(GOOD.map((name) => running.run(name)));
    expect(ended.map(({ pipeline, state }) => [pipeline, state])).toEqual(GOOD.map((name) => [name, 'success']));
  });

  test('the broken one is listed with its place and remedy, and can only not run', async () => {
    const place = {
      line: 5,
      column: 5,
      message: expect.stringContaining('"need"'),
      hint: expect.stringContaining('needs'),
    };
    const dev = (await running.client.environments()).find(({ name }) => name === 'dev');
    expect(dev?.problems).toEqual([
      expect.objectContaining({ file: expect.stringMatching(/broken\.yaml$/), ...place }),
    ]);
    const listed = await running.client.pipelines('dev');
    expect(listed.filter(({ problems }) => problems.length > 0)).toEqual([
      expect.objectContaining({ name: 'broken', problems: [expect.objectContaining(place)] }),
    ]);
    expect(listed).toHaveLength(GOOD.length + 3);
    const refused = await running.request('POST', '/api/v1/pipelines/broken/runs', '{"environment":"dev"}');
    expect([refused.status, await refused.json()]).toMatchObject([
      expect.any(Number),
      { error: { message: expect.stringContaining('broken') } },
    ]);
    expect(Math.floor(refused.status / 100)).toBe(4);
    expect(running.out).toMatch(/^\S*broken\.yaml:5:5: .*"need"/m);
  });

  test('sluice validate says so with exit code 3', async () => {
    const checked = await project.sluice('validate');
    expect(checked.code).toBe(3);
    expect(checked.out).toMatch(/^dags\/broken\.yaml:5:5: error: .*"need"/);
  });

  test('corrected, it runs without a restart', async () => {
    await project.write('dags/broken.yaml', BROKEN.replace('    need: [b]\n', ''));
    await running.when('the corrected file', async () => {
      const { problems } = await running.client.pipeline('broken', 'dev');
      return problems.length === 0;
    });
    expect(await running.run('broken')).toMatchObject({ state: 'success' });
  });
});

describe('editing files while a run is under way', () => {
  test('makes a new release within two seconds; the run ends undisturbed on the old one, the next takes the new', async () => {
    const go = join(project.folder, 'go');
    const before = await releaseOfDev();
    const first = await running.client.trigger('slow', { environment: 'dev', params: { go } });
    await until('the waiting task', () => project.processes().some(({ command }) => command.includes('$PARAM_GO')));

    await project.write('dags/slow/say.sh', 'echo "script 2 says $1"\n');
    await project.write('dags/slow.yaml', slow('second'));
    const edited = Date.now();
    const after = await running.when('a new release', async () => {
      const release = await releaseOfDev();
      return release !== before ? release : null;
    });
    const dev = (await running.client.environments()).find(({ name }) => name === 'dev');
    expect(Date.parse(dev?.releasedAt ?? '') - edited).toBeLessThan(2000);
    expect((await running.client.pipeline('slow', 'dev')).source).toContain('second');

    const second = await running.client.trigger('slow', { environment: 'dev', params: { go } });
    expect([first.release, second.release]).toEqual([before, after]);
    expect((await running.client.run(first.id)).state).toBe('running');
    await writeFile(go, '');
    expect(await running.endOf(first.id)).toMatchObject({ state: 'success', release: before });
    expect(await running.endOf(second.id)).toMatchObject({ state: 'success', release: after });
    expect(await linesOf(first.id, 'say')).toEqual(['script 1 says first']);
    expect(await linesOf(second.id, 'say')).toEqual(['script 2 says second']);
  });

  test('a file that breaks while its run is under way stops nothing, and the pipeline waits for its correction', async () => {
    const go = join(project.folder, 'go-again');
    const { id, release } = await running.client.trigger('slow', { environment: 'dev', params: { go } });
    await project.write('dags/slow.yaml', 'name: slow\ntasks: [');
    await running.when('the problem', async () => (await running.client.pipeline('slow', 'dev')).problems.length > 0);
    await writeFile(go, '');
    expect(await running.endOf(id)).toMatchObject({ state: 'success', release });
    expect((await running.request('POST', '/api/v1/pipelines/slow/runs', '{"environment":"dev"}')).status).toBeLessThan(
      500,
    );
    expect(await running.run('good-a')).toMatchObject({ state: 'success' });
  });
});

test('of a preview that was removed nothing is left but its runs', async () => {
  await until('the removal', () => !existsSync(storage('previews/pr-1')));
  await running.when('the end of the preview', async () => (await running.client.environments()).length === 1);
  expect((await running.client.runs({ env: 'dev/pr-1' })).items.map(({ state }) => state)).toEqual(['success']);
});

describe('following a git remote instead', () => {
  let repo: TestRepository;
  beforeAll(async () => {
    repo = await TestRepository.create();
    await repo.commit({ 'dags/from-git.yaml': good('from-git') });
  });
  afterAll(() => repo.remove());
  const dev = async () => (await running.client.environments()).find(({ name }) => name === 'dev');

  test('the working tree waits, a commit runs within five seconds, a broken one leaves the last release running', async () => {
    const set = await project.sluice('env', 'set', 'dev', '--follow', `${repo.folder}#main`, '--json');
    expect([set.code, JSON.parse(set.out).follow]).toMatchObject([0, { ref: 'main', problem: null }]);
    const before = await releaseOfDev();
    await project.write('dags/good-a.yaml', good('good-a').replace('echo', 'printf'));

    const commit = await repo.commit({ 'dags/from-git.yaml': good('from-git').replace('echo', 'printf') });
    const committed = Date.now();
    const after = await running.when('the commit', async () => {
      const now = await dev();
      return now?.release !== before && now?.follow?.commit === commit ? now : null;
    });
    expect(Date.parse(after.releasedAt ?? '') - committed).toBeLessThan(5000);
    expect((await running.client.pipelines('dev')).map(({ name }) => name)).toEqual(['from-git']);
    expect(await running.run('from-git')).toMatchObject({ state: 'success', release: after.release });

    await repo.commit({ 'dags/from-git.yaml': BROKEN });
    await running.when('the problem', async () => (await dev())?.follow?.problem ?? null);
    const shown = await project.sluice('env', 'show', 'dev');
    expect(shown.out).toMatch(/^dags\/from-git\.yaml:5:5: error: .*"need"/m);
    expect(await running.run('from-git')).toMatchObject({ state: 'success', release: after.release });
  });

  test('followed no more, the working tree decides again', async () => {
    expect((await project.sluice('env', 'set', 'dev', '--no-follow')).code).toBe(0);
    await running.when('the working tree', async () =>
      (await running.client.pipelines('dev')).some(({ name }) => name === 'good-a'),
    );
    expect((await running.client.pipeline('good-a', 'dev')).source).toContain('printf');
  });
});
