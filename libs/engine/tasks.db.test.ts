import { afterEach, describe, expect, test } from '@jest/globals';
import type { Outcome } from '#core';
import { FAILURE, SUCCESS } from '../testing/scripted-executor.ts';
import { World, type WorldOptions } from '../testing/world.ts';

const SKIPPED: Outcome = { kind: 'skipped', message: 'nothing to do' };
let world: World;
afterEach(() => world.close());

/** A world with one pipeline `p` made of these tasks, and a run of it. */
async function aRun(tasks: string, options: WorldOptions = {}): Promise<string> {
  world = await World.open(options);
  await world.release(`name: p\n${tasks}`);
  return world.run('p');
}

async function endings(runId: string): Promise<{ state: string; reason: string | null }> {
  const [row] = await world.db.query<{ state: string; reason: string | null }[]>(
    'select state, reason from run where id = $1',
    [runId],
  );
  return row!;
}

test('tasks run in the order of their needs, side by side where they can', async () => {
  const id = await aRun(`
tasks:
  a: { run: "true" }
  b: { needs: a, run: "true" }
  c: { needs: a, run: "true" }
  d: { needs: [b, c], run: "true" }`);
  expect(world.executor.names()).toEqual(['a']);
  await world.end('a');
  expect(world.executor.names()).toEqual(['b', 'c']);
  await world.end('c');
  expect(world.executor.names()).toEqual(['b']);
  await world.end('b');
  await world.end('d');
  expect(await world.tasks(id)).toEqual({ a: 'success', b: 'success', c: 'success', d: 'success' });
  expect(await endings(id)).toEqual({ state: 'success', reason: null });
});

test('what ends while the executor has a backlog is written together, a moment later', async () => {
  const id = await aRun(`tasks: { a: { matrix: { n: [1, 2, 3] }, run: "true" } }`);
  const batches = () => world.events.filter(({ name }) => name === 'batch-applied').length;
  const before = batches();
  world.executor.hasBacklog = true;
  await world.end('a[n=1]');
  await world.end('a[n=2]');
  expect(await world.tasks(id)).toMatchObject({ 'a[n=1]': 'queued', 'a[n=2]': 'queued' });
  await world.wait(25);
  expect(await world.tasks(id)).toMatchObject({ 'a[n=1]': 'success', 'a[n=2]': 'success' });
  expect(batches()).toBe(before + 1);
  world.executor.hasBacklog = false;
  await world.end('a[n=3]');
  expect(await world.tasks(id)).toMatchObject({ 'a[n=3]': 'success' });
});

describe('trigger rules', () => {
  const RULES = {
    all_success: {
      ss: 'success',
      sf: 'upstream_failed',
      sk: 'skipped',
      ff: 'upstream_failed',
      fk: 'upstream_failed',
      kk: 'skipped',
    },
    all_failed: { ss: 'skipped', sf: 'skipped', sk: 'skipped', ff: 'success', fk: 'skipped', kk: 'skipped' },
    all_done: { ss: 'success', sf: 'success', sk: 'success', ff: 'success', fk: 'success', kk: 'success' },
    all_done_min_one_success: {
      ss: 'success',
      sf: 'success',
      sk: 'skipped',
      ff: 'upstream_failed',
      fk: 'skipped',
      kk: 'skipped',
    },
    all_skipped: { ss: 'skipped', sf: 'skipped', sk: 'skipped', ff: 'skipped', fk: 'skipped', kk: 'success' },
    one_success: {
      ss: 'success',
      sf: 'success',
      sk: 'success',
      ff: 'upstream_failed',
      fk: 'upstream_failed',
      kk: 'skipped',
    },
    one_failed: { ss: 'skipped', sf: 'success', sk: 'skipped', ff: 'success', fk: 'success', kk: 'skipped' },
    one_done: { ss: 'success', sf: 'success', sk: 'success', ff: 'success', fk: 'success', kk: 'skipped' },
    none_failed: {
      ss: 'success',
      sf: 'upstream_failed',
      sk: 'success',
      ff: 'upstream_failed',
      fk: 'upstream_failed',
      kk: 'success',
    },
    none_failed_min_one_success: {
      ss: 'success',
      sf: 'upstream_failed',
      sk: 'success',
      ff: 'upstream_failed',
      fk: 'upstream_failed',
      kk: 'skipped',
    },
    none_skipped: { ss: 'success', sf: 'success', sk: 'skipped', ff: 'success', fk: 'skipped', kk: 'skipped' },
    always: { ss: 'success', sf: 'success', sk: 'success', ff: 'success', fk: 'success', kk: 'success' },
  } as const;

  test('two upstream tasks in every combination of success, failure and skip', async () => {
    const ends = { s: SUCCESS, f: FAILURE, k: SKIPPED };
    world = await World.open();
    const tasks = Object.keys(RULES).map((rule) => `  ${rule}: { needs: [a, b], when: ${rule}, run: "true" }`);
    await world.release(`name: p\ntasks:\n  a: { run: "true" }\n  b: { run: "true" }\n${tasks.join('\n')}`);
    for (const upstream of ['ss', 'sf', 'sk', 'ff', 'fk', 'kk'] as const) {
      const id = await world.run('p');
      await world.end('a', ends[upstream[0] as 's']);
      await world.end('b', ends[upstream[1] as 's']);
      await world.endAll();
      const { a, b, ...states } = await world.tasks(id);
      const expected = Object.entries(RULES).map(([rule, becomes]) => [rule, becomes[upstream]]);
      expect([upstream, states]).toEqual([upstream, Object.fromEntries(expected)]);
      expect((await endings(id)).state).toBe(upstream.includes('f') ? 'failed' : 'success');
      expect([a, b].every(Boolean)).toBe(true);
    }
  });
});

