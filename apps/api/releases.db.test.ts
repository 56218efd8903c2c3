import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { snapshotCommit, type Snapshot } from '#release';
import { createTestDatabase } from '#testing';
import { TestRepository } from '../../libs/release/repository-fixture.ts';
import { seededReads, type SeededReads } from '../../libs/platform/reads/seeded-reads.ts';
import { anApi, type ApiUnderTest } from './api-under-test.ts';

let repo: TestRepository;
let seeded: SeededReads;
let api: ApiUnderTest;
let db: DataSource;
beforeAll(async () => {
  repo = await TestRepository.create();
  seeded = await seededReads(await createTestDatabase());
  db = seeded.db;
  api = await anApi({}, { reads: seeded.reads, commands: seeded.commands });
});
beforeEach(() =>
  db.query(`delete from environment_pointer where release <> 'r1'; delete from release where digest <> 'r1'`),
);
afterAll(async () => {
  await api.close();
  await seeded.close();
  await repo.remove();
});

const BASE = '/api/v1/releases';
const jenkins = () => api.as('jenkins', 'release:*');
const post = (path: string, body: unknown, headers: Record<string, string> = jenkins()) =>
  api.ask(`${BASE}${path}`, { method: 'POST', body, headers });
const put = (sha256: string, content: string, headers: Record<string, string> = {}) =>
  api.ask(`${BASE}/blobs/${sha256}`, {
    method: 'PUT',
    body: content,
    headers: { ...jenkins(), 'content-type': 'application/octet-stream', ...headers },
  });
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const pipeline = (name: string, run = 'true') => `name: ${name}\ntasks: { only: { run: "${run}" } }\n`;
const manifest = ({ commit, branch, author, message, files }: Snapshot, more: object = {}) => ({
  ...{ commit, branch, author, message, files },
  ...more,
});

/** What the command line does: only what is missing is sent. */
async function create(files: Record<string, string>, more: object = {}) {
  await repo.commit(files, 'A commit\n\nmore');
  const snapshot = await snapshotCommit({ repository: repo.folder, ref: 'HEAD' });
  const blobs = snapshot.files.map(({ sha256, bytes }) => ({ sha256, bytes }));
  const { missing } = (await post('/missing-blobs', { blobs })).json as { missing: string[] };
  for (const file of snapshot.files)
    if (missing.includes(file.sha256))
      expect((await put(file.sha256, String(await snapshot.read(file)))).status).toBe(204);
  return { snapshot, missing, answer: await post('', manifest(snapshot, more)) };
}

