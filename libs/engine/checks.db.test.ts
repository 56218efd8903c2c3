import { afterEach, expect, test } from '@jest/globals';
import type { CheckResult } from '#core';
import { apiQueries } from '#store';
import { FAILURE, SUCCESS } from '../testing/scripted-executor.ts';
import { World } from '../testing/world.ts';

let world: World;
afterEach(() => world.close());

const PIPELINE = `
name: p
paths: { raw: raw }
tasks:
  load:
    run: load
    writes: [raw]
    checks:
      - { name: some, expr: outputs.n > 0, on_fail: warn }
      - { name: as before, rows: { last: 3, within: 0.5 } }
      - { name: delays, range: { column: delay, min: 0 }, on_fail: quarantine }`;

test('results are kept run by run, and numbers of rows are compared with the runs before', async () => {
  world = await World.open({ at: '2026-01-04T00:00:00Z' });
  await world.release(PIPELINE);
  const end = async (rows: number, bad: number): Promise<string> => {
    const id = await world.run('p');
    const looked: CheckResult[] = [
      { name: 'as before', path: 'raw', state: 'passed', rows, bad: null, detail: 'holds', sample: [] },
      ...(bad > 0
        ? [
            {
              name: 'delays',
              path: 'raw',
              state: 'quarantined' as const,
              rows,
              bad,
              detail: 'x\0',
              sample: [{ delay: -1 }],
            },
          ]
        : []),
    ];
    const { writes, tables } = world.executor.find('load');
    expect(writes.map(({ name, location }) => `${name} ${location}`)).toEqual([
      'raw p/raw',
      'raw.quarantine _quarantine/p/raw',
    ]);
    expect(tables?.checks.map(({ name }) => name)).toEqual(['as before', 'delays']);
    await world.end('load', SUCCESS, { outputs: { n: bad === 0 ? 1 : 0 }, checks: looked });
    return id;
  };
  expect(await world.tasks(await end(100, 0))).toEqual({ load: 'success' });
  const second = await end(120, 4);
  expect(await world.tasks(second)).toEqual({ load: 'success' });
  expect(await world.tasks(await end(10, 0))).toEqual({ load: 'failed' });
  // What failed is no history: the mean is still that of the first two.
  expect(await world.tasks(await end(150, 0))).toEqual({ load: 'success' });

  const [row] = await world.db.query<{ reason: string }[]>('select reason from task_run where run_id = $1', [second]);
  expect(row?.reason).toBe('check "some" does not hold: `outputs.n > 0`; check "delays" put rows aside: x\uFFFD');
  const filter = { environment: 'dev', pipeline: 'p', task: null, runs: 100, limit: 100 };
  const series = await apiQueries.readCheckSeries(world.db, filter);
  expect(series.map(({ name, state, rows, bad }) => [name, state, rows, bad])).toEqual([
    ['as before', 'passed', 100, null],
    ['as before', 'passed', 120, null],
    ['as before', 'failed', 10, null],
    ['as before', 'passed', 150, null],
    ['delays', 'quarantined', 120, 4],
    ['some', 'passed', null, null],
    ['some', 'warned', null, null],
    ['some', 'passed', null, null],
    ['some', 'passed', null, null],
  ]);
  expect(series[2]?.detail).toBe('10 rows; the last 2 runs had a mean of 110, so 55 to 165 are expected');
  const checks = await apiQueries.readRunChecks(world.db, second, 10);
  expect(checks.find(({ name }) => name === 'delays')?.sample).toEqual([{ delay: -1 }]);
});

test('who wants to be told of checks that only warn is told once for each task of a run, unless it is muted', async () => {
  const told = async (): Promise<unknown> =>
    world.db.query("select message ->> 'title' as title, target, message -> 'log' as log from alert_delivery");
  const alerts = (mute: string) => `alerts: { slack: { channel: "#ops" }, on: [check.warned], mute: [${mute}] }`;
  world = await World.open({ environment: alerts('run.late') });
  const fanned = PIPELINE.replace('run: load', 'run: load\n    matrix: { n: [1, 2] }');
  await world.release(`${fanned}\nalerts: [{ on: [run.failed, check.warned], to: "slack:#data" }]`);
  await world.run('p');
  const said = { outputs: { n: 0 }, checks: [] };
  await world.end('load[n=1]', FAILURE, said); // what fails is told of as a failure
  await world.end('load[n=2]', SUCCESS, said);
  const log = { taskId: 'load', mapIndex: 1, number: 1 };
  const title = 'Task "load": check "some" does not hold: `outputs.n > 0`';
  expect(await told()).toEqual([
    { title, target: 'slack:#data', log },
    { title, target: 'slack:#ops', log },
    expect.objectContaining({ target: 'slack:#data', log: { ...log, mapIndex: 0 } }),
  ]);
  await world.close();

  world = await World.open({ environment: alerts('check.warned') });
  await world.release(`${PIPELINE}\nalerts: [{ on: check.warned, to: "slack:#data" }]`);
  await world.run('p');
  await world.end('load', SUCCESS, said);
  expect(await told()).toEqual([]);
});

test('an attempt that fails on its rows leaves their results', async () => {
  world = await World.open({ at: '2026-01-04T00:00:00Z' });
  await world.release(PIPELINE);
  const id = await world.run('p');
  const check = { name: 'delays', path: 'raw', state: 'failed' as const, rows: 2, bad: 1, detail: 'bad', sample: [] };
  await world.end('load', FAILURE, { checks: [check] });
  expect(await apiQueries.readRunChecks(world.db, id, 10)).toMatchObject([{ name: 'delays', state: 'failed', bad: 1 }]);
});
