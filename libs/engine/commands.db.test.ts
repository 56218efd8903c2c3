import { afterEach, describe, expect, test } from '@jest/globals';
import { FAILURE, SUCCESS } from '../testing/scripted-executor.ts';
import { World } from '../testing/world.ts';

let world: World;
afterEach(() => world.close());

const pipeline = `
name: p
tasks:
  load: { run: "true" }
  train: { needs: load, matrix: { n: [1, 2, 3] }, run: "echo \${{ tasks.load.outputs.rows }}" }
  ship: { needs: train, run: "true" }
  side: { run: "true" }
finally: { tidy: { run: "true" } }`;

async function aFailedRun(): Promise<string> {
  world = await World.open();
  await world.release(pipeline);
  const id = await world.run('p');
  await world.end('load', SUCCESS, { outputs: { rows: 7 } });
  await world.end('train[n=2]', FAILURE);
  await world.endAll();
  expect(await world.tasks(id)).toMatchObject({
    'train[n=1]': 'success',
    'train[n=2]': 'failed',
    ship: 'upstream_failed',
  });
  return id;
}

async function again(id: string, mode: 'failed' | 'all' | 'from', task?: string): Promise<string> {
  const next = await world.commands.rerun(id, { mode, ...(task ? { task } : {}), release: 'same', actor: 'ann' });
  world.executor.accepted.length = 0;
  await world.tick();
  return next;
}

const ran = (): string[] => world.executor.accepted.map(({ taskId, mapIndex }) => `${taskId}/${mapIndex}`);

describe('rerun', () => {
  test('--failed takes finished task runs over and repeats what failed, what follows, and finally', async () => {
    const id = await aFailedRun();
    const next = await again(id, 'failed');
    expect(world.executor.names()).toEqual(['train[n=2]']);
    expect(world.executor.find('train[n=2]').env.__E1).toBe('7');
    await world.endAll();
    expect(ran()).toEqual(['train/1', 'ship/0', 'tidy/0']);
    expect(await world.tasks(next)).toEqual({
      load: 'success',
      'train[n=1]': 'success',
      'train[n=2]': 'success',
      'train[n=3]': 'success',
      ship: 'success',
      side: 'success',
      tidy: 'success',
    });
    const origins = await world.db.query<{ task_id: string }[]>(
      `select task_id || '/' || map_index as task_id from task_run where run_id = $1 and origin_run = $2 order by 1`,
      [next, id],
    );
    expect(origins.map((row) => row.task_id)).toEqual(['load/0', 'side/0', 'train/0', 'train/2']);
    expect((await world.tasks(id))['train[n=2]']).toBe('failed'); // history stays
  });

  test('--from repeats a task as a whole and everything after it; all repeats everything', async () => {
    const id = await aFailedRun();
    await again(id, 'from', 'train');
    await world.endAll();
    expect(ran()).toEqual(['train/0', 'train/1', 'train/2', 'ship/0', 'tidy/0']);
    await again(id, 'all');
    await world.end('load', SUCCESS, { outputs: { rows: 7 } });
    await world.endAll();
    expect(ran()).toHaveLength(7);
  });

  test('a failed one of a dynamic fan-out alone is repeated', async () => {
    world = await World.open();
    await world.release(`
name: p
tasks:
  list: { run: "true" }
  each: { needs: list, matrix: { n: "\${{ tasks.list.outputs.items }}" }, run: "true" }`);
    const id = await world.run('p');
    await world.end('list', SUCCESS, { outputs: { items: ['a', 'b', 'c'] } });
    await world.end('each[n=b]', FAILURE);
    await world.endAll();
    const next = await again(id, 'failed');
    await world.endAll();
    expect(ran()).toEqual(['each/1']);
    expect(await world.tasks(next)).toEqual({
      list: 'success',
      'each[n=a]': 'success',
      'each[n=b]': 'success',
      'each[n=c]': 'success',
    });
  });

  test('a rerun of a rerun takes over what was taken over', async () => {
    const id = await aFailedRun();
    const second = await again(id, 'failed');
    await world.end('train[n=2]', FAILURE);
    await world.endAll();
    const third = await again(second, 'failed');
    await world.endAll();
    expect(ran()).toEqual(['train/1', 'ship/0', 'tidy/0']);
    expect((await world.tasks(third)).ship).toBe('success');
  });

  test('what wrote outputs that were collected as garbage is executed again, with everything after it', async () => {
    world = await World.open();
    await world.release(`
name: p
paths: { raw: raw }
tasks:
  side: { run: "true" }
  fetch: { run: "true", writes: [raw] }
  use: { run: "true", reads: [raw] }
  last: { needs: use, run: "true" }`);
    const id = await world.run('p');
    const version = { name: 'raw', location: 'p/raw', version: 'v1', manifestHash: 'm', files: 1, bytes: 1 };
    await world.end('side');
    await world.end('fetch', SUCCESS, { versions: [version] });
    await world.end('use');
    await world.end('last', FAILURE);
    await again(id, 'failed');
    expect(world.executor.names()).toEqual(['last']);
    await world.endAll();
    await world.db.query('update path_version set removed_at = now()');
    await again(id, 'failed');
    await world.endAll();
    expect(ran()).toEqual(['fetch/0', 'use/0', 'last/0']);
  });

  test('a run that goes on, a task that is not there, a run without failures: refused with the reason', async () => {
    const id = await aFailedRun();
    const next = await again(id, 'failed');
    const rerun = (mode: 'failed' | 'from', task?: string, of = id) =>
      world.commands.rerun(of, { mode, ...(task ? { task } : {}), release: 'same', actor: 'ann' });
    await expect(rerun('failed', undefined, next)).rejects.toThrow('is still running');
    await expect(rerun('from', 'nothing')).rejects.toThrow('has no task "nothing"');
    await world.endAll();
    await expect(rerun('failed', undefined, next)).rejects.toThrow('has nothing that failed');
    await expect(rerun('failed', undefined, '999')).rejects.toThrow('There is no run "999"');
  });
});

