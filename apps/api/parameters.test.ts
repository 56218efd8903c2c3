import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { anApi, type ApiUnderTest } from './api-under-test.ts';
import { BODIES, ODD_JSON, oddAddresses, ROUTES } from './odd-values.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  const page = () => ({ items: [], next: null });
  const list = () => [];
  const one = () => ({});
  api = await anApi({
    ...{
      pipelines: list,
      pipeline: one,
      grid: one,
      metricSeries: list,
      runs: page,
      run: one,
      rerun: one,
      runDetail: one,
    },
    ...{ whyWaiting: list, taskRun: one, log: one, searchLog: list, followLog: () => undefined, alerts: page },
    ...{ alertsByIds: list, path: one, system: one, environments: () => [{ name: 'dev/pr-1' }], pipelineSummary: one },
    ...{
      schedulePreview: one,
      checkSeries: list,
      runChecks: list,
      environmentDrift: one,
      environmentDiff: one,
      configurations: list,
      createPreview: one,
    },
    ...{ audit: page, create: () => ({ token: 't', record: {} }) },
    ...{ trigger: () => ({ runId: '1' }), cancelRun: one, rerunRun: () => ({ runId: '1' }), setPaused: one },
    ...{ markRun: one, actOnRuns: list },
    ...{
      releases: page,
      release: one,
      releaseDetail: one,
      releaseDiff: one,
      missingBlobs: list,
      createRelease: () => 'd',
    },
    ...{
      backfill: () => ({ id: null, intervals: [] }),
      backfills: page,
      archivedRuns: page,
      archivedRun: one,
      pruneHistory: one,
      backfillDetail: one,
      testAlerts: list,
      recordMetrics: one,
    },
    ...{ verification: one, runDiff: one, environmentOfRun: () => 'dev', verifyRun: () => '1', collectGarbage: one },
  });
});
afterAll(() => api.close());

describe('parameters', () => {
  test('what is documented is accepted', async () => {
    for (const [path, query] of ROUTES)
      expect(`${path} ${(await api.ask(`${path}?${new URLSearchParams(query)}`)).status}`).toBe(`${path} 200`);
  });

  test('odd values in any place are refused or harmless, never an error of ours', async () => {
    for (const url of oddAddresses()) {
      const { status, text } = await api.ask(url);
      if (![200, 400, 404].includes(status)) throw new Error(`${url} was answered with ${status}: ${text}`);
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
      args: [
        { environment: null, among: null, pipeline: null, states: null, from: null, to: null, limit: 50, cursor: null },
      ],
    });
  });
});

describe('bodies', () => {
  const post = (path: string, body: unknown) => api.ask(`/api/v1${path}`, { method: 'POST', body });

  test('odd values in any field are refused, never an error of ours', async () => {
    for (const [path, body] of BODIES) {
      expect(`${path} ${(await post(path, body)).status}`).toMatch(/ 20[014]$/);
      for (const value of ODD_JSON) {
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
    expect(call?.args).toEqual(['p', { environment: 'dev', params: {}, noCache: false }, 'the API token']);
  });
});