describe('conditions', () => {
  test('if: false skips before an attempt is made, and what follows is skipped', async () => {
    const id = await aRun(`
params: { full: { type: boolean, default: false } }
tasks:
  a: { run: "true" }
  b: { needs: a, if: "\${{ params.full }}", run: "true" }
  c: { needs: b, run: "true" }`);
    await world.endAll();
    expect(await world.tasks(id)).toEqual({ a: 'success', b: 'skipped', c: 'skipped' });
    expect(world.executor.accepted.map(({ taskId }) => taskId)).toEqual(['a']);
    expect((await endings(id)).state).toBe('success');
  });

  test('a condition sees what its upstream said', async () => {
    const id = await aRun(`
tasks:
  count: { run: "true" }
  big: { needs: count, if: "\${{ tasks.count.outputs.rows > 10 }}", run: "true" }`);
    await world.end('count', SUCCESS, { outputs: { rows: 11 } });
    expect(world.executor.names()).toEqual(['big']);
    await world.endAll();
    expect(await world.tasks(id)).toEqual({ count: 'success', big: 'success' });
  });
});

describe('fan-out', () => {
  test('a literal matrix runs max_parallel at a time, in list order; downstream sees a list', async () => {
    const id = await aRun(`
tasks:
  train: { matrix: { lr: [1, 2], depth: [4, 8] }, max_parallel: 2, run: "true" }
  best: { needs: train, run: "echo \${{ tasks.train.outputs[3].auc }}" }`);
    expect(world.executor.names()).toEqual(['train[lr=1,depth=4]', 'train[lr=1,depth=8]']);
    await world.end('train[lr=1,depth=8]', SUCCESS, { outputs: { auc: 0.2 } });
    expect(world.executor.names()).toEqual(['train[lr=1,depth=4]', 'train[lr=2,depth=4]']);
    await world.end('train[lr=1,depth=4]', SUCCESS, { outputs: { auc: 0.1 } });
    await world.end('train[lr=2,depth=4]', SUCCESS, { outputs: { auc: 0.3 } });
    expect(world.executor.names()).toEqual(['train[lr=2,depth=8]']);
    await world.end('train[lr=2,depth=8]', SUCCESS, { outputs: { auc: 0.4 } });
    expect(world.executor.find('best').env.__E1).toBe('0.4');
    await world.endAll();
    expect((await endings(id)).state).toBe('success');
  });

  test('a dynamic matrix takes its items from an output; map keys and values reach the attempts', async () => {
    const id = await aRun(`
tasks:
  list: { run: "true" }
  each: { needs: list, matrix: { day: "\${{ tasks.list.outputs.days }}" }, run: "true" }`);
    await world.end('list', SUCCESS, { outputs: { days: ['mon', 'tue', 'wed'] } });
    expect(world.executor.names()).toEqual(['each[day=mon]', 'each[day=tue]', 'each[day=wed]']);
    expect(world.executor.find('each[day=tue]').context.matrix).toEqual({ day: 'tue' });
    await world.end('each[day=tue]', FAILURE);
    await world.endAll();
    expect((await endings(id)).state).toBe('failed');
    expect(await world.tasks(id)).toMatchObject({ 'each[day=mon]': 'success', 'each[day=tue]': 'failed' });
  });

  test('no items: skipped; more than max_fanout: failed before any child starts', async () => {
    const tasks = `
tasks:
  list: { run: "true" }
  each: { needs: list, matrix: { n: "\${{ tasks.list.outputs.items }}" }, max_fanout: 2, run: "true" }`;
    const none = await aRun(tasks);
    await world.end('list', SUCCESS, { outputs: { items: [] } });
    expect(await world.tasks(none)).toEqual({ list: 'success', each: 'skipped' });
    const many = await world.run('p');
    await world.end('list', SUCCESS, { outputs: { items: [1, 2, 3] } });
    expect(await world.tasks(many)).toEqual({ list: 'success', each: 'failed' });
    expect(await endings(many)).toEqual({ state: 'failed', reason: 'task "each" failed' });
  });

  test('max_active_tasks bounds the task runs of one run', async () => {
    await aRun(`
max_active_tasks: 2
tasks:
  a: { run: "true" }
  b: { run: "true" }
  c: { run: "true" }`);
    expect(world.executor.names()).toEqual(['a', 'b']);
    await world.end('a');
    expect(world.executor.names()).toEqual(['b', 'c']);
  });
});

