import { beforeEach, expect, test } from '@jest/globals';
import { Auth } from './auth.ts';
import { EVERY_RIGHT } from '#core';
import type { TokenHolder } from './named-tokens.ts';

const TOKEN = 'a-token-of-some-length';
const now = new Date('2026-01-01T00:00:00Z');
const clock = { now: () => now };

/** Named tokens by their text. */
const named = new Map<string, TokenHolder>();
const anAuth = (token = TOKEN) =>
  new Auth(token, clock, {
    byToken: async (text) => named.get(text) ?? null,
    byId: async (id) => [...named.values()].find(({ tokenId }) => tokenId === id) ?? null,
  });
beforeEach(() => {
  named.clear();
  named.set('named-1', { tokenId: '1', caller: { name: 'jenkins', groups: ['ci'], rights: [] } });
  named.set('named-2', { tokenId: '2', caller: { name: 'anna', groups: [], rights: [] } });
});

async function cookieFrom(auth: Auth, token = TOKEN): Promise<string> {
  return (await auth.login({ token }, 'client', false)).split(';')[0] ?? '';
}

test('a cookie holds as long as the token does: over restarts, not under another token', async () => {
  const cookie = await cookieFrom(anAuth());
  expect(await anAuth().identify(undefined, cookie)).toMatchObject({
    kind: 'cookie',
    tokenId: null,
    caller: { name: 'the web view', rights: EVERY_RIGHT },
  });
  const other = anAuth('another-token-altogether');
  expect(await other.identify(undefined, cookie.replace(/^\w+=/, `${other.cookieName}=`))).toBeNull();
});

test('a wrong bearer token is not made good by a cookie', async () => {
  const auth = anAuth();
  expect(await auth.identify('Bearer wrong', await cookieFrom(auth))).toBeNull();
  expect(await auth.identify(`Bearer ${TOKEN}`, undefined)).toMatchObject({
    kind: 'token',
    caller: { name: 'the API token', rights: EVERY_RIGHT },
  });
});

test('a cookie that was prolonged by hand does not hold', async () => {
  const auth = anAuth();
  const [name, value = ''] = (await cookieFrom(auth)).split('=');
  const [expires, signature] = value.split('.');
  expect(await auth.identify(undefined, `${name}=${Number(expires) + 1}.${signature}`)).toBeNull();
});

test('only the last hundred login codes are kept', async () => {
  const auth = anAuth();
  const codes = Array.from({ length: 150 }, () => auth.createLoginCode(null).code);
  expect(new Set(codes).size).toBe(150);
  await expect(auth.login({ code: codes[0] ?? '' }, 'a', false)).rejects.toThrow('not valid');
  expect(await auth.login({ code: codes[149] ?? '' }, 'a', false)).toContain('HttpOnly');
});

test('failures of ten thousand addresses are kept, not of more', async () => {
  const auth = anAuth();
  const fail = async (client: string) => {
    try {
      await auth.login({ code: 'guess' }, client, false);
    } catch (error) {
      return (error as { details: { retryAfterMs?: number } }).details.retryAfterMs !== undefined;
    }
    return false;
  };
  for (let tries = 0; tries < 10; tries += 1) expect(await fail('victim')).toBe(false);
  expect(await fail('victim')).toBe(true);
  for (let client = 0; client < 10_001; client += 1) await fail(`client ${client}`);
  expect(await fail('victim')).toBe(false); // forgotten: bounded memory comes before strictness
});

test('a cookie made from a named token is that token’s, as long as the token holds', async () => {
  const auth = anAuth();
  const cookie = await cookieFrom(auth, 'named-1');
  expect(cookie).not.toContain('named-1');
  const holder = { kind: 'cookie', tokenId: '1', caller: { name: 'jenkins', groups: ['ci'], rights: [] } };
  expect(await anAuth().identify(undefined, cookie)).toEqual(holder);
  named.delete('named-1');
  expect(await auth.identify(undefined, cookie)).toBeNull();
});

test('a cookie cannot be made into one of another token, nor into the installation’s', async () => {
  const auth = anAuth();
  const cookie = await cookieFrom(auth, 'named-1');
  expect(await auth.identify(undefined, cookie.replace(/\.1\./, '.2.'))).toBeNull();
  expect(await auth.identify(undefined, cookie.replace(/\.1\./, '.'))).toBeNull();
  expect(await auth.identify(undefined, (await cookieFrom(auth)).replace('.', '.1.'))).toBeNull();
});

test('a code logs in as whoever asked for it', async () => {
  const auth = anAuth();
  const cookie = await auth.login({ code: auth.createLoginCode('2').code }, 'client', false);
  expect(await auth.identify(undefined, cookie.split(';')[0])).toMatchObject({ caller: { name: 'anna' } });
});