describe('a release that is sent to the server', () => {
  test('has the digest of the commit, and stands in lists, by digest, prefix and alias, with its provenance', async () => {
    const { snapshot, answer } = await create(
      { 'dags/a.yaml': pipeline('a'), 'dags/b.py': '1\n' },
      { buildUrl: 'https://ci.example/7' },
    );
    expect([answer.status, answer.json]).toEqual([
      201,
      expect.objectContaining({
        ...{ digest: snapshot.digest, commit: snapshot.commit, branch: 'main', author: 'Ada Ä <ada@example.com>' },
        ...{ message: 'A commit', dirty: false, buildUrl: 'https://ci.example/7', environments: [] },
      }),
    ]);
    const { alias } = answer.json as { alias: string };
    for (const ref of [snapshot.digest, snapshot.digest.slice(0, 6), alias])
      expect((await api.ask(`${BASE}/${ref}`)).json).toEqual({
        ...answer.json,
        pipelines: [{ name: 'a', file: 'a.yaml', tasks: 1 }],
        files: snapshot.files,
        tests: null,
        problems: [],
      });
    const listed = await api.ask(`${BASE}?dirty=false`);
    expect(listed.json).toEqual({ items: [answer.json], next: null });
    const audit = await db.query(`select actor, action, subject, detail from audit where subject = $1`, [
      snapshot.digest,
    ]);
    expect(audit).toEqual([
      expect.objectContaining({
        actor: 'jenkins',
        action: 'release.create',
        detail: expect.objectContaining({ alias, commit: snapshot.commit }),
      }),
    ]);
  });

  test('again changes nothing, sends nothing and is told once in the audit trail', async () => {
    const first = await create({ 'dags/a.yaml': pipeline('a', 'echo again') });
    const second = await create({});
    expect(second.snapshot.commit).not.toBe(first.snapshot.commit);
    expect([second.missing, second.answer.json]).toEqual([[], first.answer.json]);
    const [{ count }] = await db.query(`select count(*) from audit where subject = $1`, [first.snapshot.digest]);
    expect(count).toBe('1');
  });

  test('sends only what changed', async () => {
    await create({ 'dags/a.yaml': pipeline('a', 'one'), 'dags/c.yaml': pipeline('c') });
    const { missing } = await create({ 'dags/a.yaml': pipeline('a', 'two') });
    expect(missing).toEqual([sha256(pipeline('a', 'two'))]);
  });

  test('turns a dirty one with the same content clean', async () => {
    const { snapshot } = await create({ 'dags/a.yaml': pipeline('a', 'dirty') });
    await db.query(`update release set dirty = true, commit = null, branch = 'x' where digest = $1`, [snapshot.digest]);
    expect((await post('', manifest(snapshot))).json).toMatchObject({
      dirty: false,
      commit: snapshot.commit,
      branch: 'main',
    });
  });

  test('with problems is refused with all of them, by file and line; nothing is stored', async () => {
    const { answer, snapshot } = await create({
      'dags/bad.yaml': 'name: bad\ntasks:\n  x: { rn: 1 }\n',
      'dags/worse.yaml': '[]',
    });
    await repo.commit({});
    repo.git('rm', '-q', 'dags/bad.yaml', 'dags/worse.yaml');
    expect([answer.status, answer.json.error.code]).toEqual([422, 'invalid_config']);
    expect(answer.json.error.problems).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ file: 'dags/bad.yaml', line: 3 }),
        expect.objectContaining({ file: 'dags/worse.yaml', line: 1 }),
      ]),
    );
    expect((await api.ask(`${BASE}/${snapshot.digest}`)).status).toBe(404);
  });

  test('says which environments run it, to those who may see them', async () => {
    const { snapshot } = await create({ 'dags/a.yaml': pipeline('a', 'where') });
    await db.query(
      `insert into environment_pointer (environment, seq, release, actor) values ('prod', 1, $1, 't'), ('test', 1, $1, 't'), ('test', 2, 'r1', 't')`,
      [snapshot.digest],
    );
    const seen = async (rights: string) =>
      (await api.ask(`${BASE}/${snapshot.digest}`, { headers: api.as(rights, rights) })).json.environments;
    expect(await seen('view:*')).toEqual(['prod']);
    expect(await seen('view:prod')).toEqual(['prod']);
    expect(await seen('view:test')).toEqual([]);
  });
});

describe('two releases', () => {
  test('differ in pipelines by meaning and in files by content', async () => {
    const a = await create({ 'dags/a.yaml': pipeline('a', 'one'), 'dags/gone.txt': 'x' });
    repo.git('rm', '-q', 'dags/gone.txt');
    const b = await create({
      'dags/a.yaml': `# only a comment\n${pipeline('a', 'two')}`,
      'dags/new.yaml': pipeline('new'),
    });
    const { status, json } = await api.ask(`${BASE}/${b.snapshot.digest}/diff?from=${a.snapshot.digest.slice(0, 10)}`);
    expect(status).toBe(200);
    expect([json.from.digest, json.to.digest]).toEqual([a.snapshot.digest, b.snapshot.digest]);
    expect(json.pipelines).toEqual([
      {
        ...{ pipeline: 'a', change: 'changed', fields: [] },
        tasks: [{ task: 'only', change: 'changed', fields: [{ field: 'body.script', before: 'one', after: 'two' }] }],
      },
      { pipeline: 'new', change: 'added', fields: [], tasks: [] },
    ]);
    expect(json.files.map((file: { path: string; change: string }) => [file.path, file.change])).toEqual([
      ['a.yaml', 'changed'],
      ['gone.txt', 'removed'],
      ['new.yaml', 'added'],
    ]);
    expect((await api.ask(`${BASE}/${b.snapshot.digest}/diff?from=${b.snapshot.digest}`)).json).toMatchObject({
      pipelines: [],
      files: [],
    });
  });

  test('may have one alias or a common beginning; then it must be said which', async () => {
    const rows = ['aaaaaa1', 'aaaaaa2'].map((start) => `('${start.padEnd(64, '0')}', 'frozen-heron', false)`);
    await db.query(`insert into release (digest, alias, dirty) values ${rows.join(', ')}`);
    for (const ref of ['aaaaaa', 'frozen-heron']) {
      const { status, json } = await api.ask(`${BASE}/${ref}`);
      expect([status, json.error.message]).toEqual([
        409,
        expect.stringMatching(/may mean several releases: aaaaaa[12]0{5} of /),
      ]);
    }
  });

  test('a release whose contents were swept is known, but cannot be looked into', async () => {
    await db.query(`insert into release (digest, alias, dirty) values ('${'b'.repeat(64)}', 'old-owl', true)`);
    const { status, json } = await api.ask(`${BASE}/old-owl`);
    expect([status, json.error.message]).toEqual([
      404,
      expect.stringMatching(/contents of release old-owl .* are gone/),
    ]);
    expect((await api.ask(BASE)).json.items.map((one: { alias: string }) => one.alias)).toContain('old-owl');
  });
});