describe('retries', () => {
  test('each delay is as long as backoff says, to the millisecond', async () => {
    const id = await aRun(`
tasks:
  a: { run: "true", retries: { max: 2, delay: 10s, backoff: 3, jitter: 0 } }`);
    await world.end('a', FAILURE);
    expect(await world.tasks(id)).toEqual({ a: 'retrying' });
    await world.wait(9_999);
    expect(world.executor.names()).toEqual([]);
    await world.wait(1);
    expect(world.executor.names()).toEqual(['a']);
    expect(world.executor.find('a').number).toBe(2);
    await world.end('a', FAILURE);
    await world.wait(29_999);
    expect(world.executor.names()).toEqual([]);
    await world.wait(1);
    await world.end('a', FAILURE);
    expect(await endings(id)).toEqual({ state: 'failed', reason: 'task "a" failed' });
    expect(world.executor.accepted.map(({ number, fence }) => `${number}/${fence}`)).toEqual(['1/1', '2/2', '3/3']);
  });

  test('only the ends named in `on` are tried again', async () => {
    const id = await aRun(`
tasks:
  a: { run: "true", retries: { max: 5, delay: 1s, backoff: 1, jitter: 0, on: [timeout, 7] } }`);
    await world.end('a', { kind: 'timed_out', message: 'timed out after 60 s' });
    await world.wait(1000);
    await world.end('a', { kind: 'failed', exitCode: 7, message: 'exit code 7' });
    await world.wait(1000);
    await world.end('a', FAILURE);
    expect(await world.tasks(id)).toEqual({ a: 'failed' });
    expect(world.executor.accepted).toHaveLength(3);
  });

  test('exit 75 and a lost process use up no retry', async () => {
    const id = await aRun(`tasks: { a: { run: "true" } }`);
    await world.end('a', { kind: 'deferred', afterMs: 5000, message: 'not yet' });
    await world.wait(5000);
    await world.end('a', { kind: 'lost', message: 'its process died' });
    await world.wait(0);
    await world.end('a');
    expect((await endings(id)).state).toBe('success');
  });

  test('a process lost for the sixth time fails the task', async () => {
    const id = await aRun(`tasks: { a: { run: "true" } }`);
    for (let times = 0; times < 6; times++) {
      await world.end('a', { kind: 'lost', message: 'its process died' });
      await world.wait(0);
    }
    expect(await world.tasks(id)).toEqual({ a: 'failed' });
  });
});

