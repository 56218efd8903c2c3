import { afterEach, describe, expect, test } from '@jest/globals';
import { World } from '../testing/world.ts';

let world: World;
afterEach(() => world.close());

async function used(pool: string): Promise<number> {
  const [row] = await world.db.query<{ used: number }[]>('select used from pool where name = $1', [pool]);
  return row!.used;
}

test('a pool of one slot is never over-used, over runs and pipelines', async () => {
  world = await World.open({ environment: 'pools: { gpu: 1 }' });
  const pipeline = (name: string) => `
name: ${name}
tasks: { train: { run: "true", pool: gpu, matrix: { n: [1, 2, 3] } } }`;
  await world.release(pipeline('p'), pipeline('q'));
  await world.run('p');
  await world.run('q');
  await world.run('p');
  for (let ended = 0; ended < 9; ended++) {
    expect(world.executor.live.size).toBe(1);
    expect(await used('gpu')).toBe(1);
    await world.end(world.executor.names()[0]!);
  }
  expect(await used('gpu')).toBe(0);
  expect([...(await world.runs('p')), ...(await world.runs('q'))]).toEqual(Array(3).fill('manual success'));
});

test('free slots go to the higher priority, then to the older interval, then to the lower map index', async () => {
  world = await World.open({ at: '2026-01-03T00:00:00Z', environment: 'pools: { one: 1 }' });
  await world.release(
    `
name: daily
schedule: { cron: "0 0 * * *", start: 2026-01-01, catchup: { order: newest_first } }
tasks: { day: { run: "true", pool: one, matrix: { n: [1, 2] } } }`,
    `name: urgent\ntasks: { now: { run: "true", pool: one, priority: 10 } }`,
    `name: holder\ntasks: { hold: { run: "true", pool: one } }`,
  );
  await world.commands.trigger({ pipeline: 'holder', environment: 'dev', params: {}, actor: 'ann' });
  await world.tick();
  await world.run('urgent');
  const order: string[] = [];
  for (let name = world.executor.names()[0]; name !== undefined; name = world.executor.names()[0]) {
    order.push(`${name} ${world.executor.find(name).env.DS ?? ''}`.trim());
    await world.end(name);
  }
  // What held the slot when all were ready is whatever came first; from then on the order is as promised.
  expect(order.slice(1).filter((name) => name !== 'hold')).toEqual(
    ['now', 'day[n=1] 2026-01-01', 'day[n=2] 2026-01-01', 'day[n=1] 2026-01-02', 'day[n=2] 2026-01-02'].filter(
      (name) => name !== order[0],
    ),
  );
});

test('of a large fan-out the first thousand begin at once, and the others one commit after the other', async () => {
  world = await World.open({ environment: 'pools: { default: 5000 }' });
  const items = Array.from({ length: 2500 }, (_, index) => index);
  await world.release(
    `name: wide
max_active_tasks: 5000
tasks: { each: { run: "true", matrix: { n: [${items.join(', ')}] }, max_fanout: 2500 } }`,
  );
  await world.run('wide');
  expect(world.executor.accepted.map(({ mapIndex }) => mapIndex)).toEqual(items);
  const admitted = world.events.filter(({ name }) => name === 'batch-applied').map(({ fields }) => fields.admitted);
  expect(admitted.filter((count) => count !== 0)).toEqual([1000, 1000, 500]);
  expect(await used('default')).toBe(2500);
});

test('what is admitted together begins in the order of its claim, whatever plan the database chose', async () => {
  world = await World.open();
  // A merge join sorts by what it joins: the names of tasks.
  const runners = Array.from({ length: 4 }, () => world.db.createQueryRunner());
  await Promise.all(runners.map((runner) => runner.query('set enable_nestloop = off; set enable_hashjoin = off')));
  await Promise.all(runners.map((runner) => runner.release()));
  const task = (id: string, priority: number) =>
    `${id}: { run: "true", priority: ${priority}, matrix: { n: [1, 2, 3] } }`;
  await world.release(`name: p\ntasks: { ${task('low', 1)}, ${task('high', 9)}, ${task('middle', 5)} }`);
  await world.run('p');
  expect(world.executor.names()).toEqual(
    ['high', 'middle', 'low'].flatMap((id) => [`${id}[n=1]`, `${id}[n=2]`, `${id}[n=3]`]),
  );
});

test('what gets a slot at once leaves nothing in the index of what is ready, which an open transaction would keep', async () => {
  world = await World.open({ environment: 'pools: { few: 2 }' });
  const pages = async (): Promise<number> => {
    const [row] = await world.db.query<{ pages: number }[]>(
      "select pg_relation_size('task_run_ready')::int / 8192 as pages",
    );
    return row!.pages;
  };
  const task = '{ run: "true", matrix: { n: [1, 2, 3] } }';
  await world.release(
    `name: p\ntasks: { first: ${task}, then: { needs: first, run: "true", priority: 3 } }`,
    `name: waits\ntasks: { first: ${task.replace('run', 'pool: few, run')} }`,
  );
  await world.run('p');
  await world.endAll();
  expect([await world.runs('p'), await pages()]).toEqual([['manual success'], 1]);
  await world.run('waits');
  expect([world.executor.names(), await pages()]).toEqual([['first[n=1]', 'first[n=2]'], 2]);
  await world.endAll();
  expect(await world.runs('waits')).toEqual(['manual success']);
});

