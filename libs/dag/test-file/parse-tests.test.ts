import { describe, expect, test } from '@jest/globals';
import { compilePipelines, parseEnvironment, parseTests, testsJsonSchema } from '../index.ts';

const PIPELINE = `
name: shop
schedule:
  cron: "0 6 * * *"
  timezone: Europe/Berlin
  start: 2026-01-01
  events: { order: { params: { sample: "\${{ event.share }}" } } }
params: { sample: { type: number, default: 0.5, maximum: 1 } }
paths: { raw: { at: raw, partition: ds } }
tasks:
  load: { run: "true", writes: [raw], secrets: [DSN] }
  train: { run: "true", reads: [raw], matrix: { l2: [1, 3] } }
  fit: { run: "true", group: g, matrix: { m: [1, 2] } }
groups: { g: { matrix: { n: [1] } } }
`;
const { pipelines } = compilePipelines([
  { file: 'shop.yaml', text: PIPELINE },
  { file: 'hand.yaml', text: 'name: hand\ntasks: { a: { run: "true" } }\n' },
]);
const { environment } = parseEnvironment('e.yaml', 'name: dev\nstorage: d\nsecrets: { DSN: { env: D } }\n', '/p');
const project = {
  pipelines,
  broken: new Set(['half']),
  environments: new Map(environment === null ? [] : [['dev', environment]]),
  files: new Set(['shop.yaml', 'tests/data/a.csv']),
};
const parse = (text: string) => parseTests('tests/shop.yaml', text, project);
const problemsOf = (text: string): string[] =>
  parse(text).problems.map(({ line, column, message, hint }) => `${line}:${column} ${message} > ${hint}`);
const inTest = (body: string) => problemsOf(`pipeline: shop\ntests:\n  x: ${body}\n`);

