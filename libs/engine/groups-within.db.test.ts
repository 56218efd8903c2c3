import { afterEach, expect, test } from '@jest/globals';
import type { PublishedVersion } from '#core';
import { FAILURE, SUCCESS } from '../testing/scripted-executor.ts';
import { World } from '../testing/world.ts';

let world: World;
afterEach(() => world.close());

const FITS = `name: fits
paths: { model: models, best: best }
groups:
  regions: { matrix: { region: [eu, us] } }
tasks:
  parts: { group: regions, run: 'parts "\${{ matrix.region }}"' }
  fit:
    group: regions
    needs: parts
    matrix: { part: "\${{ tasks.parts.outputs.parts }}" }
    max_fanout: 3
    run: 'fit "\${{ matrix.region }}" "\${{ matrix.part }}" "\${{ tasks.parts.outputs }}"'
    writes: [model]
  check: { group: regions, needs: fit, matrix: { by: [a, b] }, run: 'check "\${{ tasks.fit.outputs }}"', reads: [model] }
  best: { group: regions, needs: check, run: 'best "\${{ tasks.fit.outputs }}"', reads: [{ path: model, missing: ok }], writes: [best] }
  report: { needs: regions, run: 'report "\${{ tasks.fit.outputs }}" "\${{ tasks.best.outputs }}"', reads: [model, best] }`;

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

function linksOf(name: string): (string | null)[] {
  return world.executor.find(name).reads.flatMap(({ versions }) => versions.map(({ link }) => link));
}

async function seconds(count: number): Promise<void> {
  for (let second = 0; second < count; second++) await world.tick(world.clock.now().getTime() + 1000);
}

test('each item of a group has a list of its own, whose task runs see it, and what follows sees the list of its item', async () => {
  world = await World.open();
  await world.release(FITS);
  const id = await world.run('fits');
  await world.end('parts[region=us]', SUCCESS, { outputs: { parts: ['x'] } });
  await world.end('parts[region=eu]', SUCCESS, { outputs: { parts: ['p', 'q'] } });
  expect(world.executor.names()).toEqual(['fit[region=us/part=x]', 'fit[region=eu/part=p]', 'fit[region=eu/part=q]']);
  expect(expressionsOf('fit[region=eu/part=q]')).toEqual(['eu', 'q', '{"parts":["p","q"]}']);
  expect(world.executor.find('fit[region=eu/part=q]')).toMatchObject({
    ...{ mapIndex: 1, context: { matrix: { region: 'eu', part: 'q' } } },
    writes: [{ location: 'fits/models/region=eu/part=q' }],
  });
  expect(world.executor.find('fit[region=us/part=x]').mapIndex).toBe(10_000);
  await publish('fit[region=eu/part=q]', { auc: 2 });
  await publish('fit[region=eu/part=p]', { auc: 1 });
  expect(world.executor.names()).toEqual(['fit[region=us/part=x]', 'check[region=eu/by=a]', 'check[region=eu/by=b]']);
  // Nothing pairs with an item of another list: each of them has all of that of its group's item.
  expect(expressionsOf('check[region=eu/by=b]')).toEqual(['[{"auc":1},{"auc":2}]']);
  expect(linksOf('check[region=eu/by=b]')).toEqual(['part=p', 'part=q']);
  await world.end('check[region=eu/by=a]');
  await world.end('check[region=eu/by=b]');
  expect(expressionsOf('best[region=eu]')).toEqual(['[{"auc":1},{"auc":2}]']);
  expect(linksOf('best[region=eu]')).toEqual(['part=p', 'part=q']);
  await publish('best[region=eu]', { of: 2 });
  await publish('fit[region=us/part=x]', { auc: 3 });
  // The list has one item, which is a folder of its own all the same.
  expect(linksOf('check[region=us/by=a]')).toEqual(['part=x']);
  await world.end('check[region=us/by=a]');
  await world.end('check[region=us/by=b]');
  await publish('best[region=us]', { of: 1 });
  expect(expressionsOf('report')).toEqual(['[[{"auc":1},{"auc":2}],[{"auc":3}]]', '[{"of":2},{"of":1}]']);
  expect(linksOf('report')).toEqual([
    ...['region=eu/part=p', 'region=eu/part=q', 'region=us/part=x'],
    ...['region=eu', 'region=us'],
  ]);
  await world.endAll();
  expect([await world.runs('fits'), Object.values(await world.tasks(id)).length]).toEqual([['manual success'], 12]);
  expect(world.problems).toEqual([]);
});

