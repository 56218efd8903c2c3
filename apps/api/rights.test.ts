import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import 'reflect-metadata';
import type { Right } from '#core';
import { anApi, type ApiUnderTest } from './api-under-test.ts';
import * as controllers from './controllers/index.ts';
import { NEED, type Declared } from './needs.ts';

let api: ApiUnderTest;
let document: { paths: Record<string, Record<string, { operationId: string }>> };
const environments = ['dev', 'prod'].map((name) => ({ name }));
beforeAll(async () => {
  api = await anApi({
    // Whatever has an id belongs to dev.
    environmentOfRun: () => 'dev',
    environmentOfPromotion: () => 'dev',
    environmentOfBackfill: () => 'dev',
    environments: () => environments,
    runs: () => ({ items: [], next: null }),
    backfills: () => ({ items: [], next: null }),
    archivedRuns: () => ({ items: [], next: null }),
    alerts: () => ({ items: [], next: null }),
    audit: () => ({ items: [], next: null }),
    system: () => ({}),
    pipelines: () => [],
    cancelRun: () => undefined,
    run: () => ({}),
  });
  document = (await api.ask('/api/docs/openapi.json')).json;
});
afterAll(() => api.close());
beforeEach(() => void (api.calls as unknown[]).splice(0));

/** What the methods of the controllers declare, by name. */
const declared = new Map<string, Declared>();
for (const controller of Object.values(controllers)) {
  const prototype = controller.prototype as unknown as Record<string, object>;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const need = Reflect.getMetadata(NEED, prototype[name] as object) as Declared | undefined;
    if (need !== undefined) declared.set(name, need);
  }
}

/** Sources that belong to dev here. */
const BY_ID: readonly string[] = ['run', 'promotion', 'backfill'];

/** Routes without a declaration: nobody is known yet there. */
const OPEN = ['POST /api/v1/login', 'POST /api/v1/slack/interactions', 'POST /api/v1/webhooks/git'];

const routes = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({
      method: method.toUpperCase(),
      path,
      name: `${method.toUpperCase()} ${path}`,
      need: declared.get(operationId),
    })),
  );

/** A request that holds as far as it says where: in prod, and in no other environment. */
function request(path: string): { url: string; body: object } {
  const ids: Record<string, string> = { environment: 'prod' };
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? '1');
  return { url: `${filled}?env=prod&topics=env:prod`, body: { environment: 'prod' } };
}

async function ask(route: { method: string; path: string }, headers: Record<string, string>) {
  const { url, body } = request(route.path);
  const { method } = route;
  return api.ask(url, { method, headers, ...(method === 'GET' || method === 'DELETE' ? {} : { body }) });
}

