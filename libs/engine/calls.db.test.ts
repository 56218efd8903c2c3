import { afterEach, describe, expect, test } from '@jest/globals';
import { lockWithCalled } from '../store/queries/calls.ts';
import { examplesOf } from '../testing/examples.ts';
import { World } from '../testing/world.ts';

const START = '2026-01-05T12:00:00Z';
let world: World;
afterEach(() => world.close());

const CALLED = `name: called
max_active_runs: 1
params: { day: { type: string }, n: { type: integer, default: 1 } }
tasks: { work: { run: "true" } }`;

async function aWorld(call: string): Promise<void> {
  world = await World.open({ at: START });
  await world.release(
    `name: p\ntasks:\n  c: { call: ${call} }\n  use: { needs: [c], run: 'echo "\${{ tasks.c.outputs.run_id }}"' }`,
    CALLED,
  );
}

const CALL = "{ pipeline: called, params: { day: '${{ run.trigger }}', n: '${{ 1 + 1 }}' } }";

async function seconds(count: number): Promise<void> {
  for (let second = 0; second < count; second++) await world.tick(world.clock.now().getTime() + 1000);
}

async function calls(): Promise<object[]> {
  return world.db.query(
    `select trigger, params, interval_start is null as "isAboutNone", depth, state,
            (select cause_id::text from run_cause where run_id = r.id) as caller
     from run r where pipeline = 'called' order by id`,
  );
}

async function reasonOf(runId: string): Promise<string | null> {
  const [row] = await world.db.query<{ reason: string | null }[]>(
    "select reason from task_run where run_id = $1 and task_id = 'c'",
    [runId],
  );
  return row?.reason ?? null;
}

const CALLED_RUN = { trigger: 'call', params: { day: 'manual', n: 2 }, isAboutNone: true, depth: 1 };

test('a call starts one run with its parameters, holds nothing meanwhile, and ends as it does; its id is an output', async () => {
  await aWorld(CALL);
  const id = await world.run('p');
  await seconds(2);
  expect(await world.tasks(id)).toEqual({ c: 'waiting' });
  expect(await calls()).toEqual([{ ...CALLED_RUN, state: 'running', caller: id }]);
  expect(await world.db.query('select from attempt where run_id = $1', [id])).toEqual([]);
  expect(await world.db.query('select from run where id = $1 and parked', [id])).toHaveLength(1);
  await world.end('work');
  await seconds(2);
  expect(await world.tasks(id)).toEqual({ c: 'success', use: 'queued' });
  const [called] = await world.db.query<{ id: string }[]>("select id::text from run where pipeline = 'called'");
  expect(await reasonOf(id)).toBe(`run ${called?.id} of called succeeded`);
  const [row] = await world.db.query<object[]>("select outputs from task_run where run_id = $1 and task_id = 'c'", [
    id,
  ]);
  expect(row).toEqual({ outputs: { run_id: called?.id } });
  await world.endAll();
  expect(await world.runs('p')).toEqual(['manual success']);
  expect(world.problems).toEqual([]);
});

test('a failed run fails the task that called it, and says which it was', async () => {
  await aWorld(CALL);
  const id = await world.run('p');
  await seconds(2);
  await world.end('work', { kind: 'failed', exitCode: 1, message: 'no' });
  await seconds(2);
  expect(await world.tasks(id)).toEqual({ c: 'failed', use: 'upstream_failed' });
  expect(await reasonOf(id)).toMatch(/^run \d+ of called ended: failed: task "work" failed$/);
});

test('who stops the caller stops the run that it called, be it queued or running', async () => {
  await aWorld(CALL);
  const [first, second] = [await world.run('p'), await world.run('p')];
  await seconds(3);
  expect(await calls()).toMatchObject([{ state: 'running' }, { state: 'queued' }]);
  for (const id of [first, second]) await world.commands.cancel(id, 'anna');
  await seconds(3);
  await world.endAll();
  await seconds(2);
  expect(await calls()).toMatchObject([{ state: 'cancelled' }, { state: 'cancelled' }]);
  expect(await world.tasks(first)).toMatchObject({ c: 'cancelled' });
});

test('a call that takes longer than its timeout fails, and its run is stopped', async () => {
  world = await World.open({ at: START });
  await world.release('name: p\ntasks: { c: { call: { pipeline: called, params: { day: x } }, timeout: 5s } }', CALLED);
  const id = await world.run('p');
  await seconds(7);
  expect(await world.tasks(id)).toEqual({ c: 'failed' });
  const rows = await world.db.query<object[]>("select cancel_requested from run where pipeline = 'called'");
  expect(rows).toEqual([{ cancel_requested: true }]);
});

test('two processes look at the call, and one of them dies before and after it: there is one run, and its end is heard', async () => {
  await aWorld(CALL);
  await world.process();
  const id = await world.run('p');
  await world.restart();
  await seconds(2);
  await world.restart();
  await seconds(2);
  expect(await calls()).toEqual([{ ...CALLED_RUN, state: 'running', caller: id }]);
  await world.endEverywhere();
  await seconds(3);
  expect((await world.tasks(id)).c).toBe('success');
  expect(await calls()).toHaveLength(1);
});

