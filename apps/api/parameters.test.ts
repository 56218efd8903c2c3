import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { anApi, type ApiUnderTest } from './api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  const page = () => ({ items: [], next: null });
  const list = () => [];
  const one = () => ({});
  api = await anApi({
    ...{ pipelines: list, pipeline: one, grid: one, metricSeries: list, runs: page, run: one, runDetail: one },
    ...{ whyWaiting: list, taskRun: one, log: one, searchLog: list, followLog: () => undefined, alerts: page },
    ...{ alertsByIds: list, path: one, system: one, environments: list, pipelineSummary: one },
    ...{ trigger: () => ({ runId: '1' }), cancelRun: one, rerunRun: () => ({ runId: '1' }), setPaused: one },
    ...{ backfill: () => ({ runs: [] }), testAlerts: list, recordMetrics: one },
  });
});
afterAll(() => api.close());

const ODD = [
  ...['', ' ', '0', '-1', '1.5', '1e9', '1e999', 'NaN', 'Infinity', '99999999999999999999', '0x10', '0'.repeat(300)],
  ...['null', 'true', '[]', '{}', '__proto__', 'constructor', 'x'.repeat(5000), '../../etc/passwd', '..%2f..', '%00'],
  ...["'; drop table run; --", '" or 1=1', '${7*7}', '$(touch x)', '<script>alert(1)</script>', '\u202e', 'ünï', '1 2'],
  ...['2026-02-30', '0000-01-01', '9999-99-99', '2026-01-01T00:00:00', '+275760-09-13T00:00:00Z', 'run:0', 'env:'],
];

/** Each route with parameters that hold, one of which is replaced at a time. */
const ROUTES = [
  ['/api/v1/pipelines', { env: 'dev' }],
  ['/api/v1/pipelines/flight-delays', { env: 'dev' }],
  ['/api/v1/pipelines/p/grid', { env: 'dev', runs: '10', before: '5' }],
  ['/api/v1/pipelines/p/metrics', { env: 'dev', task: 't', name: 'auc', limit: '10' }],
  ['/api/v1/runs', { env: 'dev', pipeline: 'p', state: 'failed', limit: '10', cursor: 'YWZ0ZXI6MQ' }],
  ['/api/v1/runs/7', {}],
  ['/api/v1/runs/7/why', {}],
  ['/api/v1/runs/7/tasks/t', { map: '0' }],
  ['/api/v1/runs/7/tasks/t/log', { map: '0', try: '1', from: '1', limit: '10' }],
  ['/api/v1/runs/7/tasks/t/log/search', { map: '0', try: '1', q: 'x' }],
  ['/api/v1/alerts', { env: 'dev', limit: '10', cursor: 'YWZ0ZXI6MQ' }],
  ['/api/v1/paths', { env: 'dev', ref: 'p.raw', at: '2026-01-01' }],
  ['/api/v1/system', {}],
] as const;

describe('parameters', () => {
  test('what is documented is accepted', async () => {
    for (const [path, query] of ROUTES)
      expect(`${path} ${(await api.ask(`${path}?${new URLSearchParams(query)}`)).status}`).toBe(`${path} 200`);
  });

  test('odd values in any place are refused or harmless, never an error of ours', async () => {
    for (const [path, query] of ROUTES) {
      for (const odd of ODD) {
        const variants = Object.keys(query).map((key) => `${path}?${new URLSearchParams({ ...query, [key]: odd })}`);
        const segments = path.split('/').slice(4);
        const inPath = segments.map((part) => path.replace(`/${part}`, `/${encodeURIComponent(odd)}`));
        for (const url of [...variants, ...inPath.map((one) => `${one}?${new URLSearchParams(query)}`)]) {
          const { status, text } = await api.ask(url);
          if (![200, 400, 404].includes(status)) throw new Error(`${url} was answered with ${status}: ${text}`);
        }
      }
    }
  });

  test('unknown and repeated parameters are refused by name', async () => {
    const unknown = await api.ask('/api/v1/runs?env=dev&pipline=x');
    expect([unknown.status, unknown.json.error.message]).toEqual([400, expect.stringContaining('pipline')]);
    expect((await api.ask('/api/v1/runs?env=dev&env=prod')).status).toBe(400);
    expect((await api.ask('/api/v1/runs?__proto__[x]=1')).status).toBe(400);
  });

  test('limits are bounded', async () => {
    for (const query of ['limit=201', 'limit=0', 'limit=-5', 'limit=1e9'])
      expect((await api.ask(`/api/v1/runs?${query}`)).status).toBe(400);
    await api.ask('/api/v1/runs');
    expect(api.calls.at(-1)).toEqual({
      name: 'runs',
      args: [{ environment: null, pipeline: null, state: null, limit: 50, cursor: null }],
    });
  });
});

describe('bodies', () => {
  const post = (path: string, body: unknown) => api.ask(`/api/v1${path}`, { method: 'POST', body });

  test('odd values in any field are refused, never an error of ours', async () => {
    const bodies = [
      ['/pipelines/p/runs', { environment: 'dev', params: { a: 1 }, at: '2026-01-01' }],
      ['/pipelines/p/pause', { environment: 'dev' }],
      ['/runs/7/rerun', { mode: 'from', task: 't', release: 'same' }],
      ['/runs/7/metrics', { points: [{ taskId: 't', name: 'auc', value: 0.5 }] }],
      ['/backfills', { environment: 'dev', pipeline: 'p', from: '2026-01-01', to: '2026-01-02' }],
      ['/alerts/test', { environment: 'dev', target: 'slack:#x' }],
      ['/login/codes', {}],
    ] as const;
    const odd = [...ODD, null, 0, -1, 1e308, true, [], {}, [[]], { $ne: 1 }, ['a', 'b']];
    for (const [path, body] of bodies) {
      expect(`${path} ${(await post(path, body)).status}`).toMatch(/ 20[014]$/);
      for (const value of odd) {
        for (const changed of [
          ...Object.keys(body).map((key) => ({ ...body, [key]: value })),
          { ...body, extra: value },
          value,
        ]) {
          const { status, text } = await post(path, changed);
          if (status >= 500 || (status >= 300 && status < 400))
            throw new Error(`${path} ${JSON.stringify(changed)}: ${text}`);
        }
      }
    }
  });

  test('a run takes an instant or both ends of an interval', async () => {
    const trigger = async (more: object) => (await post('/pipelines/p/runs', { environment: 'dev', ...more })).status;
    expect(await trigger({})).toBe(201);
    expect(await trigger({ from: '2026-01-01', to: '2026-01-02' })).toBe(201);
    expect(await trigger({ from: '2026-01-01' })).toBe(400);
    expect(await trigger({ at: '2026-01-01', from: '2026-01-01', to: '2026-01-02' })).toBe(400);
  });

  test('the command hears who asked', async () => {
    await post('/pipelines/p/runs', { environment: 'dev' });
    const call = [...api.calls].reverse().find(({ name }) => name === 'trigger');
    expect(call?.args).toEqual(['p', { environment: 'dev', params: {} }, 'the API token']);
  });
});
