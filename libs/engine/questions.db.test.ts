import { afterEach, expect, test } from '@jest/globals';
import { SUCCESS } from '../testing/scripted-executor.ts';
import { World } from '../testing/world.ts';

const START = Date.parse('2026-01-05T12:00:00Z');
const ANNA = { name: 'anna', groups: ['leads'] };
const YES = { isApproved: true, comment: '' };
const NO = { isApproved: false, comment: 'too few rows' };
const ALERTS = 'alerts: [{ on: task.approval, to: "slack:#ml" }]';

let world: World;
afterEach(() => world.close());

async function aWorld(text: string): Promise<void> {
  world = await World.open({ at: new Date(START).toISOString() });
  await world.release(text);
}

async function answer(runId: string, taskId: string, mapIndex: number | null, how = YES): Promise<string[]> {
  const answered = await world.commands.answer(runId, { taskId, mapIndex }, how, ANNA);
  await world.tick();
  return answered.map(({ mapKey }) => mapKey);
}

/** What was told, with what the message says beside its title. */
async function told(): Promise<string[][]> {
  const rows = await world.db.query<{ message: { title: string; details: { label: string; value: string }[] } }[]>(
    'select message from alert_delivery order by id',
  );
  return rows.map(({ message: { title, details } }) => [title, ...details.map(({ value }) => value)]);
}

test('a task with matrix asks about each item: one is answered, or all that ask; each goes its own way', async () => {
  await aWorld(`name: p
groups: { region: { matrix: { region: [eu, us, jp] } } }
tasks:
  sure: { group: region, approve: { message: "Publish \${{ matrix.region }}?", groups: [leads] } }
  publish: { group: region, needs: sure, run: "true" }
  after: { approve: "Go on with \${{ matrix.n }}?", matrix: { n: [1, 2] }, max_parallel: 1, needs: region, when: all_done }
${ALERTS}`);
  const id = await world.run('p');
  expect(await told()).toEqual([
    [
      'Task "sure[region=eu]" asks: Publish eu? And 2 more of its items.',
      ...['Publish eu?', 'Publish us?', 'Publish jp?', 'leads'],
      ...[`sluice runs approve ${id} 'sure[region=eu]'`, `sluice runs approve ${id} sure`],
    ],
  ]);
  await expect(world.commands.answer(id, { taskId: 'sure', mapIndex: 3 }, YES, ANNA)).rejects.toMatchObject({
    code: 'conflict',
    message: `Task "sure[3]" of run ${id} (running) asks nobody at the moment.`,
  });
  expect(await answer(id, 'sure', 1)).toEqual(['region=us']);
  expect(await world.tasks(id)).toEqual({
    ...{ 'sure[region=eu]': 'waiting', 'sure[region=us]': 'success', 'sure[region=jp]': 'waiting' },
    'publish[region=us]': 'queued',
  });
  await expect(world.commands.answer(id, { taskId: 'sure', mapIndex: 1 }, YES, ANNA)).rejects.toMatchObject({
    message: `Task "sure[region=us]" of run ${id} was answered already: approved by anna.`,
  });
  await world.restart();
  expect(await answer(id, 'sure', null, NO)).toEqual(['region=eu', 'region=jp']);
  expect(await world.tasks(id)).toMatchObject({
    ...{
      'sure[region=eu]': 'failed',
      'publish[region=eu]': 'upstream_failed',
      'publish[region=jp]': 'upstream_failed',
    },
    'publish[region=us]': 'queued',
  });
  await world.endAll();
  // One at a time, as its max_parallel says.
  expect((await told()).slice(1).map(([title]) => title)).toEqual(['Task "after[n=1]" asks: Go on with 1?']);
  expect(await answer(id, 'after', null)).toEqual(['n=1']);
  expect(await answer(id, 'after', null)).toEqual(['n=2']);
  expect(await world.runs('p')).toEqual(['manual failed']);
  const audit = await world.db.query<{ action: string; detail: { items: string[] } }[]>(
    "select action, detail from audit where action like 'task.%' order by seq",
  );
  expect(audit.map(({ action, detail }) => `${action} ${detail.items.join(' ')}`)).toEqual([
    ...['task.approve region=us', 'task.reject region=eu region=jp', 'task.approve n=1', 'task.approve n=2'],
  ]);
  expect(world.problems).toEqual([]);
});

const GATED = `name: p
paths: { model: { at: model } }
groups: { fits: { matrix: { l2: [1, 2, 3] } } }
tasks:
  train:
    group: fits
    if: matrix.l2 < 4
    max_parallel: 1
    run: "true"
    writes: [model]
    metrics: [auc]
    gate: { expr: metrics.auc > 0.8, on_fail: needs_approval, timeout: 1h, on_timeout: skip }
  score: { group: fits, reads: [model], run: 'score "\${{ tasks.train.outputs.rows }}"' }
  all: { needs: fits, run: 'all "\${{ tasks.train.outputs }}"', reads: [model], when: all_done }
${ALERTS}`;

async function trained(l2: number, auc: number): Promise<void> {
  const { writes, attemptId } = world.executor.find(`train[l2=${l2}]`);
  const published = { name: 'model', version: `v${l2}`, manifestHash: attemptId, files: 1, bytes: 1 };
  await world.end(`train[l2=${l2}]`, SUCCESS, {
    outputs: { rows: l2 * 10 },
    metrics: [{ name: 'auc', value: auc, step: null, ts: START }],
    versions: writes.map(({ location }) => ({ ...published, location })),
  });
}

