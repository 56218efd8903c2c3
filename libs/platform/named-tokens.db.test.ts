import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { EVERY_RIGHT, type Caller, type GrantedRight } from '#core';
import { apiQueries, connectDatabase } from '#store';
import { createTestDatabase, type TestDatabase } from '#testing';
import { Auth } from './auth.ts';
import { NamedTokens, type TokenRequest } from './named-tokens.ts';

let database: TestDatabase;
let db: DataSource;
let now: number;
const clock = { now: () => new Date(now) };
const ADMIN: Caller = { name: 'the API token', groups: [], rights: EVERY_RIGHT };
const PROMOTES: GrantedRight[] = [
  { right: 'promote', environment: 'test' },
  { right: 'view', environment: '*' },
];
beforeAll(async () => {
  database = await createTestDatabase();
  db = await connectDatabase(database.url);
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});
beforeEach(async () => {
  now = Date.parse('2026-01-01T00:00:00Z');
  await db.query('truncate token');
});

function aRequest(over: Partial<TokenRequest> = {}): TokenRequest {
  return { name: 'jenkins', groups: ['ci'], rights: PROMOTES, expiresInMs: null, ...over };
}
const lastUse = async () => (await db.query<{ at: string | null }[]>('select last_used_at as at from token'))[0]?.at;

describe('a named token', () => {
  test('is told once, stored as its hash, and known by its text', async () => {
    const tokens = new NamedTokens(db, clock);
    const { token, record } = await tokens.create(aRequest(), ADMIN);
    expect(token).toMatch(/^sluice_[A-Za-z0-9_-]{43}$/);
    expect(record).toMatchObject({ name: 'jenkins', groups: ['ci'], rights: PROMOTES, createdBy: 'the API token' });
    const holder = { tokenId: expect.any(String), caller: { name: 'jenkins', groups: ['ci'], rights: PROMOTES } };
    expect(await tokens.byToken(token)).toEqual(holder);
    expect(await tokens.byToken(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`)).toBeNull();
    expect(await tokens.byToken('x')).toBeNull();
    for (const table of ['token', 'audit', 'event'])
      expect(JSON.stringify(await db.query(`select * from ${table}`))).not.toContain(token.slice(7));
  });

  test('has a name of its own among those that hold; a revoked one gives it free', async () => {
    const tokens = new NamedTokens(db, clock);
    await tokens.create(aRequest(), ADMIN);
    await expect(tokens.create(aRequest(), ADMIN)).rejects.toMatchObject({ code: 'conflict' });
    await tokens.revoke('jenkins', ADMIN);
    expect(await tokens.list()).toEqual([]);
    await tokens.create(aRequest(), ADMIN);
    expect((await tokens.list()).map(({ name }) => name)).toEqual(['jenkins']);
    await expect(tokens.revoke('nobody', ADMIN)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('never has a right that its maker has not', async () => {
    const tokens = new NamedTokens(db, clock);
    const maker: Caller = { name: 'ops', groups: [], rights: [...PROMOTES, { right: 'admin', environment: '*' }] };
    await tokens.create(aRequest(), maker);
    for (const one of ['promote:prod', 'promote:*', 'approve:test', 'override:test']) {
      const [right, environment] = one.split(':') as [GrantedRight['right'], string];
      const more = aRequest({ name: 'more', rights: [...PROMOTES, { right, environment }] });
      const message = `ops may not give away ${one}, which it does not have itself.`;
      await expect(tokens.create(more, maker)).rejects.toMatchObject({ code: 'forbidden', message });
    }
  });

  test('that was revoked is refused at once here, and by another process within five seconds', async () => {
    const here = new NamedTokens(db, clock);
    const elsewhere = new NamedTokens(db, clock);
    const { token } = await here.create(aRequest(), ADMIN);
    const id = (await here.byToken(token))?.tokenId ?? '';
    expect(await elsewhere.byToken(token)).not.toBeNull();
    await here.byId(id);
    await here.revoke('jenkins', ADMIN);
    expect([await here.byToken(token), await here.byId(id)]).toEqual([null, null]);
    now += 5_000;
    expect(await elsewhere.byToken(token)).toBeNull();
  });

  test('ends the logins made from it', async () => {
    const tokens = new NamedTokens(db, clock);
    const auth = new Auth('the installation’s own', clock, tokens);
    const { token } = await tokens.create(aRequest(), ADMIN);
    const cookie = (await auth.login({ token }, 'client', false)).split(';')[0];
    expect((await auth.identify(undefined, cookie))?.caller.name).toBe('jenkins');
    await tokens.revoke('jenkins', ADMIN);
    expect(await auth.identify(undefined, cookie)).toBeNull();
  });

  test('that expired is refused, by the clock of the database', async () => {
    const tokens = new NamedTokens(db, clock);
    const { token } = await tokens.create(aRequest({ expiresInMs: 60_000 }), ADMIN);
    expect(await tokens.byToken(token)).not.toBeNull();
    await db.query(`update token set expires_at = now()`);
    now += 5_000;
    expect(await tokens.byToken(token)).toBeNull();
    expect((await tokens.list())[0]?.expiresAt).not.toBeNull();
  });

  test('notes its last use once a minute, whoever looks', async () => {
    const { token } = await new NamedTokens(db, clock).create(aRequest(), ADMIN);
    expect(await lastUse()).toBeNull();
    await new NamedTokens(db, clock).byToken(token);
    const first = await lastUse();
    expect(first).not.toBeNull();
    await new NamedTokens(db, clock).byToken(token);
    expect(await lastUse()).toBe(first);
    await db.query(`update token set last_used_at = now() - interval '61 seconds'`);
    await new NamedTokens(db, clock).byToken(token);
    const [{ fresh }] = await db.query<[{ fresh: boolean }]>(
      `select last_used_at > now() - interval '30 seconds' as fresh from token`,
    );
    expect(fresh).toBe(true);
  });

  test('stands in the audit trail when it is made and when it is ended', async () => {
    const tokens = new NamedTokens(db, clock);
    await tokens.create(aRequest({ name: 'anna' }), ADMIN);
    await tokens.revoke('anna', { ...ADMIN, name: 'ops' });
    const [revoked, created] = await apiQueries.readAudit(db, { environments: null, before: null, limit: 2 });
    expect(created).toMatchObject({
      actor: 'the API token',
      action: 'token.create',
      environment: null,
      subject: 'anna',
      detail: { groups: ['ci'], rights: PROMOTES, expiresAt: null },
    });
    expect(revoked).toMatchObject({ actor: 'ops', action: 'token.revoke', subject: 'anna' });
    expect(await apiQueries.verifyAudit(db)).toMatchObject({ whole: true });
  });
});
