import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createTestDatabase } from '#testing';
import { anApi, TOKEN, type ApiUnderTest } from '../../api/api-under-test.ts';
import { TestRepository } from '../../../libs/release/repository-fixture.ts';
import { seededReads, type SeededReads } from '../../../libs/platform/reads/seeded-reads.ts';
import { sluice } from '../fixture/test-io.ts';

// The command line against the API on Postgres and a release store, with real repositories.
let seeded: SeededReads;
let api: ApiUnderTest;
let repo: TestRepository;
beforeAll(async () => {
  seeded = await seededReads(await createTestDatabase());
  api = await anApi({}, { reads: seeded.reads, commands: seeded.commands });
});
afterAll(async () => {
  await api.close();
  await seeded.close();
});
beforeEach(async () => {
  await seeded.db.query(`delete from release where digest <> 'r1'`);
  repo = await TestRepository.create();
});
afterEach(() => repo.remove());

const release = (words: string, env: Record<string, string> = {}, cwd = repo.folder) =>
  sluice(['release', ...words.split(' ')], {
    cwd,
    env: {
      ...{ PATH: process.env.PATH ?? '', SLUICE_URL: `http://127.0.0.1:${api.port}`, SLUICE_TOKEN: TOKEN },
      ...env,
    },
  });
const pipeline = (name: string, run = 'true') => `name: ${name}\ntasks: { only: { run: "${run}" } }\n`;
const json = async (words: string, env: Record<string, string> = {}) => {
  const { out, err, code } = await release(`${words} -o json`, env);
  if (code !== 0) throw new Error(err);
  return JSON.parse(out);
};