test('the gate of a task with items asks about each by itself: only what somebody lets pass is shown, to the same item', async () => {
  await aWorld(GATED);
  const id = await world.run('p');
  for (const [l2, auc] of [
    [1, 0.5],
    [2, 0.9],
    [3, 0.6],
  ] as const)
    await trained(l2, auc);
  expect(await world.tasks(id)).toEqual({
    ...{ 'train[l2=1]': 'waiting', 'train[l2=2]': 'success', 'train[l2=3]': 'waiting', 'score[l2=2]': 'queued' },
  });
  expect((await told()).map(([title]) => title?.slice(0, 43))).toEqual([
    'Task "train[l2=1]" asks: gate does not hold',
    'Task "train[l2=3]" asks: gate does not hold',
  ]);
  await world.restart();
  expect(await answer(id, 'train', 0)).toEqual(['l2=1']);
  const score = world.executor.find('score[l2=1]');
  expect(score.reads[0]?.versions).toMatchObject([{ link: null, version: 'v1' }]);
  expect(Object.values(score.env)).toContain('10');
  const shown = await world.db.query<{ version: string }[]>('select version from path_pointer order by version');
  expect(shown.map(({ version }) => version)).toEqual(['v1', 'v2']);
  await world.tick(START + 3_600_000);
  expect(await world.tasks(id)).toMatchObject({ 'train[l2=3]': 'skipped', 'score[l2=3]': 'skipped' });
  await world.end('score[l2=1]');
  await world.end('score[l2=2]');
  expect(Object.values(world.executor.find('all').env)).toContain('[{"rows":10},{"rows":20},{}]');
  await world.endAll();
  expect(await world.runs('p')).toEqual(['manual success']);
  expect(world.problems).toEqual([]);
});

test('without a group the items of a gate ask as well; what nobody has answered when its run ends, nobody can answer', async () => {
  await aWorld(
    GATED.replace('groups: { fits: { matrix: { l2: [1, 2, 3] } } }\n', '')
      .replace('group: fits\n    if: matrix.l2 < 4', 'matrix: { l2: "${{ [1, 2, 3] }}" }')
      .replace(/ {2}score:.*\n {2}all:.*\n/, ''),
  );
  const id = await world.run('p');
  // Whoever waits for an answer takes no place of the others.
  await trained(1, 0.5);
  // What is asked already keeps nobody from working the list out again.
  await world.restart();
  for (const l2 of [2, 3]) await trained(l2, 0.5);
  expect(await answer(id, 'train', 2)).toEqual(['l2=3']);
  expect(await world.tasks(id)).toEqual({
    ...{ 'train[l2=1]': 'waiting', 'train[l2=2]': 'waiting', 'train[l2=3]': 'success' },
  });
  await world.commands.cancel(id, 'ann');
  await world.tick();
  await expect(world.commands.answer(id, { taskId: 'train', mapIndex: 0 }, YES, ANNA)).rejects.toMatchObject({
    message: `Task "train[0]" of run ${id} (cancelled) asks nobody at the moment.`,
  });
  expect(world.problems).toEqual([]);
});

test('in a fan-out within a group each of its items asks and is answered by itself, and those that depend on their past go on', async () => {
  await aWorld(`name: p
schedule: { cron: "0 0 * * *", start: 2026-01-04, catchup: true }
groups: { regions: { matrix: { region: [eu, us] } } }
tasks:
  parts: { group: regions, run: "true" }
  sure:
    group: regions
    needs: parts
    matrix: { part: "\${{ tasks.parts.outputs.parts }}" }
    approve: "Take \${{ matrix.part }} of \${{ matrix.region }}?"
  fit:
    group: regions
    needs: sure
    matrix: { part: "\${{ tasks.parts.outputs.parts }}" }
    depends_on_past: true
    run: "true"
    metrics: [auc]
    gate: { expr: metrics.auc > 0.8, on_fail: needs_approval }`);
  await world.tick();
  const [id = ''] = (await world.db.query<{ id: string }[]>('select id::text from run order by id')).map(
    (row) => row.id,
  );
  await world.end('parts[region=eu]', SUCCESS, { outputs: { parts: ['a', 'b'] } });
  await world.end('parts[region=us]', SUCCESS, { outputs: { parts: ['c'] } });
  expect(await answer(id, 'sure', 1)).toEqual(['region=eu/part=b']);
  await world.restart();
  expect(await answer(id, 'sure', null)).toEqual(['region=eu/part=a', 'region=us/part=c']);
  const fitted = (name: string, auc: number) =>
    world.end(`fit[${name}]`, SUCCESS, { metrics: [{ name: 'auc', value: auc, step: null, ts: START }] });
  await fitted('region=eu/part=a', 0.9);
  await fitted('region=eu/part=b', 0.5);
  await fitted('region=us/part=c', 0.6);
  expect(await world.tasks(id)).toMatchObject({
    ...{ 'fit[region=eu/part=a]': 'success', 'fit[region=eu/part=b]': 'waiting', 'fit[region=us/part=c]': 'waiting' },
  });
  expect(await answer(id, 'fit', 10_000)).toEqual(['region=us/part=c']);
  expect(await answer(id, 'fit', 1)).toEqual(['region=eu/part=b']);
  expect(await world.runs('p')).toEqual(['01-04T00:00 success']);
  expect(world.problems).toEqual([]);
});
