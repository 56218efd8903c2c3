import { afterEach, describe, expect, test } from '@jest/globals';
import { FAILURE } from '../testing/scripted-executor.ts';
import { World } from '../testing/world.ts';

let world: World;
afterEach(() => world.close());

/** Daily, three days to make up for; `load` depends on its past. */
async function aWorld({ load = 'depends_on_past: true', more = '', at = '2026-01-04T00:00:30Z' } = {}): Promise<void> {
  world = await World.open({ at });
  await world.release(`name: p
schedule: { cron: "0 0 * * *", start: 2026-01-01, catchup: true }
${more}
tasks:
  side: { run: "true" }
  load: { run: "true", ${load} }
  ship: { needs: load, run: "true" }`);
  await world.tick();
}

/** Ids of the runs of these days of January, the newest of each. */
async function runOf(day: number): Promise<string> {
  const [row] = await world.db.query<{ id: string }[]>(
    `select max(id)::text as id from run where pipeline = 'p' and interval_start = '2026-01-0${day}T00:00:00Z'`,
  );
  return row!.id;
}
const tasksOf = async (day: number) => world.tasks(await runOf(day));
/** The attempt of a task in the run of a day. */
async function end(day: number, taskId: string, outcome?: typeof FAILURE): Promise<void> {
  const runId = await runOf(day);
  const live = [...world.executor.live.values()].find((one) => one.runId === runId && one.taskId === taskId);
  if (!live) throw new Error(`no live attempt of ${taskId} on day ${day}`);
  world.executor.endAttempt(live, outcome);
  await world.settle();
  await world.wait(100);
}
const waits = () =>
  world.db.query<{ day: string; task_id: string; detail: string | null }[]>(
    `select to_char(r.interval_start, 'DD') as day, w.task_id, w.detail from task_wait w join run r on r.id = w.run_id
     where w.outcome is null order by 1, 2`,
  );

