import { afterEach, describe, expect, test } from '@jest/globals';
import type { MarkInput } from '#engine';
import { FAILURE, SUCCESS } from '../testing/scripted-executor.ts';
import { World } from '../testing/world.ts';

let world: World;
afterEach(() => world.close());

const CHAIN = `
name: p
tasks:
  load: { run: "true", retries: 1 }
  train: { needs: load, matrix: { n: [1, 2] }, run: "true" }
  ship: { needs: train, run: "true" }
finally: { tidy: { run: "true" } }`;

async function aWorld(...pipelines: string[]): Promise<void> {
  world = await World.open();
  await world.release(...pipelines);
}

async function mark(
  runId: string,
  state: MarkInput['state'],
  taskId: string | null = null,
  mapIndex: number | null = null,
) {
  await world.commands.mark(runId, { state, taskId, mapIndex, reason: 'mended by hand', actor: 'ann' });
  await world.scheduler.poke();
  await world.settle();
}

async function reasonOf(runId: string, taskId: string | null = null): Promise<string | null> {
  const [row] = await world.db.query<{ reason: string | null }[]>(
    taskId === null
      ? 'select reason from run where id = $1'
      : `select reason from task_run where run_id = $1 and task_id = '${taskId}' and map_index = 0`,
    [runId],
  );
  return row?.reason ?? null;
}

const again = async (id: string): Promise<string> => {
  const next = await world.commands.rerun(id, { mode: 'failed', release: 'same', actor: 'ann' });
  world.executor.accepted.length = 0;
  await world.tick();
  return next;
};
const ran = (): string[] => world.executor.accepted.map(({ taskId, mapIndex }) => `${taskId}/${mapIndex}`);

describe('a task of a run that goes on', () => {
  test('is stopped, ends as marked, publishes nothing, and frees its slot; what follows goes on', async () => {
    await aWorld(`name: p
paths: { raw: raw }
tasks:
  load: { run: "true", writes: [raw] }
  ship: { needs: load, run: "true" }`);
    const id = await world.run('p');
    const { attemptId } = world.executor.find('load');
    const stopped: string[] = [];
    world.executor.cancel = (_attempt, why) => void stopped.push(why);
    await mark(id, 'success', 'load');
    expect([stopped, await world.tasks(id)]).toEqual([['its task was marked'], { load: 'queued' }]);
    // It ended well before it heard of that: what it says does not count any more.
    const version = { name: 'raw', location: 'p/raw', version: 'v1', manifestHash: 'h', files: 1, bytes: 1 };
    await world.end('load', SUCCESS, { outputs: { rows: 7 }, versions: [version] });
    expect(await world.tasks(id)).toEqual({ load: 'success', ship: 'queued' });
    expect(await reasonOf(id, 'load')).toBe('marked success by ann: mended by hand');
    const [attempt] = await world.db.query<unknown[]>(
      `select a.state, t.outputs, (select count(*)::int from path_version) as versions,
              (select used from pool where name = 'default') as used
       from attempt a join task_run t using (run_id, task_id, map_index) where a.id = $1`,
      [attemptId],
    );
    expect(attempt).toEqual({ state: 'cancelled', outputs: null, versions: 0, used: 1 });
    await world.endAll();
    expect(await world.runs('p')).toEqual(['manual success']);
    expect(world.problems).toEqual([]);
  });

  test('is marked also when its owner dies before it could obey', async () => {
    await aWorld(CHAIN);
    const id = await world.run('p');
    await world.commands.mark(id, { state: 'success', taskId: 'load', mapIndex: null, reason: 'r', actor: 'ann' });
    await world.commands.mark(id, { state: 'failed', taskId: 'train', mapIndex: null, reason: 'r', actor: 'ann' });
    await world.restart();
    expect(await world.tasks(id)).toEqual({
      load: 'success',
      'train[n=1]': 'failed',
      ship: 'upstream_failed',
      tidy: 'queued',
    });
    await world.restart();
    await world.endAll();
    expect(await world.runs('p')).toEqual(['manual failed']);
  });

  test('that waits, and parked its run, is marked too; the run that it called ends', async () => {
    await aWorld(
      'name: p\ntasks: { c: { call: { pipeline: q } }, w: { approve: { message: "?" } } }',
      'name: q\ntasks: { t: { run: "true" } }',
    );
    const id = await world.run('p');
    await world.tick();
    expect(await world.runs('q')).toEqual(['call running']);
    await mark(id, 'success', 'c');
    await mark(id, 'failed', 'w');
    expect(await world.runs('p')).toEqual(['manual failed']);
    await world.tick();
    await world.endAll();
    expect(await world.runs('q')).toEqual(['call cancelled']);
  });
});

test('a run that goes on: what runs is stopped, finally still runs, and the mark is the verdict', async () => {
  await aWorld(CHAIN);
  const id = await world.run('p');
  await mark(id, 'success');
  expect(world.executor.cancelled).toEqual(['load: the run was marked success by ann: mended by hand']);
  expect(await world.tasks(id)).toEqual({
    load: 'cancelled',
    'train[n=1]': 'cancelled',
    ship: 'cancelled',
    tidy: 'queued',
  });
  await world.endAll();
  expect(await world.runs('p')).toEqual(['manual success']);
  expect(await reasonOf(id)).toBe('marked success by ann: mended by hand');
});

