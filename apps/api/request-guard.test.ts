import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anApi, TOKEN, withToken, type ApiUnderTest } from './api-under-test.ts';

let web: string;
let api: ApiUnderTest;
beforeAll(async () => {
  web = await mkdtemp(join(tmpdir(), 'sluice-web-'));
  await mkdir(join(web, 'assets'));
  await writeFile(join(web, 'index.html'), '<!doctype html><title>Sluice</title><script>let dark = 1;</script>');
  await writeFile(join(web, 'assets', 'app-1a2b.js'), 'export {};');
  const answers = { environments: () => [], setPaused: () => undefined, pipelineSummary: () => ({}) };
  api = await anApi(answers, { webFolder: web, config: { publicUrl: null, allowedHosts: ['sluice.example'] } });
});
afterAll(async () => {
  await api.close();
  await rm(web, { recursive: true });
});

const asPage = { accept: 'text/html' };
const fill = (url: string) => url.replaceAll(/:\w+/g, '1').replace('*', 'x');

describe('who may ask', () => {
  test('these and no other routes are open', () => {
    expect(
      api.routes
        .filter((route) => route.open)
        .map(({ method, url }) => `${method} ${url}`)
        .sort(),
    ).toEqual([
      'GET /*', // index.html for the addresses of pages
      'GET /assets/app-1a2b.js',
      'GET /healthz',
      'GET /index.html',
      'HEAD /assets/app-1a2b.js',
      'HEAD /index.html',
      'POST /api/v1/login',
      'POST /api/v1/slack/interactions', // signed by Slack
      'POST /api/v1/webhooks/git', // signed by the git host
    ]);
  });

  test('every other route refuses a caller without credentials, with wrong ones and with malformed ones', async () => {
    const wrong: Record<string, string>[] = [
      {},
      { authorization: 'Bearer nonsense' },
      { authorization: TOKEN },
      { authorization: 'Basic dTpw' },
    ];
    const cookies = ['x', `${api.auth.cookieName}=1.2`, `${api.auth.cookieName}=99999999999999.${'A'.repeat(43)}`];
    const closed = api.routes.filter((route) => !route.open);
    expect(closed.length).toBeGreaterThan(30);
    for (const { method, url } of closed) {
      for (const headers of [...wrong, ...cookies.map((cookie) => ({ cookie, 'x-sluice': '1' }))]) {
        const answer = await api.ask(fill(url), { method, headers });
        expect(`${method} ${url} ${answer.status}`).toBe(`${method} ${url} 401`);
      }
    }
    expect(api.calls).toEqual([]);
  });

  test('no spelling of an address gets around it', async () => {
    const paths = api.routes.filter(({ open, method }) => !open && method === 'GET').map(({ url }) => fill(url));
    const tricks = (path: string) => [
      `${path}/`,
      `/${path}`,
      `//${path}`,
      path.replace('/v1/', '//v1//'),
      path.replaceAll('/', '%2f').replace('%2f', '/'),
      path.replace('/api', '/API'),
      path.replace('/api', '/%61pi'),
      path.replace('/api', '/x/../api'),
      path.replace('/api', '/./api'),
      path.replace('/api', '/assets/..%2fapi'),
      `${path};/healthz`,
      `${path}/healthz`,
      `${path}%00`,
      `${path}?/healthz`,
      `${path}#/healthz`,
      `${path}.js`,
      `${path}%2fhealthz`,
      `/healthz/..${path}`,
      `/healthz%2f..${path}`,
      `\\${path}`,
    ];
    for (const path of paths.flatMap(tricks)) {
      const answer = await api.ask(path, { headers: asPage });
      // The page of the web view is public and holds no data; nothing else may come out.
      if (answer.status === 200) expect(answer.text).toContain('<title>Sluice</title>');
      else expect([400, 401, 404]).toContain(answer.status);
    }
    expect(api.calls).toEqual([]);
  });

  test('other methods on known addresses answer nothing', async () => {
    for (const method of ['OPTIONS', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'TRACE'])
      for (const path of ['/api/v1/environments', '/metrics', '/api/v1/login', '/'])
        expect((await api.ask(path, { method, headers: {} })).status).toBe(401);
  });

  test('the token opens them', async () => {
    expect((await api.ask('/api/v1/environments')).json).toEqual({ items: [] });
    expect((await api.ask('/api/v1/environments', { headers: { authorization: `bearer  ${TOKEN}` } })).status).toBe(
      200,
    );
  });
});

describe('which server was meant', () => {
  const statusFor = async (host: string, path = '/healthz') => (await api.ask(path, { headers: { host } })).status;

  test('loopback names, addresses and configured names are ours, with any port', async () => {
    for (const host of ['localhost', 'localhost:7460', '127.0.0.1', '[::1]:80', '192.168.1.7:7460', 'SLUICE.example.'])
      expect(await statusFor(host)).toBe(200);
  });

  test('any other name is refused, even on open routes: somebody may have pointed it here', async () => {
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', 'a@localhost', 'x y'])
      for (const path of ['/healthz', '/', '/api/v1/environments']) expect(await statusFor(host, path)).toBe(401);
  });

  test('a write from a page of another origin is refused, whatever it carries', async () => {
    const pause = (headers: Record<string, string>) =>
      api.ask('/api/v1/pipelines/p/pause', { method: 'POST', headers, body: { environment: 'dev' } });
    const here = { ...withToken, host: '127.0.0.1:7460' };
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:9999', 'file://', '127.0.0.1:7460'])
      expect((await pause({ ...here, origin })).status).toBe(401);
    expect((await pause({ ...here, origin: 'http://127.0.0.1:7460' })).status).toBe(200);
    expect((await pause(here)).status).toBe(200);
  });
});

