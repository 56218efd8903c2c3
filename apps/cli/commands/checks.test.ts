import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { CheckSeries, RunCheck } from '#contracts';
import { ContractServer } from '../fixture/contract-server.ts';
import { sluice } from '../fixture/test-io.ts';

let server: ContractServer;
beforeEach(async () => {
  server = await new ContractServer().start();
});
afterEach(() => server.stop());
const run = (...words: string[]) => sluice(['checks', ...words], { env: server.env });

const point = (
  runId: string,
  state: CheckSeries['points'][number]['state'],
  bad: number,
): CheckSeries['points'][number] => ({
  ...{
    runId,
    at: '2026-01-03T11:00:00.000Z',
    intervalStart: null,
    state,
    rows: 100,
    bad,
    detail: `${bad} of 100 rows`,
  },
});

test('a pipeline’s checks are shown over its runs, a shape for each state, with the way to the bad rows', async () => {
  const series: CheckSeries = {
    ...{ task: 'load', name: 'prices', mapKey: '', path: 'raw' },
    points: [point('5', 'passed', 0), point('6', 'quarantined', 3), point('7', 'failed', 40), point('8', 'warned', 2)],
  };
  const calm = { ...series, name: 'ids', points: [point('8', 'passed', 0)] };
  server.on('GET /pipelines/orders/checks', { json: { items: [series, calm] } });
  const { code, out, err } = await run('orders', '--task', 'load');
  expect([code, err]).toEqual([0, 'see some of the bad rows: sluice checks --run 8\n']);
  expect(
    out
      .split('\n')
      .slice(1, 3)
      .map((line) => line.trim().split(/ {2,}/)),
  ).toEqual([
    ['load', 'prices', '-', 'warned', '2', '100', '3', '4', '·◆✗▲'],
    ['load', 'ids', '-', 'passed', '0', '100', '0', '1', '·'],
  ]);
  expect(server.asked).toMatchObject([{ query: { env: 'dev', task: 'load', limit: '200' } }]);
});

test('those of a run are shown with a bad row; without any it says so', async () => {
  const check: RunCheck = {
    ...{ taskId: 'load', mapIndex: 0, mapKey: '', number: 1, name: 'prices', path: 'raw', state: 'warned' },
    ...{ rows: 3, bad: 1, detail: '1 of 3 rows', sample: [{ id: 2, price: -1 }] },
  };
  server.on('GET /runs/8/checks', { json: { items: [check] } });
  server.on('GET /runs/9/checks', { json: { items: [] } });
  const { out } = await run('--run', '8');
  expect(out.split('\n')[1]?.split(/ {2,}/)).toEqual([
    ...['load', '-', 'prices', '▲ warned', '1', '3', '1 of 3 rows', '{"id":2,"price":-1}'],
  ]);
  expect((await run('--run', '9')).err).toBe('Run 9 has no results of checks.\n');
});

test('a pipeline and a run at once, or neither, is a mistake', async () => {
  for (const words of [[], ['orders', '--run', '8']])
    expect(await run(...words)).toMatchObject({ code: 2, err: expect.stringContaining('Either a pipeline or --run') });
  expect(server.asked).toEqual([]);
});
