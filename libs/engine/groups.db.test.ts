import { afterEach, expect, test } from '@jest/globals';
import type { Assignment, PublishedVersion } from '#core';
import { FAILURE, SUCCESS } from '../testing/scripted-executor.ts';
import { World } from '../testing/world.ts';

let world: World;
afterEach(() => world.close());

const TRAIN = `name: train
paths: { model: models }
groups:
  fits:
    needs: split
    matrix: { part: "\${{ tasks.split.outputs.parts }}", rate: [1] }
tasks:
  split: { run: "true" }
  fit: { group: fits, run: 'fit "\${{ matrix.part }}"', writes: [model] }
  score:
    group: fits
    run: 'score "\${{ tasks.fit.outputs.auc }}" "\${{ matrix.part }}"'
    reads: [model]
    if: matrix.part != "c"
  pick: { needs: fits, run: 'pick "\${{ tasks.score.outputs }}" "\${{ tasks.fit.outputs }}"', reads: [model], when: none_failed }`;

/** Ends an attempt well; what it writes is published as a new version. */
async function publish(name: string, outputs: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const { writes, attemptId } = world.executor.find(name);
  const versions = writes.map((write): PublishedVersion => ({
    ...{ name: write.name, location: write.location, version: `v${attemptId}` },
    ...{ manifestHash: 'm', files: 1, bytes: 1 },
  }));
  await world.end(name, SUCCESS, { versions, outputs });
}

function expressionsOf(name: string): string[] {
  const { env } = world.executor.find(name);
  return Object.entries(env).flatMap(([key, value]) => (key.startsWith('__E') ? [value] : []));
}

async function seconds(count: number): Promise<void> {
  for (let second = 0; second < count; second++) await world.tick(world.clock.now().getTime() + 1000);
}

test('each item of a group goes its own way, sees its own outputs and paths, and what follows sees all of them', async () => {
  world = await World.open();
  await world.release(TRAIN);
  const id = await world.run('train');
  await world.end('split', SUCCESS, { outputs: { parts: ['a', 'b', 'c'] } });
  expect(world.executor.names()).toEqual(['fit[part=a,rate=1]', 'fit[part=b,rate=1]', 'fit[part=c,rate=1]']);
  expect(world.executor.find('fit[part=b,rate=1]').writes[0]?.location).toBe('train/models/part=b,rate=1');
  await publish('fit[part=b,rate=1]', { auc: 0.7 });
  expect(world.executor.names()).toContain('score[part=b,rate=1]');
  expect(expressionsOf('score[part=b,rate=1]')).toEqual(['0.7', 'b']);
  // Its own, as the folder itself and not as one of several.
  expect(world.executor.find('score[part=b,rate=1]').reads[0]?.versions).toMatchObject([
    { link: null, location: 'train/models/part=b,rate=1' },
  ]);
  await publish('fit[part=c,rate=1]');
  expect(await world.tasks(id)).toMatchObject({ 'score[part=c,rate=1]': 'skipped' });
  await publish('fit[part=a,rate=1]', { auc: 0.9 });
  await world.end('score[part=b,rate=1]', SUCCESS, { outputs: { ok: 1 } });
  expect(world.executor.names()).toEqual(['score[part=a,rate=1]']);
  await world.end('score[part=a,rate=1]', SUCCESS, { outputs: { ok: 2 } });
  expect(expressionsOf('pick')).toEqual(['[{"ok":2},{"ok":1},{}]', '[{"auc":0.9},{"auc":0.7},{}]']);
  expect(world.executor.find('pick').reads[0]?.versions.map(({ link }) => link)).toEqual([
    ...['part=a,rate=1', 'part=b,rate=1', 'part=c,rate=1'],
  ]);
  await world.endAll();
  expect(await world.runs('train')).toEqual(['manual success']);
  expect(world.problems).toEqual([]);
});

test('a process that takes over in the middle goes on where each item was', async () => {
  world = await World.open();
  await world.release(TRAIN);
  const id = await world.run('train');
  await world.end('split', SUCCESS, { outputs: { parts: ['a', 'b'] } });
  await publish('fit[part=a,rate=1]', { auc: 0.5 });
  await world.restart();
  expect(await world.tasks(id)).toMatchObject({ 'fit[part=a,rate=1]': 'success' });
  await world.wait(10_000);
  await seconds(5);
  expect(world.executor.names()).toContain('score[part=a,rate=1]');
  expect(expressionsOf('score[part=a,rate=1]')).toEqual(['0.5', 'a']);
  await publish('fit[part=b,rate=1]', { auc: 0.4 });
  await world.endAll();
  expect(await world.runs('train')).toEqual(['manual success']);
});

test('an item that fails leaves the others alone; a rerun repeats its chain only', async () => {
  world = await World.open();
  await world.release(TRAIN.replace(', when: none_failed', ''));
  const id = await world.run('train');
  await world.end('split', SUCCESS, { outputs: { parts: ['a', 'b'] } });
  await publish('fit[part=a,rate=1]', { auc: 0.5 });
  await world.end('fit[part=b,rate=1]', FAILURE);
  await world.end('score[part=a,rate=1]');
  expect(await world.tasks(id)).toEqual({
    split: 'success',
    'fit[part=a,rate=1]': 'success',
    'fit[part=b,rate=1]': 'failed',
    'score[part=a,rate=1]': 'success',
    'score[part=b,rate=1]': 'upstream_failed',
    pick: 'upstream_failed',
  });
  expect(await world.runs('train')).toEqual(['manual failed']);
  await world.commands.rerun(id, { mode: 'failed', release: 'same', actor: 'ann' });
  await world.tick();
  expect(world.executor.names()).toEqual(['fit[part=b,rate=1]']);
  await publish('fit[part=b,rate=1]', { auc: 0.6 });
  expect(world.executor.names()).toEqual(['score[part=b,rate=1]']);
  await world.endAll();
  expect(await world.runs('train')).toEqual(['manual failed', 'rerun success']);
});