describe('lists', () => {
  test('reach every release once by their cursors, newest first, also those of one instant', async () => {
    const rows = Array.from(
      { length: 7 },
      (_, i) => `('${String(i).repeat(64)}', 'a-b', false, '2026-01-0${1 + (i >> 1)}')`,
    );
    await db.query(`insert into release (digest, alias, dirty, created_at) values ${rows.join(', ')}`);
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const { json } = await api.ask(`${BASE}?dirty=false&limit=2${cursor}`);
      seen.push(...json.items.map((one: { digest: string }) => one.digest[0]));
      if (json.next === null) break;
      cursor = `&cursor=${json.next}`;
    }
    expect(seen).toEqual(['6', '5', '4', '3', '2', '1', '0']);
  });
});

describe('what is sent is not believed', () => {
  const file = (path: string, text = pipeline('x')) => ({
    path,
    executable: false,
    bytes: text.length,
    sha256: sha256(text),
  });
  const send = (files: object[], more: object = {}) => post('', { commit: 'c'.repeat(40), files, ...more });

  test('a content under another hash, as JSON, or under no hash is refused', async () => {
    expect((await put(sha256('x'), 'y')).status).toBe(400);
    expect((await put('../../etc/passwd', 'y')).status).toBe(404);
    expect((await put('A'.repeat(64), 'y')).status).toBe(400);
    expect((await put(sha256('{}'), '{}', { 'content-type': 'application/json' })).status).toBe(400);
    expect((await put(sha256('a=b'), 'a=b', { 'content-type': 'text/plain' })).status).toBe(415);
  });

  test('paths, sizes, commits and addresses are checked again', async () => {
    await put(sha256(pipeline('x')), pipeline('x'));
    expect((await send([file('a.yaml')])).status).toBe(201);
    for (const path of ['../x', '/etc/x', 'a/../x', '.git/config', 'a\\b', 'C:x', ''])
      expect(`${path} ${(await send([file('a.yaml'), file(path)])).status}`).toBe(`${path} 400`);
    const clash = await send([file('A.yaml'), file('a.yaml')]);
    expect([clash.status, clash.json.error.problems]).toEqual([
      400,
      [expect.objectContaining({ file: 'dags/a.yaml' })],
    ]);
    expect((await send([{ ...file('a.yaml'), bytes: 7 }])).status).toBe(409);
    expect((await send([file('a.yaml', 'never sent')])).json.error.message).toMatch(/lacks 1 contents/);
    expect((await send([file('a.yaml')], { commit: 'HEAD' })).status).toBe(400);
    expect((await send([file('a.yaml')], { buildUrl: 'javascript:alert(1)' })).status).toBe(400);
    expect((await send([])).status).toBe(400);
  });

  test('a list of 50,000 files is not too large, one of 50,001 is refused', async () => {
    const files = Array.from({ length: 50_001 }, (_, i) => file(`folder-of-some-length/file-of-some-length-${i}.yaml`));
    const most = await send(files.slice(1).map((one) => ({ ...one, sha256: sha256('not there') })));
    expect([most.status, most.json.error.message]).toEqual([409, expect.stringContaining('lacks')]);
    expect((await send(files)).status).toBe(400);
  });

  test('only those with the right to release may send anything', async () => {
    for (const rights of ['view:*', 'operate:* promote:*']) {
      const headers = api.as('other', rights);
      expect((await post('/missing-blobs', { blobs: [] }, headers)).status).toBe(403);
      expect((await put(sha256('x'), 'x', headers)).status).toBe(403);
      expect((await post('', { commit: 'c'.repeat(40), files: [file('a.yaml')] }, headers)).status).toBe(403);
      expect((await post('/r1/tests', {}, headers)).status).toBe(403);
    }
  });
});