test('a list that is empty, none or too long ends the task for its item only; a rerun repeats the chains that failed', async () => {
  world = await World.open();
  await world.release(
    FITS.replace('[eu, us]', '[eu, us, jp, in]').replace('needs: check,', 'needs: check, when: none_failed,'),
  );
  const id = await world.run('fits');
  await world.end('parts[region=eu]', SUCCESS, { outputs: { parts: ['p', 'q'] } });
  await world.end('parts[region=us]', SUCCESS, { outputs: { parts: [] } });
  await world.end('parts[region=jp]', SUCCESS, { outputs: { parts: ['a', 'b', 'c', 'd'] } });
  await world.end('parts[region=in]', SUCCESS, { outputs: { parts: 7 } });
  await world.end('fit[region=eu/part=p]', FAILURE);
  await publish('fit[region=eu/part=q]');
  expect(world.executor.names()).toEqual(['best[region=us]']);
  expect([expressionsOf('best[region=us]'), linksOf('best[region=us]')]).toEqual([['[]'], []]);
  await world.endAll();
  expect(await world.tasks(id)).toMatchObject({
    ...{ 'fit[region=us]': 'skipped', 'fit[region=jp]': 'failed', 'fit[region=in]': 'failed' },
    ...{ 'check[region=us]': 'skipped', 'check[region=jp]': 'upstream_failed', 'best[region=us]': 'success' },
    ...{ 'fit[region=eu/part=p]': 'failed', 'fit[region=eu/part=q]': 'success', 'check[region=eu]': 'upstream_failed' },
  });
  const reasons = await world.db.query<{ reason: string }[]>(
    "select reason from task_run where task_id = 'fit' and map_index % 10000 = 0 order by map_index",
  );
  expect(reasons.slice(1).map(({ reason }) => reason)).toEqual([
    'its fan-out has no items here',
    'its fan-out has 4 items, max_fanout is 3',
    'Matrix axis "part" gives number; expected a list (expression `tasks.parts.outputs.parts`).',
  ]);
  await world.commands.rerun(id, { mode: 'failed', release: 'same', actor: 'ann' });
  await world.tick();
  // The lists of the others are as before; what succeeded of this one is taken over.
  expect(world.executor.names()).toEqual(['fit[region=eu/part=p]']);
  await publish('fit[region=eu/part=p]');
  expect(world.executor.names()).toEqual(['check[region=eu/by=a]', 'check[region=eu/by=b]']);
  expect(linksOf('check[region=eu/by=a]')).toEqual(['part=p', 'part=q']);
});

test('a process that takes over in the middle asks for the lists again, and goes on where each task run was', async () => {
  world = await World.open();
  await world.release(FITS.replace('max_fanout: 3', 'max_parallel: 2'));
  const id = await world.run('fits');
  await world.end('parts[region=eu]', SUCCESS, { outputs: { parts: ['p', 'q', 'r'] } });
  await publish('fit[region=eu/part=p]', { auc: 1 });
  await world.restart();
  await world.wait(10_000);
  await seconds(5);
  await world.end('parts[region=us]', SUCCESS, { outputs: { parts: ['x'] } });
  await publish('fit[region=eu/part=q]', { auc: 2 });
  await publish('fit[region=eu/part=r]', { auc: 3 });
  expect(expressionsOf('check[region=eu/by=a]')).toEqual(['[{"auc":1},{"auc":2},{"auc":3}]']);
  await world.commands.cancel(id, 'ann');
  await seconds(3);
  expect(await world.tasks(id)).toMatchObject({
    'fit[region=us/part=x]': 'cancelled',
    'fit[region=eu/part=r]': 'success',
  });
  expect([await world.runs('fits'), world.problems]).toEqual([['manual cancelled'], []]);
});

test('waits and calls fan out within a group as well, each by itself', async () => {
  world = await World.open({ at: '2026-01-05T12:00:00Z' });
  await world.release(
    `name: p
groups: { regions: { matrix: { region: [eu, us] } } }
tasks:
  landed: { group: regions, matrix: { part: [a, b] }, if: matrix.region == "eu", wait: { path: "in/\${{ matrix.region }}/\${{ matrix.part }}", every: 5s } }
  each: { group: regions, needs: landed, when: all_done, matrix: { size: [1, 2] }, call: { pipeline: called, params: { of: "\${{ matrix.region }}\${{ matrix.size }}" } } }
  use: { group: regions, needs: each, run: 'use "\${{ tasks.each.outputs }}"' }`,
    'name: called\nparams: { of: { type: string } }\ntasks: { work: { run: "true" } }',
  );
  const id = await world.run('p');
  await seconds(2);
  expect(await world.tasks(id)).toEqual({
    ...{ 'landed[region=eu/part=a]': 'waiting', 'landed[region=eu/part=b]': 'waiting', 'landed[region=us]': 'skipped' },
    ...{ 'each[region=us/size=1]': 'waiting', 'each[region=us/size=2]': 'waiting' },
  });
  world.there.add('in/eu/a').add('in/eu/b');
  await world.restart();
  await seconds(20);
  await world.endAll();
  await seconds(5);
  const called = await world.db.query<{ id: string; of: string }[]>(
    "select id::text, params ->> 'of' as of from run where pipeline = 'called' order by 2",
  );
  expect(called.map(({ of }) => of)).toEqual(['eu1', 'eu2', 'us1', 'us2']);
  expect(expressionsOf('use[region=us]')).toEqual([JSON.stringify(called.slice(2).map((run) => ({ run_id: run.id })))]);
  await world.endAll();
  expect([await world.runs('p'), world.problems]).toEqual([['manual success'], []]);
});
