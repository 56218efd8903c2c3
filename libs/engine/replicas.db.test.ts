import { afterEach, expect, test } from '@jest/globals';
import { FAILURE } from '../testing/scripted-executor.ts';
import { World } from '../testing/world.ts';

let world: World;
afterEach(() => world.close());

async function used(): Promise<number> {
  const [row] = await world.db.query<{ used: number }[]>("select used from pool where name = 'gpu'");
  return row!.used;
}

test('replicas are one attempt that begins with all slots or not at all; two that need most of them go one by one', async () => {
  world = await World.open({ environment: 'pools: { gpu: 4 }' });
  await world.release(`
name: p
tasks:
  hold: { run: "true", pool: gpu, slots: 2 }
  a: { run: "true", pool: gpu, replicas: 3 }
  b: { run: "true", pool: gpu, replicas: 3 }
  small: { run: "true", pool: gpu, needs: hold }`);
  const id = await world.run('p');
  expect(world.executor.names()).toEqual(['hold']);
  await world.end('hold');
  // What came later does not pass, though a slot is free for it.
  expect(world.executor.names()).toEqual(['a']);
  expect(world.executor.find('a').replicas).toEqual({ count: 3, min: 3 });
  expect(await used()).toBe(3);
  await world.end('a');
  expect(world.executor.names()).toEqual(['b', 'small']);
  expect(await used()).toBe(4);
  await world.end('b');
  await world.end('small');
  expect(await used()).toBe(0);
  expect(await world.tasks(id)).toEqual({ hold: 'success', a: 'success', b: 'success', small: 'success' });
});

test('a failed try of an elastic task is one retry, and the next one takes what there is then', async () => {
  world = await World.open({ environment: 'pools: { gpu: 4 }' });
  await world.release(
    `name: p\ntasks: { train: { run: "true", pool: gpu, replicas: { min: 2, max: 4 }, retries: { max: 1, delay: 1s, jitter: 0 } } }`,
    `name: q\ntasks: { other: { run: "true", pool: gpu, slots: 2 } }`,
  );
  const id = await world.run('p');
  expect(world.executor.find('train').replicas).toEqual({ count: 4, min: 2 });
  await world.end('train', FAILURE);
  expect(await used()).toBe(0);
  await world.run('q');
  await world.wait(1000);
  expect(world.executor.find('train').replicas).toEqual({ count: 2, min: 2 });
  expect(await used()).toBe(4);
  const message = 'replica 0 of 2: exit code 5; of 4 replicas 1 would be left, at least 2 are needed';
  await world.end('train', { kind: 'failed', exitCode: 5, message });
  expect(await used()).toBe(2);
  const rows = await world.db.query<object[]>(
    'select number, state, replicas, message from attempt where run_id = $1 order by number',
    [id],
  );
  expect(rows).toEqual([
    { number: 1, state: 'failed', replicas: 4, message: 'exit code 3' },
    { number: 2, state: 'failed', replicas: 2, message },
  ]);
});

test('resources count for each; what cannot be had fails the task with the remedy', async () => {
  world = await World.open({ machine: { cpu: 4 }, environment: 'pools: { gpu: 2 }' });
  await world.release(`
name: p
tasks:
  a: { run: "true", replicas: 2, resources: { cpu: 2 } }
  b: { run: "true", resources: { cpu: 1 } }
  c: { run: "true", replicas: 3, pool: gpu }
  d: { run: "true", replicas: 3, resources: { cpu: 2 } }`);
  const id = await world.run('p');
  expect(world.executor.names()).toEqual(['a']);
  expect(world.executor.find('a')).toMatchObject({ resources: { cpu: 2 }, env: { SLUICE_CPU: '2' } });
  await world.end('a');
  expect(world.executor.names()).toEqual(['b']);
  const rows = await world.db.query<{ reason: string }[]>(
    `select reason from task_run where run_id = $1 and state = 'failed' order by task_id`,
    [id],
  );
  expect(rows.map(({ reason }) => reason)).toEqual([
    'its 3 replicas ask for 3 slots of pool "gpu", which has 2 in environments/dev.yaml',
    'its 3 replicas ask for 6 cpu; tasks may take 4 cpu where it would be executed: ask for less, or set SLUICE_WORKER_CPU there',
  ]);
});

test('whoever takes the run over knows how many slots its attempt holds', async () => {
  world = await World.open({ environment: 'pools: { gpu: 4 }' });
  await world.release(`name: p\ntasks: { train: { run: "true", pool: gpu, replicas: { min: 2, max: 3 } } }`);
  await world.run('p');
  await world.restart();
  for (let ticks = 0; ticks < 12; ticks++) await world.tick();
  expect(await used()).toBe(3);
  await world.end('train');
  expect(await used()).toBe(0);
});