describe('sluice release create', () => {
  test('makes a release of the commit, with what CI says about it', async () => {
    const commit = await repo.commit({ 'dags/a.yaml': pipeline('a'), 'dags/train.py': 'print(1)\n' });
    const ci = { BUILD_URL: 'https://ci.example/job/7/', BRANCH_NAME: 'not asked' };
    const made = await json('create', ci);
    expect(made).toMatchObject({
      commit,
      branch: 'main',
      dirty: false,
      buildUrl: 'https://ci.example/job/7/',
      environments: [],
    });
    expect(await release('digest')).toEqual({ code: 0, out: `${made.digest}\n`, err: '' });
    expect(await json(`show ${made.alias}`)).toMatchObject({
      digest: made.digest,
      files: [{ path: 'a.yaml' }, { path: 'train.py' }],
    });
    expect((await json('list')).map((one: { digest: string }) => one.digest)).toEqual([made.digest]);
  });

  test('a detached checkout takes the branch from CI; options win over its variables', async () => {
    const commit = await repo.commit({ 'dags/a.yaml': pipeline('a', 'detached') });
    repo.git('checkout', '-q', '--detach');
    const ci = { BUILD_URL: 'https://ci.example/1', BRANCH_NAME: 'PR-12' };
    expect(await json(`create --commit ${commit}`, ci)).toMatchObject({
      branch: 'PR-12',
      buildUrl: 'https://ci.example/1',
    });
    await repo.commit({ 'dags/a.yaml': pipeline('a', 'detached again') });
    expect(await json('create --branch feature/x --build-url https://ci.example/2', ci)).toMatchObject({
      branch: 'feature/x',
      buildUrl: 'https://ci.example/2',
    });
  });

  test('again is the same release, and nothing is sent', async () => {
    await repo.commit({ 'dags/a.yaml': pipeline('a', 'again') });
    const first = await release('create');
    expect(first).toMatchObject({ code: 0, err: expect.stringContaining('Sending 1 of 1 contents.') });
    const again = await release('create');
    expect(again).toMatchObject({ code: 0, out: first.out });
    expect(again.err).not.toContain('Sending');
  });

  test('from another folder, a bare repository and an older commit', async () => {
    const first = await repo.commit({ 'dags/a.yaml': pipeline('a', 'bare') });
    await repo.commit({ 'dags/a.yaml': pipeline('a', 'newer') });
    repo.git('clone', '-q', '--bare', '.', '../bare.git');
    const { digest } = await json(`create --ref ${first}`);
    expect((await release(`digest --repo bare.git --ref main~1`, {}, repo.base)).out).toBe(`${digest}\n`);
    expect((await release('digest --ref main~1', {}, path.join(repo.base, 'bare.git'))).out).toBe(`${digest}\n`);
    expect((await release(`digest --ref ${first}`, {}, path.join(repo.folder, 'dags'))).out).toBe(`${digest}\n`);
  });

  test('refuses a commit with problems as validate shows them, with exit code 3', async () => {
    await repo.commit({ 'dags/a.yaml': pipeline('a'), 'dags/bad.yaml': 'name: bad\ntasks:\n  x: { rn: 1 }\n' });
    const refused = await release('create');
    const validated = await sluice(['validate'], { cwd: repo.folder });
    expect([refused.code, refused.out]).toEqual([3, '']);
    expect(validated.out).toMatch(/^dags\/bad\.yaml:3:\d+: error: /);
    expect(refused.err).toContain(validated.out);
    expect(refused.err).toMatch(/error: This cannot become a release: \d+ problems? in 1 file of the commit\./);
    const machine = await release('create -o json');
    expect(JSON.parse(machine.err.split('\n').find((line) => line.startsWith('{')) ?? '').error).toMatchObject({
      code: 'invalid_config',
      problems: expect.arrayContaining([expect.objectContaining({ file: 'dags/bad.yaml', line: 3 })]),
    });
    expect((await release('list')).out).toBe('');
  });

  test('refuses a hostile tree by name before it asks the server, with exit code 3', async () => {
    const blob = repo.blob(pipeline('a'));
    const commit = repo.commitTree(
      repo.tree([
        ['100644', '.GIT', blob],
        ['120000', 'link', blob],
        ['160000', 'sub', '1'.repeat(40)],
      ]),
    );
    const refused = await release(`create --ref ${commit}`, { SLUICE_URL: 'http://127.0.0.1:9' });
    expect(refused.code).toBe(3);
    for (const line of [
      'dags/.GIT:1:1: holds the segment ".GIT"',
      'dags/link:1:1: is a symbolic link',
      'dags/sub:1:1: is a submodule',
    ])
      expect(refused.err).toContain(line);
  });

  test.each([
    ['create --ref nope', 5, /has no commit "nope"/],
    ['digest --repo nowhere', 1, /there is no folder .*nowhere/],
    ['create --ref main --commit HEAD', 2, /cannot be used with/],
    ['show 12345', 2, /at least six digits/],
    ['show frozen-nothing', 5, /There is no release frozen-nothing/],
  ])('%s ends with %i', async (words, code, expected) => {
    await repo.commit({ 'dags/a.yaml': pipeline('a') });
    const { code: actual, err } = await release(words);
    expect([actual, err]).toEqual([code, expect.stringMatching(expected)]);
  });

  test('runs no git that the repository brings along', async () => {
    await repo.commit({ 'dags/a.yaml': pipeline('a'), git: '#!/bin/sh\necho hijacked\n' });
    repo.run(['update-index', '--chmod=+x', 'git']);
    repo.git('checkout', '-q', '-f', 'HEAD');
    const { out } = await release('digest', { PATH: `.:${process.env.PATH}` });
    expect(out).toMatch(/^[0-9a-f]{64}\n$/);
  });
});

