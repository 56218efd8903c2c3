import { describe, expect, test } from '@jest/globals';
import { compilePipelines, parseEnvironment, parseTests, type PipelineTest } from '#dag';
import { judgeFires, judgeLook } from './judge-test.ts';
import { simulateFires } from './simulate-fires.ts';
import { simulateTest } from './simulate-test.ts';
import { worldWithoutFiles } from './test-world.ts';

const SHOP = `
name: shop
schedule: { cron: "0 6 * * *", timezone: Europe/Berlin, start: 2026-01-01, catchup: true }
deadline: 2h
run_timeout: 5h
params: { sample: { type: number, default: 0.5 } }
paths: { raw: { at: raw, partition: ds } }
alerts: [{ on: [run.failed, run.late, task.retrying], to: "slack:#shop" }]
tasks:
  load: { run: "true", writes: [raw], retries: { max: 2, delay: 10m, backoff: 2, jitter: 0.5 }, timeout: 1h }
  items: { run: "true", needs: [load] }
  train: { run: "echo \${{ matrix.item }}", needs: [items], matrix: { item: "\${{ tasks.items.outputs.list }}" }, max_parallel: 1 }
  judge: { run: "true", needs: [train], metrics: [auc], gate: { expr: metrics.auc >= baseline.auc, on_fail: skip_downstream } }
  ship: { run: "true", needs: [judge] }
  maybe: { run: "true", needs: [load], if: params.sample > 0.9 }
finally:
  clean: { run: "true" }
environments:
  dev: { paused: true }
`;
const READER = `
name: reader
schedule: { cron: "0 6 * * *", timezone: Europe/Berlin, start: 2026-01-01 }
tasks: { read: { run: "true", reads: { raw: { path: shop.raw, last: 3d, missing: wait } } } }
`;
const WAITER = `
name: waiter
tasks:
  until: { wait: { path: landing/ready, timeout: 3h, on_timeout: skip } }
  ask: { approve: { message: Go on }, needs: [until], when: always }
  after: { run: "true", needs: [until] }
`;
const GATED = `
name: gated
tasks:
  train: { run: "true", metrics: [auc], gate: { expr: metrics.auc > 0.8, on_fail: needs_approval, timeout: 2h } }
  use: { run: "true", needs: [train] }
alerts: [{ on: task.approval, to: "slack:#ml" }]
`;
const ORDERS = `
name: orders
schedule:
  events: { order: { params: { id: "\${{ event.order.id }}", note: "order \${{ event.order.id }}" } } }
params: { id: { type: integer }, note: { type: string, default: none } }
groups: { region: { matrix: { region: [eu, us] } } }
tasks:
  sure: { group: region, approve: "Ship \${{ params.id }} to \${{ matrix.region }}?", if: run.trigger == "event" }
  ship: { group: region, needs: [sure], run: 'echo "\${{ params.note }}"' }
alerts: [{ on: [task.approval, run.failed], to: "slack:#ml" }]
`;
const CALLER = `
name: caller
tasks:
  c: { call: waiter }
  after: { run: "true", needs: [c], if: tasks.c.outputs.run_id == "7" }
`;
const FITS = `
name: fits
groups: { regions: { matrix: { region: [eu, us] } } }
tasks:
  parts: { run: "true", group: regions }
  fit: { run: "true", group: regions, needs: parts, matrix: { part: "\${{ tasks.parts.outputs.list }}" }, max_parallel: 1 }
  best: { run: "echo \${{ tasks.fit.outputs[0].auc }}", group: regions, needs: fit }
`;
const { pipelines } = compilePipelines([
  { file: 'fits.yaml', text: FITS },
  { file: 'caller.yaml', text: CALLER },
  { file: 'orders.yaml', text: ORDERS },
  { file: 'waiter.yaml', text: WAITER },
  { file: 'gated.yaml', text: GATED },
  { file: 'shop.yaml', text: SHOP },
  { file: 'reader.yaml', text: READER },
]);
const { environment } = parseEnvironment(
  'e.yaml',
  'name: dev\nstorage: d\nschedules: active\npools: { default: 1 }\n',
  '/',
);
const project = {
  ...{ pipelines, broken: new Set<string>(), files: new Set<string>() },
  environments: new Map(environment === null ? [] : [['dev', environment]]),
};

function testOf(body: string, pipeline = 'shop'): PipelineTest {
  const { tests, problems } = parseTests('tests/t.yaml', `pipeline: ${pipeline}\ntests: { t: ${body} }`, project);
  expect(problems).toEqual([]);
  return tests[0] as PipelineTest;
}