describe('every documented route', () => {
  test('says which right it needs, or is open', () => {
    expect(routes().length).toBeGreaterThan(25);
    const silent = routes().filter(({ need, name }) => need === undefined && !OPEN.includes(name));
    expect(silent.map(({ name }) => name)).toEqual([]);
  });

  test('and so does every other one of the controllers', async () => {
    const open = new Set(['login', 'isAlive', 'receiveInteraction', 'receivePush']);
    const silent = Object.values(controllers).flatMap((controller) => {
      const prototype = controller.prototype as unknown as Record<string, object>;
      return Object.getOwnPropertyNames(prototype).filter(
        (name) =>
          name !== 'constructor' &&
          Reflect.hasMetadata('path', prototype[name] as object) &&
          !declared.has(name) &&
          !open.has(name),
      );
    });
    expect(silent).toEqual([]);
    expect((await api.ask('/metrics', { headers: api.as('one', 'view:dev') })).status).toBe(403);
    expect((await api.ask('/metrics', { headers: api.as('one', 'view:*') })).status).toBe(200);
  });

  test('has the only method of its name, so that a declaration cannot be another route’s', () => {
    const names = routes().map(({ path, method }) => document.paths[path]?.[method.toLowerCase()]?.operationId);
    expect([...names].sort()).toEqual([...new Set(names)].sort());
  });

  test('that writes needs more than to view', () => {
    const writing = routes().filter(({ method, name }) => method !== 'GET' && !OPEN.includes(name));
    const free = writing.filter(({ need }) => need === undefined || need === 'credentials' || need.right === 'view');
    // A plan changes nothing: it is asked for with a body because files do not fit into an address.
    expect(free.map(({ name }) => name)).toEqual(['POST /api/v1/login/codes', 'POST /api/v1/plans']);
  });

  test('refuses a token that has no rights at all, and does nothing', async () => {
    const headers = api.as('nobody', '');
    for (const route of routes()) {
      if (route.need === undefined || route.need === 'credentials') continue;
      const { status, json } = await ask(route, headers);
      expect([route.name, status, json?.error?.code]).toEqual([route.name, 403, 'forbidden']);
      expect(json.error.message).toContain(`nobody has no right to ${route.need.right} in `);
    }
    expect(api.calls.filter(({ name }) => !/^(environmentOf|find)/.test(name))).toEqual([]);
  });

  test('refuses a token that has every other right in this environment, and this one elsewhere', async () => {
    const all: Right[] = ['view', 'operate', 'release', 'promote', 'approve', 'override', 'configure', 'admin'];
    for (const route of routes()) {
      if (route.need === undefined || route.need === 'credentials') continue;
      const { right, of } = route.need;
      // Nothing else is there for what may be viewed with any right.
      if (of === 'any') continue;
      const elsewhere = BY_ID.includes(of) ? 'prod' : 'test';
      const here = BY_ID.includes(of) ? 'dev' : 'prod';
      const others = right === 'view' ? [] : all.filter((one) => one !== right).map((one) => `${one}:${here}`);
      const { status, json } = await ask(route, api.as('half', [...others, `${right}:${elsewhere}`].join(' ')));
      const asked = of === 'all' ? 'all environments' : here;
      expect([route.name, status, json?.error?.message]).toEqual([
        route.name,
        403,
        expect.stringContaining(`half has no right to ${right} in ${asked}`),
      ]);
    }
  });

  test('lets a token with just this right pass', async () => {
    for (const route of routes()) {
      if (route.need === undefined || route.need === 'credentials') continue;
      const { right, of } = route.need;
      const where = of === 'all' ? '*' : BY_ID.includes(of) ? 'dev' : 'prod';
      // Streams of events do not end; that they are let through is shown in streams.test.ts.
      if (of === 'topics' || route.path.endsWith('/tail')) continue;
      const { status } = await ask(route, api.as('just', `${right}:${where}`));
      expect([route.name, status]).not.toEqual([route.name, 403]);
    }
  });
});

describe('where a request belongs', () => {
  const status = async (url: string, headers: Record<string, string>, body?: object, method = 'POST') =>
    (await api.ask(url, { headers, ...(body ? { method, body } : {}) })).status;

  test('a run belongs to its environment, whatever else the request says', async () => {
    const prod = api.as('prod-only', 'operate:prod');
    expect(await status('/api/v1/runs/7?env=prod', prod)).toBe(403);
    expect(await status('/api/v1/runs/7/cancel?env=prod', prod, { environment: 'prod' })).toBe(403);
    expect(await status('/api/v1/runs/7/cancel', api.as('dev', 'operate:dev'), {})).toBe(200);
  });

  test('said twice, or not as a name, it is none that anybody has a right in', async () => {
    const dev = api.as('dev', 'operate:dev view:dev');
    for (const query of ['?env=dev&env=prod', '?env[]=dev', '?env=', '?env=*', '?env=DEV%00', ''])
      expect([query, await status(`/api/v1/pipelines${query}`, dev)]).toEqual([query, 403]);
    for (const environment of ['prod', '*', ['dev'], { dev: 1 }, null, 7, ''])
      expect(await status('/api/v1/pipelines/p/pause', dev, { environment })).toBe(403);
    expect(await status('/api/v1/pipelines?env=dev', dev)).toBe(200);
  });

  test('a stream of events needs the right in every topic', async () => {
    const dev = api.as('dev', 'view:dev');
    for (const topics of ['env:prod', 'env:dev,env:prod', 'run:7,env:prod', 'env:*', '', 'x'])
      expect([topics, await status(`/api/v1/events?topics=${topics}`, dev)]).toEqual([topics, 403]);
    expect(await status('/api/v1/events', dev)).toBe(403);
    expect(await status('/api/v1/events?topics=run:7', api.as('prod', 'view:prod'))).toBe(403);
  });
});