describe('sluice release diff', () => {
  test('tells pipelines, tasks, fields and files; for programs as JSON and rows; exit code 10 when asked', async () => {
    await repo.commit({ 'dags/a.yaml': pipeline('a', 'one'), 'dags/gone.txt': 'x' });
    const a = await json('create');
    repo.git('rm', '-q', 'dags/gone.txt');
    await repo.commit({
      'dags/a.yaml': pipeline('a', 'two').replace('name: a', 'name: a\nowner: ml'),
      'dags/new.yaml': pipeline('new'),
    });
    const b = await json('create');
    const told = await release(`diff ${a.digest} ${b.alias}`);
    expect(told).toMatchObject({
      code: 0,
      out: [
        '~ pipeline a',
        '    owner: "" → ml',
        '    ~ task only',
        '        body.script: one → two',
        '+ pipeline new',
        '~ dags/a.yaml',
        '- dags/gone.txt',
        '+ dags/new.yaml',
        '',
      ].join('\n'),
    });
    expect((await release(`diff ${a.digest} ${b.digest} --exit-code`)).code).toBe(10);
    expect(await release(`diff ${a.digest} ${a.digest} --exit-code`)).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringContaining('are the same'),
    });
    expect((await release(`diff ${a.digest} ${b.digest} -o csv`)).out.split('\n').slice(0, 4)).toEqual([
      'what,name,change,field,before,after',
      'pipeline,a,changed,owner,"""""",ml',
      'task,a/only,changed,body.script,one,two',
      'pipeline,new,added,,,',
    ]);
    expect((await json(`diff ${a.digest} ${b.digest}`)).pipelines).toHaveLength(2);
  });
});

describe('sluice test --record', () => {
  const tests = (expected: string) =>
    `pipeline: a\ntests:\n  it goes on:\n    expect: { state: success }\n  another:\n    expect: { state: ${expected} }\n`;
  const record = (words = '', env: Record<string, string> = {}) =>
    sluice(['test', '--record', ...words.split(' ').filter(Boolean)], {
      cwd: repo.folder,
      env: {
        ...{ PATH: process.env.PATH ?? '', SLUICE_URL: `http://127.0.0.1:${api.port}`, SLUICE_TOKEN: TOKEN },
        ...env,
      },
    });

  test('records the result with the release that dags/ is, a failure too; the newest counts', async () => {
    await repo.commit({ 'dags/a.yaml': pipeline('a', 'recorded'), 'dags/tests/a.yaml': tests('failed') });
    expect(await record()).toMatchObject({ code: 5, out: '', err: expect.stringContaining('is no release') });
    const { digest } = await json('create');
    expect((await json(`show ${digest}`)).tests).toBeNull();
    const failed = await record(`--release ${digest} --junit ../tests.xml`, { BUILD_URL: 'https://ci.example/job/7/' });
    expect([failed.code, failed.err]).toEqual([
      7,
      expect.stringMatching(/1 failed\.\nRecorded with release [a-z-]+\./),
    ]);
    const junit = createHash('sha256')
      .update(await readFile(path.join(repo.base, 'tests.xml')))
      .digest('hex');
    expect((await json(`show ${digest}`)).tests).toMatchObject({
      ...{ passed: 1, failed: 1, junit, buildUrl: 'https://ci.example/job/7/', seconds: expect.any(Number) },
    });
    await repo.commit({ 'dags/tests/a.yaml': tests('success') });
    const other = await json('create');
    expect(await record(`--release ${digest}`)).toMatchObject({
      code: 6,
      out: '',
      err: expect.stringMatching(
        /dags\/ as it is here \([0-9a-f]{12}\) is not release [a-z-]+ .*; nothing was tested\./,
      ),
    });
    expect((await record('--json')).code).toBe(0);
    expect((await json(`show ${other.alias}`)).tests).toMatchObject({ passed: 2, failed: 0, buildUrl: null });
    expect((await release(`show ${other.alias}`)).out).toMatch(/tests +2 passed, 0 failed, recorded by/);
    const trail = await seeded.db.query(`select subject from audit where action = 'release.test' order by seq`);
    expect(trail).toEqual([{ subject: digest }, { subject: other.digest }]);
  });

  test.each([
    ['another', 'Only all tests are recorded'],
    ['--update', '--update changes what is tested'],
  ])('%s is refused: what is recorded is the whole result', async (words, expected) => {
    await repo.commit({ 'dags/a.yaml': pipeline('a') });
    expect(await record(words)).toMatchObject({ code: 2, err: expect.stringContaining(expected) });
  });
});