test('a large request is not starved by small ones behind it', async () => {
  world = await World.open({ environment: 'pools: { big: 4 }' });
  await world.release(`
name: p
tasks:
  s1: { run: "true", pool: big }
  s2: { run: "true", pool: big }
  s3: { run: "true", pool: big }
  large: { run: "true", pool: big, slots: 4, priority: 5, needs: s1 }
  s4: { run: "true", pool: big, needs: s1 }
  s5: { run: "true", pool: big, needs: s1 }`);
  await world.run('p');
  expect(world.executor.names()).toEqual(['s1', 's2', 's3']);
  await world.end('s1');
  expect(world.executor.names()).toEqual(['s2', 's3']);
  await world.end('s2');
  await world.end('s3');
  expect(world.executor.names()).toEqual(['large']);
  await world.end('large');
  expect(world.executor.names()).toEqual(['s4', 's5']);
});

test('a pool that does not exist, or is too small, fails the task with the remedy', async () => {
  world = await World.open({ environment: 'pools: { small: 1 }' });
  await world.release(`
name: p
tasks:
  a: { run: "true", pool: nowhere }
  b: { run: "true", pool: small, slots: 2 }`);
  const id = await world.run('p');
  const rows = await world.db.query<{ reason: string }[]>(
    'select reason from task_run where run_id = $1 order by task_id',
    [id],
  );
  expect(rows.map((row) => row.reason)).toEqual([
    'its pool "nowhere" does not exist in environments/dev.yaml; add it under `pools:`',
    'it asks for 2 slots of pool "small", which has 1 in environments/dev.yaml',
  ]);
});

test('the sweep recounts a pool whose use was miscounted and lets what waits go on', async () => {
  world = await World.open({ environment: 'pools: { gpu: 1 }' });
  await world.release(`name: p\ntasks: { a: { run: "true", pool: gpu } }`);
  await world.tick(); // sweeps; the next sweep comes ten ticks later
  await world.db.query(`update pool set used = 1 where name = 'gpu'`);
  await world.run('p');
  expect(world.executor.names()).toEqual([]);
  for (let ticks = 0; ticks < 10; ticks++) await world.tick();
  expect(world.executor.names()).toEqual(['a']);
});

describe('resources', () => {
  const BIG = 'run: "true", resources: { cpu: 4, memory: 1Gi }';

  test('are never over-used on a machine; a large request is not starved by small ones of other pools', async () => {
    world = await World.open({ machine: { cpu: 4, memory: 8 * 2 ** 30 }, environment: 'pools: { side: 10 }' });
    await world.release(`
name: p
tasks:
  s1: { run: "true", resources: { cpu: 1 } }
  s2: { run: "true", resources: { cpu: 1 } }
  big: { ${BIG}, needs: s1, priority: 1 }
  s3: { run: "true", resources: { cpu: 1 }, pool: side, needs: s1 }
  none: { run: "true", needs: s1 }`);
    const id = await world.run('p');
    expect(world.executor.names()).toEqual(['s1', 's2']);
    expect(world.executor.find('s1').resources).toEqual({ cpu: 1 });
    await world.end('s1');
    // Three of four processors are free and pile up for the large one; what asks for none passes by.
    expect(world.executor.names()).toEqual(['s2', 'none']);
    expect(await world.tasks(id)).toMatchObject({ big: 'ready', s3: 'ready' });
    await world.end('s2');
    expect(world.executor.names()).toEqual(['none', 'big']);
    await world.end('big');
    expect(world.executor.names()).toEqual(['none', 's3']);
    expect(world.problems).toEqual([]);
  });

  test('of an environment are shared by its processes; whose turn it is looks again when another frees them', async () => {
    world = await World.open({ environment: 'resources: { gpu: 1 }' });
    await world.release('name: p\ntasks: { t: { run: "true", resources: { gpu: 1 } } }');
    await world.run('p');
    const other = await world.process();
    // Created while only the other process looks.
    await world.commands.trigger({ pipeline: 'p', environment: 'dev', params: {}, actor: 'ann' });
    await other.scheduler.tick();
    await world.settle();
    expect([world.executor.names(), other.executor.names()]).toEqual([['t'], []]);
    await world.end('t');
    expect(other.executor.names()).toEqual([]);
    await other.scheduler.tick();
    await world.settle();
    expect(other.executor.names()).toEqual(['t']);
    expect(world.problems).toEqual([]);
  });

  test('that can never be had fail the task with the remedy; an environment may ask for less', async () => {
    world = await World.open({ machine: { cpu: 2 }, environment: 'resources: { memory: 1Gi }' });
    const file = `
name: p
tasks:
  a: { run: "true", resources: { memory: 2Gi } }
  b: { run: "true", resources: { cpu: 2.5 } }`;
    await world.release(file);
    const id = await world.run('p');
    const rows = await world.db.query<{ reason: string }[]>(
      'select reason from task_run where run_id = $1 order by task_id',
      [id],
    );
    expect(rows.map((row) => row.reason)).toEqual([
      'it asks for 2 GiB of memory; all tasks together may take 1 GiB of memory in environments/dev.yaml',
      'it asks for 2.5 cpu; tasks may take 2 cpu where it would be executed: ask for less, or set SLUICE_WORKER_CPU there',
    ]);
    await world.release(`${file}\nenvironments: { dev: { resources: { cpu: 500m, memory: 512Mi } } }`);
    await world.run('p');
    expect(world.executor.names()).toEqual(['a', 'b']);
    expect(world.executor.find('a').resources).toEqual({ cpu: 0.5, memory: 512 * 2 ** 20 });
  });
});