describe('files of tests', () => {
  test('are no pipelines', () => {
    const { pipelines: found, problems } = compilePipelines([{ file: 'tests/a.yaml', text: 'tests: {}' }]);
    expect([found, problems.size]).toEqual([[], 0]);
  });

  test.each([
    ['{ expct: {} }', '3:8 The key "expct" in tests.x is not known. > Did you mean "expect"?'],
    ['{}', '3:3 The test expects nothing. > Add `expect:`, `meanwhile:` or `golden: true`.'],
    ['{ tasks: { laod: failed }, golden: true }', '3:17 Pipeline "shop" has no task "laod". > Did you mean "load"?'],
    [
      '{ tasks: { load: faild }, golden: true }',
      '3:23 tests.x.tasks.load is "faild"; expected success, failed, skipped, timed_out, lost, real, or a map with exit, state, message, answer, takes, outputs, metrics, writes. > For example: { exit: 1, takes: 5m }.',
    ],
    [
      '{ tasks: { load: { exit: 1, state: success } }, golden: true }',
      '3:23 The state and the exit code of this outcome contradict each other. > Give one of them; retry_after goes with exit 75.',
    ],
    [
      '{ tasks: { load: real }, environment: dev, golden: true }',
      '3:23 Task "load" needs the secret DSN, and tests have none. > Mock it: give its state, outputs and metrics.',
    ],
    [
      '{ tasks: { load: { writes: { row: {} } } }, golden: true }',
      '3:35 Task "load" does not write "row". > Did you mean "raw"?',
    ],
    [
      '{ expect: { tasks: { "train[l2=2]": success } } }',
      '3:27 The fan-out of task "train" has no item "l2=2". > Did you mean "l2=1"?',
    ],
    [
      '{ expect: { tasks: { "fit[n=1/m=2]": success, "fit[n=1]": skipped, "fit[n=1/m=3]": success } } }',
      '3:73 The fan-out of task "fit" has no item "n=1/m=3". > Did you mean "n=1/m=1"?',
    ],
    [
      '{ event: { name: ordr }, golden: true }',
      '3:23 Pipeline "shop" does not wait for the event "ordr". > Did you mean "order"?',
    ],
    [
      '{ event: { name: order, payload: {} }, golden: true }',
      '3:8 The event starts no run: params.sample: Expression `event.share` cannot be evaluated: no such key: share. > Correct the payload, or what the pipeline makes of it.',
    ],
    [
      '{ event: { name: order, payload: { share: 2 } }, golden: true }',
      '3:8 Parameter "sample" is 2; expected at most 1. > The pipeline says under `params:` what it takes.',
    ],
    [
      '{ event: { name: order, payload: { share: 1 } }, params: { sample: 1 }, golden: true }',
      '3:55 The payload of the event gives the parameters. > Remove it, or `event`.',
    ],
    [
      '{ expect: { tasks: { "load[a]": success } } }',
      '3:27 Task "load" is not fanned out, so it has no item "a". > Write load.',
    ],
    [
      '{ expect: { tasks: { load: { that: output.rows > 1 } } } }',
      '3:41 The name "output" is not known in an expectation. > Did you mean "outputs"?',
    ],
    [
      '{ expect: { tasks: { load: { wrote: { features: a } } } } }',
      '3:44 Task "load" does not write "features". > It writes raw.',
    ],
    ['{ expect: { attempts: [load] } }', '3:29 "load" is no attempt. > Write task#1, or task[key]#1.'],
    [
      '{ params: { sampel: 1 }, golden: true }',
      '3:18 Pipeline "shop" has no parameter "sampel". Did you mean "sample"? > The pipeline says under `params:` what it takes.',
    ],
    ['{ at: 2026-02-30, golden: true }', '3:12 "2026-02-30" is no time. > Write 2026-01-31 or 2026-01-31T06:00Z.'],
    [
      '{ at: 2025-01-01, golden: true }',
      '3:12 Pipeline "shop" has no interval that holds "2025-01-01". > Choose an instant between its start and end.',
    ],
    ['{ given: { rew: {} }, golden: true }', '3:17 Pipeline "shop" declares no path "rew". > Did you mean "raw"?'],
    [
      '{ given: { raw: { at: 2026-01-02, folder: tests/dat } }, golden: true }',
      '3:48 There is no file or folder "tests/dat" below dags/. > Name it from dags/ on, without a slash at its end.',
    ],
    [
      '{ given: { raw: { from: 2026-01-02 } }, golden: true }',
      '3:22 It is given for `at`, or for `from` and `to`. > Give both ends, or one instant.',
    ],
    [
      '{ data: { flights: nowhere }, golden: true }',
      '3:25 There is no folder "nowhere" with files below dags/. > Name it from dags/ on, without a slash at its end.',
    ],
    [
      '{ environment: deb, golden: true }',
      '3:21 There is no environment "deb" without problems in environments/. > Did you mean "dev"?',
    ],
    ['{ pipeline: shp, golden: true }', '3:18 There is no pipeline "shp". > Did you mean "shop"?'],
    [
      '{ pipeline: half, golden: true }',
      '3:18 The pipeline "half" has problems of its own. > `sluice validate` shows them.',
    ],
    [
      '{ pipeline: hand, fires: { from: 2026-01-01, to: 2026-01-02, count: 0 } }',
      '3:24 Pipeline "hand" is started by hand only. > Give it a schedule, or remove the test.',
    ],
    [
      '{ fires: { from: 2026-01-02, to: 2026-01-02, count: 0 } }',
      '3:39 The clock does not move: `to` is not after `from`. > Exchange them.',
    ],
    [
      '{ fires: { from: 2026-01-01, to: 2026-01-02, count: 1 }, golden: true }',
      '3:63 A test with fires has no run, so golden means nothing. > Write two tests.',
    ],
  ])('%s is told where and what to do', (body, problem) => {
    expect(inTest(body)).toContain(problem);
  });

  test('show all their problems at once', () => {
    const text = 'tests:\n  a: { golden: true }\n  b: { pipeline: shop, tasks: { x: failed, y: failed } }\n';
    expect(problemsOf(text).map((problem) => problem.split(' ')[0])).toEqual(['2:3', '3:3', '3:33', '3:44']);
    expect(problemsOf('')).toEqual(['1:1 The file is empty. > Begin with `pipeline:` and `tests:`.']);
  });

  test('times without an offset are those of the schedule', () => {
    const text =
      'pipeline: shop\ntests: { x: { fires: { from: 2026-07-01T05:00, to: 2026-07-01T05:00Z, count: 0 } } }\n';
    expect(parse(text).tests[0]?.body).toMatchObject({
      from: new Date('2026-07-01T03:00Z'),
      to: new Date('2026-07-01T05:00Z'),
    });
  });

  test('never carry secrets into a test', () => {
    const text = 'pipeline: shop\nenvironment: dev\ntests: { x: { golden: true } }\n';
    expect(parse(text).tests[0]?.environment).toMatchObject({ name: 'dev', secrets: {} });
  });

  test('have a JSON Schema', () => {
    expect(testsJsonSchema()).toMatchObject({
      $id: 'urn:sluice:schema:tests',
      properties: { tests: { additionalProperties: { properties: { expect: expect.anything() } } } },
    });
  });
});
