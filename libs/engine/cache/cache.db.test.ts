import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { PublishedVersion } from '#core';
import { examplesOf } from '../../testing/examples.ts';
import { SUCCESS } from '../../testing/scripted-executor.ts';
import { World } from '../../testing/world.ts';

let world: World;
beforeEach(async () => {
  world = await World.open({
    at: '2026-01-04T00:00:00Z',
    environment: 'vars: { region: eu }\nsecrets: { TOKEN: { env: T } }\n',
  });
});
afterEach(async () => {
  expect(world.problems).toEqual([]);
  await world.close();
});

const PIPELINE = `
name: churn
params: { rate: { type: number, default: 1 } }
paths: { raw: raw, model: model, report: report }
tasks:
  ingest: { run: make raw, writes: [raw] }
  train: { run: train, reads: [raw], writes: [model], env: { LEVEL: "\${{ params.rate }}" }, metrics: [auc], secrets: [TOKEN], cache: true }
  report: { run: report, reads: [model], writes: [report] }`;

/** Ends an attempt well; what it writes has `content` for its hash. */
async function end(name: string, content = name, outputs: Record<string, unknown> = {}): Promise<void> {
  const { writes, attemptId } = world.executor.find(name);
  const versions = writes.map(({ name: path, location }): PublishedVersion => ({
    ...{ name: path, location, version: `v${attemptId}`, manifestHash: content, files: 1, bytes: 1 },
  }));
  const metrics = name === 'train' ? [{ name: 'auc', value: 0.9, step: null, ts: 1000 }] : [];
  await world.end(name, SUCCESS, { versions, outputs, metrics });
}

/** Runs the pipeline once; answers the run and what was executed. */
async function runOnce(
  content = 'raw',
  more: Parameters<World['run']>[1] = {},
): Promise<{ id: string; executed: string[] }> {
  const id = await world.run('churn', more);
  const executed: string[] = [];
  for (let name = world.executor.names()[0]; name !== undefined; name = world.executor.names()[0]) {
    executed.push(name);
    await end(name, name === 'ingest' ? content : name, name === 'train' ? { rows: 7 } : {});
  }
  expect(await world.runs('churn')).not.toContainEqual(expect.stringMatching(/running|failed/));
  return { id, executed };
}

async function whyOf(runId: string, taskId = 'train'): Promise<string> {
  const [row] = await world.db.query<{ why: string }[]>(
    `select cache ->> 'why' as why from task_run where run_id = $1 and task_id = $2`,
    [runId, taskId],
  );
  return row?.why ?? '';
}

const HIT = ['ingest', 'report'];
const MISS = ['ingest', 'train', 'report'];

