import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { anApi, type ApiUnderTest } from './api-under-test.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await anApi({
    environmentOfRun: (id: string) => (id === '7' ? 'dev' : 'prod'),
    runDiff: () => ({ same: true }),
    verifyRun: () => '1',
    verification: () => null,
    collectGarbage: () => ({}),
  });
});
afterAll(() => api.close());
beforeEach(() => void (api.calls as unknown[]).splice(0));

test('two runs are compared for who may view the environments of both', async () => {
  const status = async (rights: string) =>
    (await api.ask('/api/v1/runs/7/diff/8', { headers: api.as('one', rights) })).status;
  expect(await status('view:dev')).toBe(403);
  expect(await status('view:prod')).toBe(403);
  expect(api.calls.filter(({ name }) => name === 'runDiff')).toEqual([]);
  expect(await status('view:dev view:prod')).toBe(200);
});

test('a run is verified in the name of who asked', async () => {
  const headers = api.as('ann', 'operate:dev');
  expect((await api.ask('/api/v1/runs/7/verify', { method: 'POST', headers })).status).toBe(201);
  expect(api.calls).toContainEqual({ name: 'verifyRun', args: ['7', 'ann'] });
  expect((await api.ask('/api/v1/runs/7/verification')).json).toEqual({ verification: null });
});

test('garbage is collected by careful defaults, and never anything that is an hour young', async () => {
  const ask = async (body: object) => (await api.ask('/api/v1/gc', { method: 'POST', body })).status;
  expect(await ask({})).toBe(200);
  expect(api.calls.at(-1)?.args[0]).toEqual({ dryRun: false, keep: 3, olderThanMs: 604_800_000 });
  for (const body of [{ olderThanMs: 3_599_999 }, { keep: 0 }, { keep: 1.5 }, { dry: true }])
    expect([body, await ask(body)]).toEqual([body, 400]);
});