test('a queued run ends at once', async () => {
  await aWorld(`max_active_runs: 1\n${CHAIN}`);
  await world.run('p');
  const queued = await world.run('p');
  await mark(queued, 'success');
  expect(await world.runs('p')).toEqual(['manual running', 'manual success']);
});

describe('what has ended', () => {
  test('keeps its state; the next run takes what is marked success over as such and goes on after it', async () => {
    await aWorld(CHAIN);
    const id = await world.run('p');
    await world.end('load');
    await world.end('train[n=1]', FAILURE);
    await world.endAll();
    await mark(id, 'success', 'train', 0);
    expect((await world.tasks(id))['train[n=1]']).toBe('failed');
    const next = await again(id);
    await world.endAll();
    expect(ran()).toEqual(['ship/0', 'tidy/0']);
    expect(await world.tasks(next)).toMatchObject({ 'train[n=1]': 'success', ship: 'success' });
    expect(await reasonOf(next, 'train')).toBe('marked success by ann: mended by hand');
    expect((await world.store.marksOf([next])).map(({ taskId, mapIndex }) => [taskId, mapIndex])).toEqual([
      ['train', 0],
    ]);
  });

  test('a fan-out that never began and is marked as a whole is not begun by the next run', async () => {
    await aWorld(CHAIN);
    const id = await world.run('p');
    await world.end('load', FAILURE);
    await world.wait(60_000);
    await world.end('load', FAILURE);
    await world.endAll();
    await mark(id, 'success', 'train');
    const next = await again(id);
    await world.end('load');
    await world.endAll();
    // What follows load is repeated as a whole: the mark is about the run that it was made of.
    expect(ran()).toEqual(['load/0', 'train/0', 'train/1', 'ship/0', 'tidy/0']);
    await mark(id, 'success', 'load');
    await again(id);
    await world.endAll();
    expect(ran()).toEqual(['ship/0', 'tidy/0']);
    expect(await world.tasks(next)).toMatchObject({ ship: 'success' });
  });

  test('and was marked failed is executed again, with everything after it', async () => {
    await aWorld(CHAIN);
    const id = await world.run('p');
    await world.endAll();
    await expect(again(id)).rejects.toThrow('has nothing that failed');
    await mark(id, 'failed', 'train', 1);
    await again(id);
    await world.endAll();
    expect(ran()).toEqual(['train/1', 'ship/0', 'tidy/0']);
  });
});

test('a result of a task that somebody marked is never taken from the cache', async () => {
  await aWorld('name: p\ntasks: { a: { run: "true", cache: true } }');
  const id = await world.run('p');
  await mark(id, 'success', 'a');
  await world.endAll();
  expect(await world.runs('p')).toEqual(['manual success']);
  await world.run('p');
  expect(world.executor.names()).toEqual(['a']);
});

test('a mark that waits for the lock of a run that is ending meets what has ended', async () => {
  await aWorld('name: p\ntasks: { a: { run: "true" } }');
  const id = await world.run('p');
  const holder = world.db.createQueryRunner();
  await holder.startTransaction();
  await holder.query('select from run where id = $1 for update', [id]);
  world.executor.end('a', FAILURE);
  const marking = world.commands.mark(id, { state: 'success', taskId: 'a', mapIndex: null, reason: 'r', actor: 'ann' });
  for (let waiting = 0; waiting < 2;)
    [{ waiting }] = await world.db.query<[{ waiting: number }]>(
      "select count(*)::int as waiting from pg_locks where not granted and locktype in ('transactionid', 'tuple')",
    );
  await holder.commitTransaction();
  await holder.release();
  await marking;
  await world.settle();
  await world.scheduler.poke();
  await world.settle();
  // Whoever came first: the two agree on what it counts as.
  const state = (await world.tasks(id)).a;
  const [counts] = await world.store.marksOf([id]);
  expect([['success', 'failed'].includes(state ?? ''), counts?.state]).toEqual([true, 'success']);
  const next = await world.commands
    .rerun(id, { mode: 'failed', release: 'same', actor: 'ann' })
    .catch((error: Error) => error.message);
  expect(next).toContain('has nothing that failed');
});

test.each([
  ['success', null, null, 'counts as success already', ''],
  ['failed', 'lod', null, 'has no task "lod"', 'It has: load, train, ship, tidy.'],
  ['failed', null, 1, 'belongs to no task', 'Name the task, too.'],
] as const)('refused: %s %s %s', async (state, taskId, mapIndex, message, hint) => {
  await aWorld(CHAIN);
  const id = await world.run('p');
  await world.endAll();
  const error = await world.commands.mark(id, { state, taskId, mapIndex, reason: 'r', actor: 'ann' }).then(
    () => null,
    (thrown: unknown) => thrown as Error & { hint?: string },
  );
  expect(error?.message).toContain(message);
  expect(error?.hint ?? '').toBe(hint);
  expect(await world.db.query('select 1 from run_mark')).toEqual([]);
});

test('is in the audit trail', async () => {
  await aWorld(CHAIN);
  const id = await world.run('p');
  await world.endAll();
  await mark(id, 'failed', 'train', 1);
  const [entry] = await world.db.query<unknown[]>("select actor, subject, detail from audit where action = 'run.mark'");
  expect(entry).toEqual({
    actor: 'ann',
    subject: `${id}/train[1]`,
    detail: { pipeline: 'p', as: 'failed', reason: 'mended by hand' },
  });
});