test('a run by hand for an interval sees it; without one a template that needs it fails with the remedy', async () => {
  world = await World.open({ at: '2026-01-10T00:00:00Z' });
  await world.release(`
name: p
schedule: { cron: "0 0 * * *", start: 2026-01-01 }
paths: { raw: { at: raw, partition: ds } }
tasks: { a: { run: "echo \${{ run.trigger }}", writes: [raw] } }`);
  const id = await world.run('p', { at: '2026-01-05T13:00:00Z' });
  expect(world.executor.accepted.find(({ runId }) => runId === id)?.env).toMatchObject({
    DS: '2026-01-05',
    __E1: 'manual',
  });
  const without = await world.run('p');
  const [row] = await world.db.query<{ reason: string }[]>('select reason from task_run where run_id = $1', [without]);
  expect(row?.reason).toMatch(/this run has no interval; trigger it with --at or --from/);
});

describe('cancel', () => {
  const short = 'name: p\ntasks: { a: { run: "true" } }\nfinally: { tidy: { run: "true" } }';

  test('of a run whose end is decided and not yet written: it ends as cancelled, since that was promised', async () => {
    let cancel = (): Promise<void> => Promise.resolve();
    world = await World.open({
      around: (store) => ({
        ...store,
        apply: async (batch) => {
          if (batch.runUpdates.length > 0) await cancel();
          return store.apply(batch);
        },
      }),
    });
    await world.release(short);
    const id = await world.run('p');
    await world.end('a');
    cancel = () => {
      cancel = () => Promise.resolve();
      return world.commands.cancel(id, 'ann');
    };
    await world.end('tidy');
    await world.tick();
    await world.settle();
    const [run] = await world.db.query<object[]>('select state, cancel_requested from run where id = $1', [id]);
    expect(run).toEqual({ state: 'cancelled', cancel_requested: true });
    expect(await world.tasks(id)).toEqual({ a: 'success', tidy: 'success' });
    expect(world.problems).toEqual([]);
  });

  test('of a run that ends at that moment is refused', async () => {
    world = await World.open();
    await world.release(short);
    const id = await world.run('p');
    const holder = world.db.createQueryRunner();
    await holder.startTransaction();
    await holder.query('select from run where id = $1 for update', [id]);
    const cancelling = world.commands.cancel(id, 'ann').catch((error: Error) => error.message);
    for (let waiting = 0; waiting < 1;)
      [{ waiting }] = await world.db.query<[{ waiting: number }]>(
        "select count(*)::int as waiting from pg_locks where not granted and locktype in ('transactionid', 'tuple')",
      );
    await holder.query(`update run set state = 'success', finished_at = now() where id = $1`, [id]);
    await holder.commitTransaction();
    await holder.release();
    expect(await cancelling).toMatch(/has ended already \(success\)/);
    expect(await world.db.query('select 1 from inbox')).toEqual([]);
  });
});