describe('a task with cache: true', () => {
  test('that sees the same is not executed: what an earlier run made is published again, and its readers get that', async () => {
    await world.release(PIPELINE);
    const first = await runOnce();
    expect(first.executed).toEqual(MISS);
    expect(await whyOf(first.id)).toBe('No recent run in dev has a result of it.');
    const second = await runOnce();
    expect(second.executed).toEqual(HIT);
    expect(await whyOf(second.id)).toBe(`Everything it depends on is as it was in run ${first.id}.`);

    const [row] = await world.db.query<Record<string, unknown>[]>(
      `select state, number, outputs, cached_from::text as "from" from task_run where run_id = $1 and task_id = 'train'`,
      [second.id],
    );
    expect(row).toEqual({ state: 'success', number: 0, outputs: { rows: 7 }, from: first.id });
    expect(
      await world.db.query('select * from attempt where run_id = $1 and task_id = $2', [second.id, 'train']),
    ).toEqual([]);
    const reports = await world.db.query<{ version: string }[]>(
      `select inputs -> 0 -> 'versions' -> 0 ->> 'version' as version from task_run where task_id = 'report' order by run_id`,
    );
    expect(reports[1]).toEqual(reports[0]);
    const [pointer] = await world.db.query<Record<string, unknown>[]>(
      `select version, run_id::text as run from path_pointer where path = 'model'`,
    );
    expect(pointer).toEqual({ version: reports[0]!.version, run: second.id });
    // Charts, gates and baselines find the metric in the new run, too.
    expect(await world.store.baseline('dev', 'churn', 'train', '999')).toEqual({ auc: 0.9 });
    // A third links to the run that executed it, not to the one between.
    const third = await runOnce();
    expect(await whyOf(third.id)).toBe(`Everything it depends on is as it was in run ${first.id}.`);
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ['a changed byte of an input', async () => undefined, 'input raw differs from run 1.'],
    ['a changed parameter', async () => ({ params: { rate: 2 } }), 'env LEVEL, param rate differ from run 1.'],
    [
      'a changed file of the release',
      async () => {
        world.files.set('r2', new Map([['lib/a.py', '2']]));
        await world.release(PIPELINE);
      },
      'file lib/a.py differs from run 1.',
    ],
    [
      'a changed definition',
      async () => void (await world.release(PIPELINE.replace('run: train', 'run: train --fast'))),
      'its definition, file lib/a.py differ from run 1.',
    ],
    [
      'a changed variable of the environment',
      async () => {
        (world.environment.config.vars as Record<string, unknown>).region = 'us';
      },
      "the environment's vars differs from run 1.",
    ],
    [
      'files that are gone from the storage',
      async () => {
        for (const { version } of await world.db.query<{ version: string }[]>(
          `select version from path_version where path = 'model'`,
        ))
          world.lost.add(version);
      },
      'Run 1 saw the same, but what it wrote to churn/model is gone from the storage, or damaged.',
    ],
    [
      'a version that was collected as garbage',
      () => world.db.query(`update path_version set removed_at = now() where path = 'model'`),
      'Run 1 saw the same, but what it wrote to churn/model was collected as garbage.',
    ],
    [
      'a run that a rollback took back',
      () => world.db.query(`update run set withdrawn_at = now()`),
      'No recent run in dev has a result of it.',
    ],
    ['a run that is asked for without', async () => ({ noCache: true }), 'The run was asked to execute every task.'],
  ])('%s misses, and the run says so', async (what, change, why) => {
    world.files.set('r1', new Map([['lib/a.py', '1']]));
    await world.release(PIPELINE);
    await runOnce();
    const more = (await change()) as Parameters<World['run']>[1];
    const next = await runOnce(what.includes('byte') ? 'other raw' : 'raw', more ?? {});
    expect(next.executed).toEqual(MISS);
    expect(await whyOf(next.id)).toBe(why);
    // And what was executed is there for the next that sees the same.
    if (more !== undefined) expect((await runOnce('raw', { params: more.params ?? {} })).executed).toEqual(HIT);
  });

  test('says what docs/cache.md shows', async () => {
    const [pipeline = ''] = examplesOf('docs/cache.md', 'yaml', 1);
    world.files.set('r1', new Map([['churn/train.py', '1']]));
    world.files.set('r2', new Map([['churn/train.py', '2']]));
    await world.release(pipeline);
    await runOnce();
    const cached = await runOnce();
    await world.release(pipeline);
    const changed = await runOnce('raw', { params: { rate: 0.2 } });
    await world.db.query(`update path_version set removed_at = now() where path = 'model'`);
    const gone = await runOnce('raw', { params: { rate: 0.2 } });
    const said = [
      `Cached. ${await whyOf(cached.id)}`,
      `Executed. ${await whyOf(changed.id)}`,
      `Executed. ${await whyOf(gone.id)}`,
    ];
    const lasting = (text: string) => text.replaceAll(/(?<=run )\d+/gi, 'N');
    const [shown = ''] = examplesOf('docs/cache.md', 'text', 1);
    expect(said.map((line) => lasting(`train  cache  ${line}\n`)).join('')).toBe(lasting(shown));
  });

  test('with files is as new only when one of those changes', async () => {
    const narrow = PIPELINE.replace('cache: true', 'cache: { files: ["train/*"] }');
    world.files.set(
      'r1',
      new Map([
        ['train/a.py', '1'],
        ['other.py', '1'],
      ]),
    );
    world.files.set(
      'r2',
      new Map([
        ['train/a.py', '1'],
        ['other.py', '2'],
      ]),
    );
    await world.release(narrow);
    await runOnce();
    await world.release(narrow);
    expect((await runOnce()).executed).toEqual(HIT);
  });

  test.each([
    ['spark: { file: t.py, args: ["${{ tasks.ingest.outputs.area }}"] }', 'what Spark is given differs from run 2.'],
    [
      'notebook: { file: t.ipynb, params: { area: "${{ tasks.ingest.outputs.area }}" } }',
      'what its notebook is given differs from run 2.',
    ],
  ])('that is given something else is executed: %s', async (body, what) => {
    const release = () => world.release(PIPELINE.replace('run: train, reads', `${body}, reads`));
    const runIn = async (area: string): Promise<string> => {
      const id = await world.run('churn');
      await end('ingest', 'raw', { area });
      if (world.executor.names()[0] === 'train') await end('train');
      await end('report');
      return id;
    };
    await release();
    await runIn('eu');
    expect(await whyOf(await runIn('eu'))).toMatch(/^Everything it depends on is as it was/);
    expect(await whyOf(await runIn('us'))).toBe(what);
  });

  test('a result that the gate would refuse now is made anew', async () => {
    await world.release(
      PIPELINE.replace('metrics: [auc]', 'metrics: [auc, bar]').replace(
        'cache: true',
        'cache: true, gate: { expr: "!has(baseline.bar) || metrics.auc >= baseline.bar", on_fail: skip_downstream }',
      ),
    );
    await runOnce();
    await world.db.query(`update metric set name = 'bar', value = 0.95 where run_id = 1`);
    await world.db.query(
      `insert into metric select environment, pipeline, task_id, map_index, map_key, 'auc', 0.9, step, at, interval_start, run_id,
              number, release, counted
       from metric`,
    );
    const next = await world.run('churn');
    await end('ingest', 'raw');
    expect(world.executor.names()).toEqual(['train']);
    await end('train');
    expect(await whyOf(next)).toMatch(/^Run 1 saw the same, but its result would not pass now: gate does not hold/);
  });

  test('hits and misses of a fan-out stand side by side, and readers get both', async () => {
    const fanned = (lr: string): string => `
name: churn
paths: { model: model }
tasks:
  train: { run: "train \${{ matrix.lr }}", matrix: { lr: [${lr}] }, writes: [model], cache: true }
  pick: { run: pick, reads: [model] }`;
    await world.release(fanned('1, 2'));
    await world.run('churn');
    await end('train[lr=1]');
    await end('train[lr=2]');
    await world.endAll();
    await world.release(fanned('1, 2, 3'));
    const next = await world.run('churn');
    expect(world.executor.names()).toEqual(['train[lr=3]']);
    await end('train[lr=3]');
    expect(world.executor.find('pick').reads[0]?.versions.map(({ link }) => link)).toEqual(['lr=1', 'lr=2', 'lr=3']);
    await world.endAll();
    expect(await world.tasks(next)).toEqual({
      ...{ 'train[lr=1]': 'success', 'train[lr=2]': 'success', 'train[lr=3]': 'success', pick: 'success' },
    });
    // Readers in other pipelines find all three under the newest run.
    expect((await world.store.newestVersions('dev', 'churn', 'model', null)).map(({ mapKey }) => mapKey)).toHaveLength(
      3,
    );
  });

  test('two runs at once execute it both; a third takes the newer result, and pointers move forward only', async () => {
    await world.release(PIPELINE.replace('name: churn', 'name: churn\nmax_active_runs: 5'));
    const [a, b] = [await world.run('churn'), await world.run('churn')];
    const both = [...world.executor.live.values()];
    expect(both).toHaveLength(2);
    for (const name of ['ingest', 'ingest', 'train', 'train']) await end(name, 'raw');
    await end('report');
    await end('report');
    expect([await world.tasks(a), await world.tasks(b)]).toEqual([
      { ingest: 'success', train: 'success', report: 'success' },
      { ingest: 'success', train: 'success', report: 'success' },
    ]);
    const third = await runOnce();
    expect(third.executed).toEqual(HIT);
    expect(await whyOf(third.id)).toContain(`run ${b}.`);
    // Two that hit at once publish the same version twice; both runs are told apart.
    const [c, d] = [await world.run('churn'), await world.run('churn')];
    await end('ingest', 'raw');
    await end('ingest', 'raw');
    await world.endAll();
    const rows = await world.db.query<{ run: string }[]>(
      `select run_id::text as run from path_version where path = 'model' and run_id = any($1) order by run_id`,
      [[c, d]],
    );
    expect(rows.map(({ run }) => run)).toEqual([c, d]);
  });

  test('a process that dies before it is written looks again, and the result is taken once', async () => {
    await world.release(PIPELINE);
    await runOnce();
    const next = await world.run('churn');
    await world.restart();
    await end('ingest', 'raw');
    await end('report');
    expect(await world.tasks(next)).toEqual({ ingest: 'success', train: 'success', report: 'success' });
    expect(
      await world.db.query(`select 1 from path_version where path = 'model' and run_id = $1`, [next]),
    ).toHaveLength(1);
  });

  test('a result collected between look and commit is not taken: the run looks again and executes it', async () => {
    await world.release(PIPELINE);
    await runOnce();
    const next = await world.run('churn');
    const found = world.store.cachedResults.bind(world.store);
    world.store.cachedResults = async (...asked) => {
      const results = await found(...asked);
      await world.db.query(`update path_version set removed_at = now() where path = 'model'`);
      return results;
    };
    await end('ingest', 'raw');
    await world.tick();
    expect(world.problems.splice(0)).toEqual([
      'writing a batch: a result that was to be taken from an earlier run has just been collected',
    ]);
    expect(world.executor.names()).toEqual(['train']);
    await end('train');
    await world.endAll();
    expect(await world.tasks(next)).toMatchObject({ train: 'success', report: 'success' });
  });

  test('its rerun takes what is cached, a resumed run takes it over, and a shadow run executes it', async () => {
    await world.release(PIPELINE);
    const first = await runOnce();
    const again = await world.commands.rerun(first.id, { mode: 'all', release: 'same', actor: 'ann' });
    await world.tick();
    await end('ingest', 'raw');
    expect(world.executor.names()).toEqual(['report']);
    await end('report');
    const forced = await world.commands.rerun(again, {
      mode: 'from',
      task: 'train',
      release: 'same',
      noCache: true,
      actor: 'ann',
    });
    await world.tick();
    expect(world.executor.names()).toEqual(['train']);
    await end('train');
    await world.endAll();
    const resumed = await world.commands.rerun(again, { mode: 'from', task: 'report', release: 'same', actor: 'ann' });
    await world.tick();
    expect(world.executor.names()).toEqual(['report']);
    expect(world.executor.find('report').reads[0]?.versions).toHaveLength(1);
    await world.endAll();
    expect(await world.tasks(resumed)).toMatchObject({ train: 'success' });
    expect(await whyOf(forced)).toBe('The run was asked to execute every task.');

    const shadow = await world.commands.trigger({ pipeline: 'churn', environment: 'dev', params: {}, actor: 'ann' });
    await world.db.query('update run set shadow = true where id = $1', [shadow]);
    await world.tick();
    await end('ingest', 'raw');
    expect(world.executor.names()).toEqual(['train']);
  });
});