describe('the login', () => {
  const login = (body: unknown, headers: Record<string, string> = {}) =>
    api.ask('/api/v1/login', { method: 'POST', body, headers });
  const cookieOf = (answer: { headers: Readonly<Record<string, unknown>> }) => String(answer.headers['set-cookie']);

  test('a code makes a cookie once; the cookie is for this browser and this site only', async () => {
    const made = await api.ask('/api/v1/login/codes', { method: 'POST' });
    expect(made.status).toBe(201);
    const answer = await login({ code: made.json.code });
    expect(answer.status).toBe(204);
    expect(cookieOf(answer)).toMatch(
      /^sluice_[0-9a-f]{8}=\d+\.[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/,
    );
    expect(cookieOf(answer)).not.toContain(TOKEN);
    expect((await login({ code: made.json.code })).status).toBe(401);
    const [cookie = ''] = cookieOf(answer).split(';');
    expect((await api.ask('/api/v1/environments', { headers: { cookie: `a=b; ${cookie}; c=d` } })).status).toBe(200);
  });

  test('a code is worthless after ten minutes, a cookie after thirty days', async () => {
    const { code } = api.auth.createLoginCode(null);
    const other = await login({ token: TOKEN });
    api.pass(10 * 60_000);
    expect((await login({ code })).status).toBe(401);
    const [cookie = ''] = cookieOf(other).split(';');
    api.pass(29 * 86_400_000);
    expect((await api.ask('/api/v1/environments', { headers: { cookie } })).status).toBe(200);
    api.pass(86_400_000);
    expect((await api.ask('/api/v1/environments', { headers: { cookie } })).status).toBe(401);
  });

  test('a write with the cookie needs the header that no other site can send; so does nothing from another site', async () => {
    const [cookie = ''] = cookieOf(await login({ token: TOKEN })).split(';');
    const pause = (headers: Record<string, string>) =>
      api.ask('/api/v1/pipelines/p/pause', {
        method: 'POST',
        headers: { cookie, ...headers },
        body: { environment: 'dev' },
      });
    expect((await pause({})).status).toBe(401);
    expect((await pause({ 'x-sluice': '1', 'sec-fetch-site': 'cross-site' })).status).toBe(401);
    expect((await pause({ 'x-sluice': '1', 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    const read = { cookie, 'sec-fetch-site': 'cross-site' };
    expect((await api.ask('/api/v1/environments', { headers: read })).status).toBe(401);
  });

  test('ten wrong tries within a minute close the door for the rest of it, for the right token too', async () => {
    for (let tries = 0; tries < 10; tries += 1) expect((await login({ code: `guess${tries}` })).status).toBe(401);
    const refused = await login({ token: TOKEN });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    api.pass(60_000);
    expect((await login({ token: TOKEN })).status).toBe(204);
  });

  test('another origin cannot log a browser in', async () => {
    expect((await login({ token: TOKEN }, { origin: 'https://evil.example' })).status).toBe(401);
  });

  test('behind https the cookie is for https only', async () => {
    const secure = await anApi({}, { config: { publicUrl: 'https://sluice.example', allowedHosts: [] } });
    const answer = await secure.ask('/api/v1/login', {
      method: 'POST',
      body: { token: TOKEN },
      headers: { host: 'sluice.example' },
    });
    await secure.close();
    expect(cookieOf(answer)).toContain('; Secure');
  });
});

describe('the web view', () => {
  test('pages get index.html, files their content, anything else a 404', async () => {
    for (const path of ['/', '/pipelines/a/grid?env=dev', '/runs/12', '/login?code=x']) {
      const page = await api.ask(path, { headers: asPage });
      expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      expect(page.headers['cache-control']).toBe('no-cache');
    }
    const script = await api.ask('/assets/app-1a2b.js', { headers: {} });
    expect([script.status, script.headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable']);
    for (const path of ['/assets/gone.js', '/assets/', '/robots.txt', '/..%2f..%2fetc/passwd', '/api', '/metrics/x'])
      expect([401, 404]).toContain((await api.ask(path, { headers: asPage.accept ? { accept: '*/*' } : {} })).status);
  });

  test('every answer carries the headers that keep other pages out; only the page’s own inline script may run', async () => {
    for (const path of ['/', '/api/v1/environments', '/healthz', '/nowhere', '/assets/app-1a2b.js']) {
      const { headers } = await api.ask(path, { headers: { ...asPage, ...withToken } });
      expect(headers['content-security-policy']).toMatch(/script-src 'self' 'sha256-[\w+/]{43}='; /);
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['referrer-policy']).toBe('no-referrer');
    }
    expect((await api.ask('/api/v1/environments')).headers['cache-control']).toBe('no-store');
  });
});