describe('lists across environments', () => {
  test('show the environments that may be viewed', async () => {
    const names = async (rights: string) =>
      (await api.ask('/api/v1/environments', { headers: api.as('one', rights) })).json.items.map(
        ({ name }: { name: string }) => name,
      );
    expect(await names('operate:dev')).toEqual(['dev']);
    expect(await names('view:prod operate:dev')).toEqual(['dev', 'prod']);
    expect(await names('admin:*')).toEqual(['dev', 'prod']);
    expect(await names('view:none')).toEqual([]);
  });

  test.each(['runs', 'alerts'])('%s are asked for among those only', async (list) => {
    await api.ask(`/api/v1/${list}`, { headers: api.as('one', 'view:test operate:dev') });
    await api.ask(`/api/v1/${list}`, { headers: api.as('one', 'view:*') });
    expect(api.calls.map(({ args }) => (args[0] as { among: unknown }).among)).toEqual([['dev', 'test'], null]);
  });

  test('the audit trail too, and what belongs to no environment only for who may view all', async () => {
    await api.ask('/api/v1/audit', { headers: api.as('one', 'view:test operate:dev') });
    await api.ask('/api/v1/audit?env=dev', { headers: api.as('one', 'view:test operate:dev') });
    await api.ask('/api/v1/audit', { headers: api.as('one', 'view:*') });
    expect(api.calls.map(({ args }) => (args[0] as { environments: unknown }).environments)).toEqual([
      ['dev', 'test'],
      ['dev'],
      null,
    ]);
  });

  test('pools and counts of the system too', async () => {
    await api.ask('/api/v1/system', { headers: api.as('one', 'view:dev') });
    expect(api.calls).toEqual([{ name: 'system', args: [['dev']] }]);
  });
});

describe('a named token', () => {
  test('says who it is', async () => {
    const { json } = await api.ask('/api/v1/whoami', { headers: api.as('jenkins', 'promote:test') });
    expect(json).toEqual({ name: 'jenkins', groups: [], rights: [{ right: 'promote', environment: 'test' }] });
    expect((await api.ask('/api/v1/whoami')).json.name).toBe('the API token');
  });

  test('logs a browser in as itself, by its text or by a code, until it is revoked', async () => {
    const headers = api.as('anna', 'view:dev');
    const { code } = (await api.ask('/api/v1/login/codes', { method: 'POST', headers })).json;
    for (const body of [{ token: 'anna' }, { code }]) {
      const answer = await api.ask('/api/v1/login', { method: 'POST', body, headers: {} });
      expect(answer.status).toBe(204);
      const cookie = String(answer.headers['set-cookie']).split(';')[0] ?? '';
      expect((await api.ask('/api/v1/whoami', { headers: { cookie } })).json.name).toBe('anna');
      expect((await api.ask('/api/v1/pipelines?env=prod', { headers: { cookie } })).status).toBe(403);
      api.revoke('anna');
      expect((await api.ask('/api/v1/whoami', { headers: { cookie } })).status).toBe(401);
      api.as('anna', 'view:dev');
    }
  });

  test('a wrong one costs a try of the login like any other', async () => {
    for (let tries = 0; tries < 10; tries += 1)
      expect((await api.ask('/api/v1/login', { method: 'POST', body: { token: `sluice_${tries}` } })).status).toBe(401);
    const door = await api.ask('/api/v1/login', { method: 'POST', body: { token: 'anna' } });
    expect(door.status).toBe(429);
    expect(api.logged.join('')).toBe('');
  });
});
