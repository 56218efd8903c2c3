import { expect, test } from '@jest/globals';
import { Auth } from './auth.ts';

const TOKEN = 'a-token-of-some-length';
const now = new Date('2026-01-01T00:00:00Z');
const clock = { now: () => now };

function cookieFrom(auth: Auth): string {
  return auth.login({ token: TOKEN }, 'client', false).split(';')[0] ?? '';
}

test('a cookie holds as long as the token does: over restarts, not under another token', () => {
  const cookie = cookieFrom(new Auth(TOKEN, clock));
  expect(new Auth(TOKEN, clock).identify(undefined, cookie)).toBe('cookie');
  const other = new Auth('another-token-altogether', clock);
  expect(other.identify(undefined, cookie.replace(/^\w+=/, `${other.cookieName}=`))).toBeNull();
});

test('a wrong bearer token is not made good by a cookie', () => {
  const auth = new Auth(TOKEN, clock);
  expect(auth.identify('Bearer wrong', cookieFrom(auth))).toBeNull();
  expect(auth.identify(`Bearer ${TOKEN}`, undefined)).toBe('token');
});

test('a cookie that was prolonged by hand does not hold', () => {
  const auth = new Auth(TOKEN, clock);
  const [name, value = ''] = cookieFrom(auth).split('=');
  const [expires, signature] = value.split('.');
  expect(auth.identify(undefined, `${name}=${Number(expires) + 1}.${signature}`)).toBeNull();
});

test('only the last hundred login codes are kept', () => {
  const auth = new Auth(TOKEN, clock);
  const codes = Array.from({ length: 150 }, () => auth.createLoginCode().code);
  expect(new Set(codes).size).toBe(150);
  expect(() => auth.login({ code: codes[0] ?? '' }, 'a', false)).toThrow('not valid');
  expect(auth.login({ code: codes[149] ?? '' }, 'a', false)).toContain('HttpOnly');
});

test('failures of ten thousand addresses are kept, not of more', () => {
  const auth = new Auth(TOKEN, clock);
  const fail = (client: string) => {
    try {
      auth.login({ code: 'guess' }, client, false);
    } catch (error) {
      return (error as { details: { retryAfterMs?: number } }).details.retryAfterMs !== undefined;
    }
    return false;
  };
  for (let tries = 0; tries < 10; tries += 1) expect(fail('victim')).toBe(false);
  expect(fail('victim')).toBe(true);
  for (let client = 0; client < 10_001; client += 1) fail(`client ${client}`);
  expect(fail('victim')).toBe(false); // forgotten: bounded memory comes before strictness
});