describe('a task that depends on its past', () => {
  test('follows itself interval by interval, holding nothing meanwhile; what does not depend on it runs at once', async () => {
    await aWorld();
    expect(world.executor.names().sort()).toEqual(['load', 'side', 'side', 'side']);
    expect(await tasksOf(2)).toMatchObject({ load: 'waiting' });
    const [pool] = await world.db.query<{ used: number }[]>("select used from pool where name = 'default'");
    expect(pool?.used).toBe(4);
    for (const day of [1, 2, 3]) await end(day, 'side');
    // Those that only wait belong to nobody.
    expect(await world.db.query('select 1 from run where parked')).toHaveLength(2);
    // Of a run that goes on: the task is enough.
    await end(1, 'load');
    expect([await tasksOf(1), await tasksOf(2), await tasksOf(3)]).toEqual([
      { load: 'success', ship: 'queued', side: 'success' },
      { load: 'queued', side: 'success' },
      { load: 'waiting', side: 'success' },
    ]);
    await world.endAll();
    await world.wait(100);
    await world.endAll();
    await world.wait(100);
    expect(await world.runs('p')).toEqual(['01-01T00:00 success', '01-02T00:00 success', '01-03T00:00 success']);
    expect(world.problems).toEqual([]);
  });

  test('waits while it failed before, says for whom, and goes on when that was run again or marked', async () => {
    await aWorld({ more: 'max_active_runs: 1' });
    const first = await runOf(1);
    await end(1, 'load', FAILURE);
    await end(1, 'side');
    await end(2, 'side');
    expect(await world.runs('p')).toEqual(['01-01T00:00 failed', '01-02T00:00 running', '01-03T00:00 queued']);
    expect(await waits()).toEqual([
      {
        day: '02',
        task_id: 'load',
        detail: `task "load" of run ${first} of the interval that begins at 2026-01-01T00:00:00Z is failed`,
      },
    ]);
    // Its place is the only one: what mends it goes before it.
    await world.commands.rerun(first, { mode: 'failed', release: 'same', actor: 'ann' });
    await world.tick();
    expect(await world.runs('p')).toEqual([
      ...['01-01T00:00 failed', '01-02T00:00 running', '01-03T00:00 queued', '01-01T00:00 running'],
    ]);
    await end(1, 'load', FAILURE);
    expect(await tasksOf(2)).toEqual({ load: 'waiting', side: 'success' });
    const mended = await runOf(1);
    await world.commands.mark(mended, { state: 'success', taskId: 'load', mapIndex: null, reason: 'r', actor: 'ann' });
    await world.tick();
    expect(await tasksOf(2)).toEqual({ load: 'queued', side: 'success' });
  });

  test('and waits for what follows it, when asked', async () => {
    await aWorld({ load: 'wait_for_downstream: true' });
    await end(1, 'load');
    expect(await tasksOf(2)).toMatchObject({ load: 'waiting' });
    await end(1, 'ship', FAILURE);
    expect(await tasksOf(2)).toMatchObject({ load: 'waiting' });
    expect((await waits())[0]?.detail).toContain('task "ship" of run');
    await world.commands.mark(await runOf(1), {
      state: 'success',
      taskId: 'ship',
      mapIndex: null,
      reason: 'r',
      actor: 'ann',
    });
    await world.tick();
    expect(await tasksOf(2)).toMatchObject({ load: 'queued' });
  });

  test('is still waited for after a restart', async () => {
    await aWorld();
    await world.restart();
    expect(await tasksOf(2)).toMatchObject({ load: 'waiting' });
    await end(1, 'load');
    expect(await tasksOf(2)).toMatchObject({ load: 'queued' });
  });

  test('item by item of a fan-out: each waits for all items of the interval before, and then for what it waits for itself', async () => {
    world = await World.open({ at: '2026-01-03T00:00:30Z' });
    await world.release(`name: p
schedule: { cron: "0 0 * * *", start: 2026-01-01, catchup: true }
groups: { region: { matrix: { region: [eu, us] } } }
tasks:
  load: { group: region, run: "true", depends_on_past: true }
  ship: { group: region, needs: load, run: "true" }
  ask: { approve: "Ship \${{ matrix.n }}?", matrix: { n: [1, 2] }, wait_for_downstream: true }
  told: { needs: ask, run: "true" }`);
    await world.tick();
    const [eu, us] = ['load[region=eu]', 'load[region=us]'];
    const [one, two] = ['ask[n=1]', 'ask[n=2]'];
    const waiting = { [eu]: 'waiting', [us]: 'waiting', [one]: 'waiting', [two]: 'waiting' };
    expect([await tasksOf(1), await tasksOf(2)]).toEqual([
      { [eu]: 'queued', [us]: 'queued', [one]: 'waiting', [two]: 'waiting' },
      waiting,
    ]);
    const answer = (day: number) => async (mapIndex: number | null) =>
      world.commands.answer(
        await runOf(day),
        { taskId: 'ask', mapIndex },
        { isApproved: true, comment: '' },
        { name: 'ann', groups: [] },
      );
    await expect(answer(2)(null)).rejects.toMatchObject({ code: 'conflict' });
    await answer(1)(null);
    await world.tick();
    await world.end(us, FAILURE);
    await world.end(eu);
    await world.restart();
    await world.endAll();
    await world.wait(100);
    // All of `ask` and `told` ended well; of `load` one item did not, which holds both of the next day.
    expect(await world.runs('p')).toEqual(['01-01T00:00 failed', '01-02T00:00 running']);
    expect(await tasksOf(2)).toEqual(waiting);
    expect((await waits()).map(({ task_id: taskId, detail }) => [taskId, detail?.split('Z ')[1]])).toEqual([
      ...[
        ['ask', undefined],
        ['ask', undefined],
        ['load', 'is failed'],
        ['load', 'is failed'],
      ],
    ]);
    await answer(2)(1);
    const mark = { state: 'success' as const, reason: 'r', actor: 'ann' };
    await world.commands.mark(await runOf(1), { ...mark, taskId: 'load', mapIndex: 1 });
    await world.tick();
    expect(await tasksOf(2)).toEqual({ [eu]: 'queued', [us]: 'queued', [one]: 'waiting', [two]: 'success' });
    expect(world.problems).toEqual([]);
  });

  test('may wait for something else afterwards, and says what', async () => {
    world = await World.open({ at: '2026-01-03T00:00:30Z' });
    await world.release(
      `name: p
schedule: { cron: "0 0 * * *", start: 2026-01-01, catchup: true }
defaults: { depends_on_past: true }
tasks:
  ask: { approve: { message: "Ship?" } }
  read: { run: "true", reads: [{ path: other.raw, missing: wait }] }`,
      'name: other\npaths: { raw: { at: raw, partition: ds } }\ntasks: { make: { run: "true", writes: [raw] } }',
    );
    await world.tick();
    const reasons = async (day: number) => {
      const rows = await world.db.query<{ reason: string }[]>(
        'select reason from task_run where run_id = $1 order by task_id',
        [await runOf(day)],
      );
      return rows.map(({ reason }) => reason);
    };
    expect(await reasons(1)).toEqual([
      'waits for Ship?',
      expect.stringContaining('nothing was published at other.raw'),
    ]);
    expect(await reasons(2)).toEqual(Array(2).fill(expect.stringContaining('waits for itself in the interval before')));
    const mark = { state: 'success' as const, mapIndex: null, reason: 'r', actor: 'ann' };
    for (const taskId of ['ask', 'read']) await world.commands.mark(await runOf(1), { ...mark, taskId });
    await world.tick();
    await world.wait(100);
    expect(await reasons(2)).toEqual([
      'waits for Ship?',
      expect.stringContaining('nothing was published at other.raw'),
    ]);
    const ask = { taskId: 'ask', mapIndex: null };
    await world.commands.answer(await runOf(2), ask, { isApproved: true, comment: '' }, { name: 'ann', groups: [] });
    await world.scheduler.poke();
    await world.settle();
    expect(await tasksOf(2)).toMatchObject({ ask: 'success', read: 'waiting' });
    expect(world.problems).toEqual([]);
  });
});