/** What the test says it failed at, as `path: message`. */
async function failuresOf(body: string, pipeline?: string): Promise<string[]> {
  const tested = testOf(body, pipeline);
  if (tested.body.kind === 'fires') return told(judgeFires(tested.body, simulateFires(tested, tested.body)));
  const { looks } = await simulateTest(tested, tested.body, pipelines, worldWithoutFiles());
  return told(looks.flatMap(({ expected, seen }) => judgeLook(expected, seen, tested)));
}

function told(failures: readonly { path: readonly (string | number)[]; message: string }[]): string[] {
  return failures.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

const ITEMS = 'items: { outputs: { list: [a, b] } }, judge: { metrics: { auc: 0.8 } }';

describe('a simulated run', () => {
  test.each([
    ['succeeds unless told otherwise', `{ tasks: { ${ITEMS} }, expect: { state: success, took: 0s, alerts: [] } }`],
    [
      'fans out by what was said upstream, and keeps to max_parallel',
      `{ tasks: { ${ITEMS}, train: { takes: 10m } }, expect: { took: 20m, tasks: { "train[item=a]": success, train: { tries: 1 } } } }`,
    ],
    [
      'retries after the delays of its policy, without chance, and tells of it',
      `{ tasks: { ${ITEMS}, load: [{ exit: 1 }, { exit: 2 }, success] }, expect: { took: 30m, tasks: { load: { tries: 3 } }, alerts: [{ on: task.retrying, title: exit code 1 }, { on: task.retrying }] } }`,
    ],
    [
      'fails when retries are used up; what comes after it does not run, but finally does',
      `{ tasks: { load: failed }, expect: { state: failed, tasks: { load: { tries: 3, state: failed }, ship: upstream_failed, clean: success }, alerts: [{ on: task.retrying }, { on: task.retrying }, { on: run.failed, to: "slack:#shop" }] } }`,
    ],
    [
      'ends attempts that take longer than their timeout',
      `{ tasks: { ${ITEMS}, load: [{ takes: 90m }, success] }, meanwhile: [{ after: 59m, tasks: { load: running } }, { after: 60m, tasks: { load: { state: retrying, reason: timed out after 3600 s } } }], expect: { took: 70m } }`,
    ],
    [
      'is late at its deadline, once',
      `{ tasks: { ${ITEMS}, train: { takes: 65m } }, expect: { took: 130m, alerts: [{ on: run.late }] } }`,
    ],
    [
      'is stopped at its run_timeout; finally runs all the same',
      `{ tasks: { ${ITEMS}, train: { takes: 3h } }, expect: { state: timed_out, took: 5h, tasks: { "train[item=a]": success, "train[item=b]": cancelled, clean: success } } }`,
    ],
    [
      'is cancelled by somebody',
      `{ tasks: { ${ITEMS}, train: { takes: 3h } }, cancel_after: 10m, expect: { state: cancelled, took: 10m, tasks: { ship: cancelled } } }`,
    ],
    [
      'closes a gate against the run before',
      `{ baseline: { judge: { auc: 0.9 } }, tasks: { ${ITEMS} }, expect: { state: success, tasks: { judge: { state: success, reason: does not hold }, ship: skipped } } }`,
    ],
    [
      'sees parameters in conditions',
      `{ params: { sample: 1 }, tasks: { ${ITEMS} }, expect: { tasks: { maybe: { state: success, env: { PARAM_SAMPLE: "1" } } } } }`,
    ],
    [
      'waits 60 s after exit code 75 without using up a retry',
      `{ tasks: { ${ITEMS}, load: [{ exit: 75 }, { exit: 75, retry_after: 5m }, success] }, expect: { took: 6m, tasks: { load: { tries: 3 } } } }`,
    ],
    [
      'tries again what is lost with its process',
      `{ tasks: { ${ITEMS}, load: [lost, success] }, expect: { took: 0s, attempts: ["load#1", "load#2", "items#1", "train[item=a]#1", "train[item=b]#1", "judge#1", "clean#1"] } }`,
    ],
    [
      'shows a mistake that only a run can make',
      `{ tasks: { items: { outputs: { list: 7 } } }, expect: { state: failed, tasks: { train: { state: failed, tries: 0, reason: list } } } }`,
    ],
    [
      'has the slots of its environment',
      `{ environment: dev, tasks: { items: { takes: 1h, outputs: { list: [] } }, maybe: { takes: 1h } }, params: { sample: 1 }, expect: { took: 2h } }`,
    ],
  ])('%s', async (_title, body) => {
    expect(await failuresOf(body.replace('{ ', '{ at: 2026-03-01, '))).toEqual([]);
  });

  test('waits for data, and goes on when it comes', async () => {
    const given = (after: string) =>
      `{ at: 2026-03-03T12:00, given: { shop.raw: [{ from: 2026-03-01T06:00, to: 2026-03-03T06:00 }, { at: 2026-03-03T12:00, after: ${after} }] }`;
    expect(await failuresOf(`${given('0s')}, expect: { state: success, took: 0s } }`, 'reader')).toEqual([]);
    const later = `${given('3h')}, meanwhile: [{ after: 2h, tasks: { read: waiting } }], expect: { took: 3h } }`;
    expect(await failuresOf(later, 'reader')).toEqual([]);
    const never = `{ at: 2026-03-03T12:00, expect: { state: success } }`;
    expect((await failuresOf(never, 'reader')).join()).toMatch(
      /The run is running; expected success\. read waits: 3 partitions/,
    );
  });

  test('calls nothing: the called run ends as the test says', async () => {
    const good =
      '{ tasks: { c: { takes: 1h, outputs: { run_id: "7" } } }, expect: { state: success, took: 1h, tasks: { after: success } } }';
    expect(await failuresOf(good, 'caller')).toEqual([]);
    const bad =
      '{ tasks: { c: { state: failed, message: no } }, expect: { state: failed, tasks: { after: upstream_failed } } }';
    expect(await failuresOf(bad, 'caller')).toEqual([]);
  });

  test('waits as long as the test says, and ends by on_timeout after that', async () => {
    const long =
      '{ tasks: { until: { takes: 2h }, ask: { state: failed, takes: 1h, message: no } }, meanwhile: [{ after: 1h, tasks: { until: waiting } }], expect: { state: failed, took: 2h, tasks: { until: success, after: success, ask: { state: failed, reason: no, tries: 0 } } } }';
    expect(await failuresOf(long, 'waiter')).toEqual([]);
    const late =
      '{ tasks: { until: { takes: 4h } }, expect: { state: success, took: 3h, tasks: { until: skipped, after: skipped } } }';
    expect(await failuresOf(late, 'waiter')).toEqual([]);
  });

  test('fans out within a group, and names the task runs by both items', async () => {
    const lists = '"parts[region=eu]": { outputs: { list: [a, b] } }, "parts[region=us]": { outputs: { list: [] } }';
    const body = `{ tasks: { ${lists}, fit: { takes: 1h, outputs: { auc: 1 } }, "fit[region=eu/part=b]": failed }, expect: { state: failed, took: 1h, tasks: { "fit[region=eu/part=a]": success, "fit[region=eu/part=b]": failed, "best[region=eu]": upstream_failed, "fit[region=us]": skipped, "best[region=us]": skipped } } }`;
    expect(await failuresOf(body, 'fits')).toEqual([]);
  });

  test.each([
    ['approve', 'state: success, took: 0s, tasks: { train: { state: success, metrics: { auc: 0.7 } }, use: success }'],
    ['reject', 'state: failed, took: 0s, tasks: { train: { state: failed, reason: rejected by the test, tries: 1 } }'],
    ['none', 'state: failed, took: 2h, tasks: { train: { state: failed, reason: nobody has answered } }'],
  ])('a gate that asks is answered: %s', async (answer, expected) => {
    const body = `{ tasks: { train: { metrics: { auc: 0.7 }, answer: ${answer} } }, expect: { ${expected}, alerts: [{ on: task.approval, title: may it pass }] } }`;
    expect(await failuresOf(body, 'gated')).toEqual([]);
  });

  test('is started by an event; what items of an approve task ask is told, and answered item by item', async () => {
    const body = `{ event: { name: order, payload: { order: { id: 7 } } },
      tasks: { "sure[region=eu]": { takes: 1h }, "sure[region=us]": { state: failed, takes: 2h, message: too far } },
      meanwhile: [{ after: 90m, tasks: { "sure[region=eu]": success, "ship[region=eu]": success, "sure[region=us]": waiting } }],
      expect: { state: failed, took: 2h, tasks: { "ship[region=us]": upstream_failed, "ship[region=eu]": { env: { PARAM_ID: "7", PARAM_NOTE: order 7 } } },
        alerts: [{ on: task.approval, to: "slack:#ml", title: 'Task "sure[region=eu]" asks: Ship 7 to eu? And 1 more' }, { on: run.failed }] } }`;
    expect(await failuresOf(body, 'orders')).toEqual([]);
    const never =
      '{ event: { name: order, payload: { order: { id: 7 } } }, tasks: { sure: failed }, expect: { alerts: [] } }';
    expect((await failuresOf(never, 'orders')).join()).toMatch(
      /2 more alerts were sent: "task.approval to slack:#ml: /,
    );
  });

  test('tells that a run before it is made good, when it succeeds', async () => {
    const after = (tasks: string, alerts: string) =>
      failuresOf(
        `{ at: 2026-03-01, after_failure: true, tasks: { ${ITEMS}, ${tasks} }, expect: { alerts: [${alerts}] } }`,
      );
    expect(await after('clean: success', '{ on: run.recovered, to: "slack:#shop", title: succeeded }')).toEqual([]);
    expect(await after('clean: failed', '{ on: run.failed }')).toEqual([]);
  });

  test('says of each expectation that does not hold what was seen', async () => {
    const body = `{ at: 2026-03-01, tasks: { ${ITEMS}, load: { outputs: { rows: 3 } } }, expect: {
      state: failed, took: 1m, reason: nope, attempts: [load#1, ship#1], alerts: [{ on: run.late }],
      tasks: { load: { tries: 2, outputs: { rows: 4, more: 1 }, env: { DS: x }, wrote: { raw: a.csv }, that: [outputs.rows == 3, outputs.rows > 9] }, ship: failed } } }`;
    expect(await failuresOf(body)).toEqual([
      'expect.state: The run is success; expected failed.',
      'expect.reason: The reason is nothing; expected it to contain "nope".',
      'expect.took: The run took 0s; expected 1m.',
      'expect.tasks.load.tries: Task load made 1 attempt; expected 2.',
      'expect.tasks.load.outputs.rows: outputs.rows of load is 3; expected 4.',
      'expect.tasks.load.outputs.more: outputs.more of load is nothing; expected 1.',
      'expect.tasks.load.env.DS: env.DS of load is "2026-02-28"; expected "x".',
      'expect.tasks.load.wrote.raw: load wrote nothing to raw; expected a.csv.',
      'expect.tasks.load.that.1: `outputs.rows > 9` does not hold for load: it is false; outputs {"rows":3}, metrics {}.',
      'expect.tasks.ship: Task ship is skipped (its rule `all_success` cannot be met by how its upstream tasks ended); expected failed.',
      'expect.attempts.1: The attempt number 2 is items#1; expected ship#1. All: load#1, items#1, train[item=a]#1, train[item=b]#1, judge#1, clean#1.',
      'expect.alerts.0: Alert 1 is missing; expected "run.late".',
    ]);
  });
});

describe('a schedule under a moving clock', () => {
  test.each([
    [
      'fires as the clocks of its zone show, across their change',
      'reader',
      '{ fires: { from: 2026-03-28, to: 2026-03-31, at: [2026-03-28T05:00Z, 2026-03-29T04:00Z, 2026-03-30T06:00] } }',
    ],
    [
      'catches up at once what was missed',
      'shop',
      '{ fires: { activated: 2026-01-05T12:00, from: 2026-01-05, to: 2026-01-06, at: [2026-01-05T12:00, 2026-01-05T12:00, 2026-01-05T12:00, 2026-01-05T12:00] } }',
    ],
    [
      'without catchup only the newest of them',
      'reader',
      '{ fires: { activated: 2026-01-05T12:00, from: 2026-01-05, to: 2026-01-06, starts: [2026-01-04T06:00] } }',
    ],
    [
      'is paused where its file says so',
      'shop',
      '{ environment: dev, fires: { from: 2026-01-05, to: 2026-02-05, count: 0 } }',
    ],
  ])('%s', async (_title, pipeline, body) => {
    expect(await failuresOf(body, pipeline)).toEqual([]);
  });

  test('says which fire is another one', async () => {
    const body =
      '{ fires: { from: 2026-03-28, to: 2026-03-30, at: [2026-03-28T05:00Z, 2026-03-29T05:00Z], count: 3 } }';
    expect(await failuresOf(body, 'reader')).toEqual([
      'fires.at.1: The fire number 2 is 2026-03-29T04:00Z; expected 2026-03-29T05:00Z. All: 2026-03-28T05:00Z, 2026-03-29T04:00Z.',
      'fires.count: 2 runs are created; expected 3.',
    ]);
  });
});