describe('stopping', () => {
  const tasks = `
tasks:
  a: { run: "true" }
  b: { needs: a, run: "true" }
  c: { run: "true", pool: one }
  d: { run: "true", pool: one }
finally:
  tidy: { run: "echo \${{ run.state }}" }`;

  test('cancel ends what runs, what waits and what would come; finally still runs and sees the state', async () => {
    const id = await aRun(tasks, { environment: 'pools: { one: 1 }' });
    expect(world.executor.names()).toEqual(['a', 'c']);
    world.executor.begin('a');
    await world.commands.cancel(id, 'ann');
    await world.tick();
    expect(world.executor.cancelled.sort()).toEqual(['a: the run was cancelled', 'c: the run was cancelled']);
    expect(world.executor.names()).toEqual(['tidy']);
    expect(world.executor.find('tidy').env.__E1).toBe('cancelled');
    await world.end('tidy');
    expect(await world.tasks(id)).toEqual({
      a: 'cancelled',
      b: 'cancelled',
      c: 'cancelled',
      d: 'cancelled',
      tidy: 'success',
    });
    expect(await endings(id)).toEqual({ state: 'cancelled', reason: 'cancelled' });
    const [pool] = await world.db.query<{ used: number }[]>(`select used from pool where name = 'one'`);
    expect(pool?.used).toBe(0);
  });

  test('a second cancel ends the finally tasks, too', async () => {
    const id = await aRun(tasks, { environment: 'pools: { one: 1 }' });
    await world.commands.cancel(id, 'ann');
    await world.tick();
    await world.commands.cancel(id, 'ann');
    await world.tick();
    expect((await world.tasks(id)).tidy).toBe('cancelled');
    expect((await endings(id)).state).toBe('cancelled');
  });

  test('a queued run that is cancelled ends at once', async () => {
    const first = await aRun(`max_active_runs: 1\ntasks: { a: { run: "true" } }`);
    const second = await world.run('p');
    await world.commands.cancel(second, 'ann');
    expect(await endings(second)).toEqual({ state: 'cancelled', reason: 'cancelled by ann before it started' });
    await expect(world.commands.cancel(second, 'ann')).rejects.toThrow('has ended already');
    expect((await endings(first)).state).toBe('running');
  });

  test('a cancel that comes before the run is claimed is one cancel: finally runs', async () => {
    world = await World.open();
    await world.release(`name: p\n${tasks.replaceAll(', pool: one', '')}`);
    const id = await world.commands.trigger({ pipeline: 'p', environment: 'dev', params: {}, actor: 'ann' });
    await world.store.activateRuns(10);
    await world.commands.cancel(id, 'ann');
    await world.tick();
    expect(world.executor.names()).toEqual(['tidy']);
    await world.tick();
    expect(world.executor.names()).toEqual(['tidy']);
  });

  test('run_timeout counts from the start of the run, not from its creation; finally sees timed_out', async () => {
    const id = await aRun(`max_active_runs: 1\nrun_timeout: 1m\n${tasks.replaceAll(', pool: one', '')}`);
    const waiting = await world.run('p');
    // The run waits for an hour.
    await world.db.query(
      `update run set created_at = created_at - interval '1 hour', timeout_at = timeout_at - interval '1 hour' where id = $1`,
      [waiting],
    );
    await world.tick(world.clock.now().getTime() + 61_000);
    expect(world.executor.cancelled).toContain('a: the run took longer than its run_timeout');
    expect(world.executor.find('tidy').env.__E1).toBe('timed_out');
    await world.end('tidy');
    expect(await endings(id)).toEqual({ state: 'timed_out', reason: 'took longer than its run_timeout' });
    const [next] = await world.db.query<{ seconds: number }[]>(
      `select extract(epoch from timeout_at - started_at)::int as seconds from run where id = $1 and state = 'running'`,
      [waiting],
    );
    expect(next?.seconds).toBe(60);
  });
});

test('catch: the failure counts in rules, and the verdict ignores it', async () => {
  const id = await aRun(`
tasks:
  a: { run: "true", catch: true }
  b: { needs: a, run: "true" }
  mend: { needs: a, when: one_failed, run: "true" }`);
  await world.end('a', FAILURE);
  await world.end('mend');
  expect(await world.tasks(id)).toEqual({ a: 'failed', b: 'upstream_failed', mend: 'success' });
  expect((await endings(id)).state).toBe('success');
});

test('a failed finally fails the run', async () => {
  const id = await aRun(`
tasks: { a: { run: "true" } }
finally: { tidy: { run: "true" } }`);
  await world.end('a');
  await world.end('tidy', FAILURE);
  expect(await endings(id)).toEqual({ state: 'failed', reason: 'task "tidy" failed' });
});

test('checks and gates turn a success into a failure, or skip what follows', async () => {
  const id = await aRun(`
tasks:
  load: { run: "true", checks: [{ name: enough, expr: outputs.rows > 10 }] }
  train: { run: "true", metrics: [auc], gate: { expr: metrics.auc > 0.5, on_fail: skip_downstream } }
  ship: { needs: train, run: "true" }`);
  await world.end('load', SUCCESS, { outputs: { rows: 3 } });
  await world.end('train', SUCCESS, { metrics: [{ name: 'auc', value: 0.4, step: null, ts: 0 }] });
  expect(await world.tasks(id)).toEqual({ load: 'failed', train: 'success', ship: 'skipped' });
});

test('what a task says can be anything: no output, summary or metric makes the database refuse it', async () => {
  const id = await aRun(`
tasks:
  odd: { run: "true" }
  plain: { run: "true" }`);
  world.executor.end('odd', SUCCESS, {
    outputs: { nul: 'a\0b', half: 'x\ud800', '\0key': [{ deep: '\udc00' }] },
    summary: '\0',
    metrics: [
      { name: 'loss', value: Number.NaN, step: null, ts: 0 },
      { name: 'loss', value: 1, step: 1e12, ts: 0 },
    ],
  });
  await world.end('plain');
  expect(world.problems).toEqual([]);
  expect(await world.tasks(id)).toEqual({ odd: 'success', plain: 'success' });
});
