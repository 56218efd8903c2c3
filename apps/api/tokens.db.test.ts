import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Auth, createLog, NamedTokens, systemClock } from '#platform';
import { createTestDatabase } from '#testing';
import { aRun, seededReads, type SeededReads } from '../../libs/platform/reads/seeded-reads.ts';
import { anApi, TOKEN, type ApiUnderTest } from './api-under-test.ts';

// Tokens and the audit trail from one end to the other, with Postgres behind the API. Every line that is logged is kept.
let seeded: SeededReads;
let api: ApiUnderTest;
const logged: string[] = [];
beforeAll(async () => {
  seeded = await seededReads(await createTestDatabase());
  const tokens = new NamedTokens(seeded.db, systemClock);
  api = await anApi(
    {},
    {
      reads: seeded.reads,
      commands: seeded.commands,
      tokens,
      auth: new Auth(TOKEN, systemClock, tokens),
      log: createLog({ level: 'trace', pretty: false, destination: { write: (line) => void logged.push(line) } }),
    },
  );
});
afterAll(async () => {
  await api.close();
  await seeded.close();
});

const as = (token: string) => ({ authorization: `Bearer ${token}` });
const post = (path: string, body: object, headers?: Record<string, string>) =>
  api.ask(`/api/v1${path}`, { method: 'POST', body, ...(headers ? { headers } : {}) });

async function aToken(name: string, ...rights: string[]): Promise<string> {
  const given = rights.map((one) => ({ right: one.split(':')[0], environment: one.split(':')[1] }));
  const made = await post('/tokens', { name, rights: given });
  expect([made.status, made.json]).toEqual([201, expect.objectContaining({ name, token: expect.any(String) })]);
  return made.json.token;
}

describe('a token made over the API', () => {
  test('may do what it was given, where it was given, and the trail names it', async () => {
    const token = await aToken('jenkins', 'operate:dev');
    const made = await post('/pipelines/churn/runs', { environment: 'dev', params: { sample: 0.5 } }, as(token));
    expect([made.status, made.json.why]).toEqual([201, 'Started by jenkins.']);
    const prod = await post('/pipelines/churn/runs', { environment: 'prod' }, as(token));
    expect([prod.status, prod.json.error]).toEqual([
      403,
      {
        code: 'forbidden',
        message: 'jenkins has no right to operate in prod.',
        hint: 'Use a token with the right operate:prod; `sluice whoami` says which rights this one has.',
      },
    ]);
    const other = await aRun(seeded, { environment: 'prod' });
    expect((await api.ask(`/api/v1/runs/${other}`, { headers: as(token) })).status).toBe(403);
    expect((await api.ask(`/api/v1/runs/999999`, { headers: as(token) })).status).toBe(404);
    const shown = (await api.ask('/api/v1/runs', { headers: as(token) })).json.items;
    expect(shown.map(({ id }: { id: string }) => id)).toEqual([made.json.id]);
    expect((await api.ask('/api/v1/runs')).json.items).toHaveLength(2);

    const { items } = (await api.ask('/api/v1/audit?env=dev&limit=1', { headers: as(token) })).json;
    expect(items).toEqual([
      expect.objectContaining({ actor: 'jenkins', action: 'run.trigger', environment: 'dev', subject: made.json.id }),
    ]);
    expect((await api.ask('/api/v1/audit/verify')).json).toMatchObject({ whole: true });
  });

  test('is refused as soon as it was revoked, and so is its cookie', async () => {
    const token = await aToken('anna', 'view:dev');
    const login = await api.ask('/api/v1/login', { method: 'POST', body: { token }, headers: {} });
    const cookie = String(login.headers['set-cookie']).split(';')[0] ?? '';
    for (const headers of [as(token), { cookie }])
      expect((await api.ask('/api/v1/whoami', { headers })).json).toMatchObject({ name: 'anna' });
    expect((await api.ask('/api/v1/tokens/anna', { method: 'DELETE' })).status).toBe(204);
    for (const headers of [as(token), { cookie }])
      expect((await api.ask('/api/v1/whoami', { headers })).status).toBe(401);
    expect((await api.ask('/api/v1/tokens/anna', { method: 'DELETE' })).status).toBe(404);
  });

  test('cannot make itself stronger', async () => {
    const token = await aToken('ops', 'admin:*', 'view:dev');
    const wants = { name: 'more', rights: [{ right: 'approve', environment: 'prod' }] };
    expect((await post('/tokens', wants, as(token))).status).toBe(403);
    expect(
      (await post('/tokens', { ...wants, rights: [{ right: 'view', environment: 'dev' }] }, as(token))).status,
    ).toBe(201);
  });

  test.each([
    { name: 'the API token', rights: [{ right: 'view', environment: '*' }] },
    { name: '', rights: [{ right: 'view', environment: '*' }] },
    { name: 'x', rights: [] },
    { name: 'x', rights: [{ right: 'everything', environment: '*' }] },
    { name: 'x', rights: [{ right: 'view', environment: '**' }] },
    { name: 'x', rights: [{ right: 'view', environment: 'dev', more: 1 }], extra: true },
    { name: 'x', rights: [{ right: 'view', environment: '*' }], expiresInMs: 0 },
  ])('is refused when it is asked for as %j', async (body) => {
    expect((await post('/tokens', body)).status).toBe(400);
  });

  test('pages of the trail reach every record once', async () => {
    const seen: number[] = [];
    for (let cursor = ''; ;) {
      const { json } = await api.ask(`/api/v1/audit?limit=2${cursor}`);
      seen.push(...json.items.map(({ seq }: { seq: number }) => seq));
      if (json.next === null) break;
      cursor = `&cursor=${json.next}`;
    }
    expect(seen).toEqual(Array.from(seen, (_, index) => seen.length - index));
    expect(seen.length).toBeGreaterThan(4);
  });

  test('stands in no log, no table and no answer but the first', async () => {
    const token = await aToken('secret-bearer', 'view:dev');
    const secret = token.slice('sluice_'.length);
    const answers = [];
    for (const path of ['/whoami', '/environments', '/tokens', '/nowhere', '/runs/1/why'])
      answers.push(await api.ask(`/api/v1${path}`, { headers: as(token) }));
    answers.push(await api.ask('/api/v1/tokens'), await api.ask('/api/v1/audit'));
    answers.push(await post('/login', { token: `${token}x` }));
    expect(answers.map(({ text, headers }) => text + JSON.stringify(headers)).join('')).not.toContain(secret);
    expect(logged.join('')).not.toContain(secret);
    expect(logged.join('')).not.toContain(TOKEN);
    const tables = await seeded.db.query<{ name: string }[]>(
      `select tablename as name from pg_tables where schemaname = 'public'`,
    );
    for (const { name } of tables)
      expect(JSON.stringify(await seeded.db.query(`select * from "${name}"`))).not.toContain(secret);
  });
});