test('the first run of a backfill passes, the next ones follow it; the newest cannot come first', async () => {
  await aWorld({ more: '', at: '2026-01-01T00:00:30Z' });
  await world.db.query("update schedule set paused = true where pipeline = 'p'");
  await world.tick('2026-01-05T00:00:30Z');
  const range = {
    environment: 'dev',
    pipeline: 'p',
    from: '2026-01-03',
    to: '2026-01-05',
    reprocess: 'missing' as const,
  };
  const backwards = { ...range, order: 'newest_first' as const };
  await expect(world.backfills.plan(backwards)).rejects.toThrow('so the newest cannot come first');
  await world.backfills.create({ ...range, from: '2026-01-01', to: '2026-01-02' }, 'ann');
  await world.tick();
  await end(1, 'load', FAILURE);
  await world.endAll();
  await world.backfills.create(range, 'ann');
  await world.tick();
  expect([(await tasksOf(3)).load, (await tasksOf(4)).load]).toEqual(['queued', 'waiting']);
});

test('a run without an interval, and one that publishes nothing, do not wait', async () => {
  await aWorld();
  await end(1, 'load', FAILURE);
  expect((await world.tasks(await world.run('p'))).load).toBe('queued');
});

test('the look and the end of what is waited for at the same moment: the wait is not missed', async () => {
  await aWorld({ more: 'max_active_runs: 2' });
  const holder = world.db.createQueryRunner();
  await holder.startTransaction();
  // The wait of the second run is being noted while the task of the first one ends.
  await holder.query('select from run where id = $1 for update', [await runOf(2)]);
  const runId = await runOf(1);
  world.executor.endAttempt(
    [...world.executor.live.values()].find((one) => one.runId === runId && one.taskId === 'load')!,
  );
  await holder.commitTransaction();
  await holder.release();
  await world.settle();
  await world.wait(100);
  expect(await tasksOf(2)).toMatchObject({ load: 'queued' });
});