test('a list that is no list, or too long, fails the tasks that want it; an empty one skips the group', async () => {
  world = await World.open();
  await world.release(TRAIN.replace('rate: [1] }', 'rate: [1] }\n    max_fanout: 2'));
  const endWith = async (parts: unknown): Promise<Record<string, string>> => {
    const id = await world.run('train');
    await world.end('split', SUCCESS, { outputs: { parts } });
    await world.endAll();
    return world.tasks(id);
  };
  const failed = { split: 'success', fit: 'failed', score: 'upstream_failed', pick: 'upstream_failed' };
  expect(await endWith(7)).toEqual(failed);
  expect(await endWith(['a', 'b', 'c'])).toEqual(failed);
  expect(await endWith([])).toMatchObject({ fit: 'skipped', score: 'skipped' });
  const reasons = await world.db.query<{ reason: string }[]>(
    "select reason from task_run where task_id = 'fit' order by run_id",
  );
  expect(reasons.map(({ reason }) => reason)).toEqual([
    'Matrix axis "part" gives number; expected a list (expression `tasks.split.outputs.parts`).',
    'its fan-out has 3 items, max_fanout is 2',
    'the fan-out of fits has no items',
  ]);
});

const CALLED = `name: called
params: { region: { type: string } }
tasks: { work: { run: "true" } }`;

test('a wait that fans out waits for each item by itself, max_parallel at a time, and then goes on in its group', async () => {
  world = await World.open({ at: '2026-01-05T12:00:00Z' });
  await world.release(`name: p
groups: { regions: { matrix: { region: [eu, us] } } }
tasks:
  landed: { wait: { path: "landing/\${{ matrix.region }}", every: 5s, timeout: 20s, on_timeout: skip }, matrix: { region: [eu, us, jp] }, max_parallel: 2 }
  each: { group: regions, wait: { path: "each/\${{ matrix.region }}", every: 5s } }
  load: { group: regions, needs: each, run: 'load "\${{ matrix.region }}"' }`);
  const id = await world.run('p');
  expect(await world.tasks(id)).toEqual({
    'each[region=eu]': 'waiting',
    'each[region=us]': 'waiting',
    'landed[region=eu]': 'waiting',
    'landed[region=us]': 'waiting',
  });
  expect(await world.db.query('select from run where parked')).toHaveLength(1);
  world.there.add('each/us').add('landing/us');
  await seconds(6);
  expect(await world.tasks(id)).toMatchObject({
    'each[region=eu]': 'waiting',
    'each[region=us]': 'success',
    'load[region=us]': 'queued',
    'landed[region=jp]': 'waiting',
    'landed[region=us]': 'success',
  });
  await world.end('load[region=us]');
  await world.restart();
  world.there.add('each/eu');
  await seconds(45);
  expect(await world.tasks(id)).toMatchObject({
    'landed[region=eu]': 'skipped',
    'landed[region=jp]': 'skipped',
    'load[region=eu]': 'queued',
  });
  await world.endAll();
  expect(await world.runs('p')).toEqual(['manual success']);
  expect(world.problems).toEqual([]);
});

test('a call that fans out starts a run for each item, whose ids are its outputs; a stop stops them all', async () => {
  world = await World.open({ at: '2026-01-05T12:00:00Z' });
  await world.release(
    `name: p
tasks:
  c: { call: { pipeline: called, params: { region: "\${{ matrix.region }}" } }, matrix: { region: [eu, us, jp] }, max_parallel: 2 }
  use: { needs: c, when: all_done, run: 'echo "\${{ tasks.c.outputs }}"' }`,
    CALLED,
  );
  const id = await world.run('p');
  await seconds(2);
  const called = (): Promise<{ id: string; region: string; state: string }[]> =>
    world.db.query(
      `select id::text, params ->> 'region' as region, state from run where pipeline = 'called' order by 2, id`,
    );
  const states = async () => (await called()).map(({ region, state }) => `${region} ${state}`);
  expect(await states()).toEqual(['eu running', 'us running']);
  const isEu = ({ env }: Assignment): boolean => env.PARAM_REGION === 'eu';
  world.executor.endAttempt([...world.executor.live.values()].find(isEu)!);
  await world.settle();
  await seconds(2);
  expect(await states()).toEqual(['eu success', 'jp running', 'us running']);
  expect(await world.tasks(id)).toMatchObject({ 'c[region=eu]': 'success', 'c[region=us]': 'waiting' });
  await world.endAll();
  await seconds(2);
  const [eu, jp, us] = (await called()).map((run) => ({ run_id: run.id }));
  expect(expressionsOf('use')).toEqual([JSON.stringify([eu, us, jp])]);
  await world.endAll();
  const other = await world.run('p');
  await seconds(2);
  await world.commands.cancel(other, 'ann');
  await seconds(3);
  expect(await states()).toEqual(['eu success', 'eu cancelled', 'jp success', 'us success', 'us cancelled']);
  expect(world.problems).toEqual([]);
});