describe('runs that give way to newer ones', () => {
  const GIVES_WAY = CALLED.replace('max_active_runs: 1', 'max_active_runs: 1\noverlap: cancel_running');

  async function twoCallers(): Promise<string> {
    world = await World.open({ at: START });
    await world.release(`name: p\ntasks: { c: { call: ${CALL} } }`, GIVES_WAY);
    const first = await world.run('p');
    await seconds(2);
    return first;
  }

  test('the older caller fails with its run, the newer one has its own', async () => {
    const first = await twoCallers();
    const second = await world.run('p');
    await seconds(3);
    expect(await calls()).toMatchObject([{ state: 'cancelled' }, { state: 'running' }]);
    expect(await reasonOf(first)).toMatch(/^run \d+ of called ended: cancelled/);
    await world.end('work');
    await seconds(2);
    expect(await world.runs('p')).toEqual(['manual failed', 'manual success']);
    expect([(await world.tasks(second)).c, world.problems]).toEqual(['success', []]);
  });

  test('the newer caller locks the run that has to give way before its own: whoever holds both in a batch is not crossed', async () => {
    await twoCallers();
    const [older] = await world.db.query<{ id: string }[]>("select id::text from run where pipeline = 'called'");
    const holder = world.db.createQueryRunner();
    await holder.startTransaction();
    await holder.query('select from run where id = $1 for update', [older?.id]);
    const second = world.run('p');
    await untilWaiting(1);
    // As a batch goes on that has both: it would wait for ever if the call held its caller already.
    await holder.query(`select from run where id = (select max(id) from run where pipeline = 'p') for update nowait`);
    await holder.commitTransaction();
    await holder.release();
    await second;
    await seconds(3);
    expect(await calls()).toMatchObject([{ state: 'cancelled' }, { state: 'running' }]);
    expect(world.problems).toEqual([]);
  });

  test('a batch locks the runs that its ended tasks had called in one order with its own', async () => {
    const first = await twoCallers();
    const [called] = await world.db.query<{ id: string }[]>("select id::text from run where pipeline = 'called'");
    const last = await world.commands.trigger({
      pipeline: 'called',
      environment: 'dev',
      params: { day: 'x' },
      actor: 'ann',
    });
    const [holder, batch] = [world.db.createQueryRunner(), world.db.createQueryRunner()];
    for (const runner of [holder, batch]) await runner.startTransaction();
    await holder.query('select from run where id = $1 for update', [called?.id]);
    const runs = [first, last].map((id) => ({ id, token: '1' }));
    const locked = lockWithCalled(batch.manager, { runs, endedCalls: [{ runId: first, taskId: 'c', mapIndex: 0 }] });
    await untilWaiting(1);
    await holder.query('select from run where id = $1 for update nowait', [last]);
    for (const runner of [holder, batch]) {
      await runner.commitTransaction();
      if (runner === holder) await locked;
      await runner.release();
    }
  });

  async function untilWaiting(sessions: number): Promise<void> {
    for (;;) {
      const [row] = await world.db.query<{ waiting: number }[]>(
        `select count(*)::int as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      if ((row?.waiting ?? 0) >= sessions) return;
    }
  }
});

test('a called run is about the interval of its caller, also one of a schedule, and none where that has none', async () => {
  world = await World.open({ at: START });
  await world.release(
    `name: p\nschedule: { cron: "0 13 * * *", start: 2026-01-01 }\ntasks: { c: { call: ${CALL} } }`,
    CALLED,
  );
  await world.tick();
  await seconds(3);
  await world.run('p', { from: '2026-01-01', to: '2026-01-02' });
  await seconds(2);
  const intervals = await world.db.query<object[]>(
    `select to_char(interval_start at time zone 'UTC', 'DD HH24') as start, to_char(interval_end at time zone 'UTC', 'DD HH24') as end,
            params ->> 'day' as trigger
     from run where pipeline = 'called' order by id`,
  );
  expect(intervals).toEqual([
    { start: '03 13', end: '04 13', trigger: 'schedule' },
    { start: '01 00', end: '02 00', trigger: 'manual' },
  ]);
});

test('the twenty-first run in a row is not called: the task fails and says so', async () => {
  await aWorld(CALL);
  for (const depth of [19, 20]) {
    const id = await world.commands.trigger({ pipeline: 'p', environment: 'dev', params: {}, actor: 'ann' });
    await world.db.query('update run set depth = $1 where id = $2', [depth, id]);
    await seconds(3);
    const { c } = await world.tasks(id);
    expect([depth, c]).toEqual([depth, depth === 19 ? 'waiting' : 'failed']);
    if (depth === 20)
      expect(await reasonOf(id)).toMatch(
        /^run \d+ of called ended: skipped: 21 runs in a row started each other; at most 20 may$/,
      );
  }
});

test('the example of docs/task-kinds.md: two runs are called, with the parameters that it says', async () => {
  const examples = examplesOf('docs/task-kinds.md', 'yaml');
  world = await World.open({ at: START });
  await world.release(...examples.filter((text) => /^name: (train-region|weekly-models)$/m.test(text)));
  const id = await world.run('weekly-models');
  await world.end('count', undefined, { outputs: { rows: 500 } });
  await seconds(3);
  const params = await world.db.query<{ params: object }[]>(
    "select params from run where pipeline = 'train-region' and state = 'running' order by params ->> 'region'",
  );
  expect(params.map((row) => row.params)).toEqual([
    { region: 'north', rows: 500 },
    { region: 'south', rows: 1000 },
  ]);
  await world.endEverywhere();
  await seconds(2);
  expect(await world.tasks(id)).toEqual({ count: 'success', north: 'success', report: 'queued', south: 'success' });
});
