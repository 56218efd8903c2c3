import { afterEach, describe, expect, test } from '@jest/globals';
import type { PublishedVersion } from '#core';
import { FAILURE, SUCCESS } from '../testing/scripted-executor.ts';
import { World } from '../testing/world.ts';

let world: World;
afterEach(() => world.close());

async function aWorld(...pipelines: string[]): Promise<void> {
  world = await World.open({ at: '2026-01-03T00:00:00Z' });
  await world.release(...pipelines);
  await world.tick();
}

/** Ends an attempt well; what it writes is published as a new version. */
async function publish(name: string): Promise<void> {
  await world.end(name, SUCCESS, { versions: versionsOf(name) });
}

function versionsOf(name: string): PublishedVersion[] {
  const { writes, attemptId } = world.executor.find(name);
  return writes.map(({ name: path, location }) => ({
    name: path,
    location,
    version: `v${path}${attemptId}`,
    manifestHash: 'm',
    files: 1,
    bytes: 1,
  }));
}

/** `why [causes]`, in the order of creation. */
async function started(pipeline: string): Promise<string[]> {
  const rows = await world.db.query<{ line: string }[]>(
    `select r.state || ' ' || r.why || coalesce(' [' || (
       select string_agg(c.pipeline || '.' || k.path, ' ' order by k.cause_id, k.path) from run_cause k join run c on c.id = k.cause_id
       where k.run_id = r.id) || ']', '') as line
     from run r where r.pipeline = $1 order by r.id`,
    [pipeline],
  );
  return rows.map(({ line }) => line);
}

async function count(table: 'unseen' | 'run' | 'fire'): Promise<number> {
  const [row] = await world.db.query<{ count: number }[]>(`select count(*)::int as count from ${table}`);
  return row?.count ?? 0;
}

const source = (name: string, more = ''): string => `
name: ${name}
paths: { raw: raw }
tasks: { ${name}_load: { run: "true", writes: [raw]${more} } }`;

const reader = (schedule: string, more = ''): string => `
name: reader
schedule: ${schedule}
${more}
tasks: { read: { run: "true" } }`;

describe('datasets', () => {
  test('all: one run when each has a new version, however many each has; then all over again', async () => {
    await aWorld(source('a'), source('b'), reader('{ datasets: [a.raw, b.raw] }'));
    const day = { from: '2026-01-01', to: '2026-01-02' };
    await world.run('a', day);
    await publish('a_load');
    await world.run('a', { from: '2026-01-02', to: '2026-01-03' });
    await publish('a_load');
    expect(await started('reader')).toEqual([]);
    await world.run('b', day);
    await publish('b_load');
    expect(await started('reader')).toEqual([
      'running New data: a.raw of 2 runs, the last 2, b.raw of run 3. [a.raw a.raw b.raw]',
    ]);
    const [run] = await world.db.query<Record<string, string>[]>(
      `select trigger, depth, interval_start as start, interval_end as end from run where pipeline = 'reader'`,
    );
    expect(run).toEqual({
      trigger: 'dataset',
      depth: 1,
      start: '2026-01-01T00:00:00.000Z',
      end: '2026-01-03T00:00:00.000Z',
    });
    await world.run('b', day);
    await publish('b_load');
    expect(await started('reader')).toHaveLength(1);
    expect(await count('unseen')).toBe(1);
  });

  test('a fan-out whose last item skips itself is new data once it has ended', async () => {
    await aWorld(source('a', ', matrix: { part: [1, 2] }'), reader('{ datasets: a.raw }'));
    await world.run('a');
    await publish('a_load[part=1]');
    expect(await started('reader')).toEqual([]);
    await world.end('a_load[part=2]', { kind: 'skipped', message: 'nothing to do' });
    await world.tick();
    expect(await started('reader')).toHaveLength(1);
    await world.run('a');
    for (const part of [1, 2]) await world.end(`a_load[part=${part}]`, { kind: 'skipped', message: 'nothing to do' });
    await world.tick();
    expect(await started('reader')).toHaveLength(1);
  });

  test('what fails publishes nothing; a fan-out publishes with its last task run', async () => {
    await aWorld(source('a', ', matrix: { part: [1, 2] }'), reader('{ datasets: a.raw }'));
    await world.run('a');
    await publish('a_load[part=1]');
    expect(await count('unseen')).toBe(0);
    await world.end('a_load[part=2]', FAILURE, { versions: versionsOf('a_load[part=2]') });
    expect(await started('reader')).toEqual([]);
    await world.run('a');
    await publish('a_load[part=2]');
    expect(await started('reader')).toEqual([]);
    await publish('a_load[part=1]');
    expect(await started('reader')).toHaveLength(1);
  });

  test('a run that waits in the queue is replaced by one that covers both; running ones are left alone', async () => {
    await aWorld(source('a'), reader('{ datasets: a.raw }', 'max_active_runs: 1'));
    for (const day of ['01', '02', '03']) {
      await world.run('a', { from: `2026-01-${day}`, to: `2026-01-${day}T12:00` });
      await publish('a_load');
    }
    expect(await world.runs('reader')).toEqual(['01-01T00:00 running', '01-02T00:00 skipped', '01-02T00:00 queued']);
    expect((await started('reader'))[2]).toMatch(/It replaces run \d+\./);
    const [last] = await world.db.query<{ end: string }[]>(
      `select interval_end as end from run where pipeline = 'reader' order by id desc limit 1`,
    );
    expect(last?.end).toBe('2026-01-03T12:00:00.000Z');
  });

  test('overlap: skip records what it skips; cancel_running makes room', async () => {
    await aWorld(
      source('a'),
      reader('{ datasets: a.raw }', 'max_active_runs: 1\noverlap: skip'),
      reader('{ datasets: a.raw }', 'max_active_runs: 1\noverlap: cancel_running').replace('reader', 'greedy'),
    );
    for (const pass of [1, 2]) {
      await world.run('a');
      await publish('a_load');
      await world.tick(Date.parse('2026-01-03T00:00:00Z') + pass * 1000);
    }
    expect(await world.runs('reader')).toEqual(['dataset running', 'dataset skipped']);
    expect(await world.runs('greedy')).toEqual(['dataset cancelled', 'dataset running']);
  });

  test('while the pipeline is paused nothing starts; afterwards one run covers what came', async () => {
    await aWorld(source('a'), reader('{ datasets: a.raw }'));
    await world.commands.setPaused('dev', 'reader', true, 'ann');
    for (const _ of [1, 2]) {
      await world.run('a');
      await publish('a_load');
    }
    await world.tick();
    expect(await started('reader')).toEqual([]);
    await world.commands.setPaused('dev', 'reader', false, 'ann');
    await world.tick();
    expect(await started('reader')).toHaveLength(1);
    expect(await count('unseen')).toBe(0);
  });

  test('a release that stops waiting forgets; one that begins to wait starts with what comes then', async () => {
    await aWorld(source('a'), reader('manual'));
    await world.run('a');
    await publish('a_load');
    await world.release(source('a'), source('b'), reader('{ datasets: [a.raw, b.raw] }'));
    await world.tick();
    await world.run('a');
    await publish('a_load');
    expect(await count('unseen')).toBe(1);
    await world.release(source('a'), reader('manual'));
    await world.tick();
    expect(await count('unseen')).toBe(0);
    expect(await started('reader')).toEqual([]);
  });
});

describe('after', () => {
  test.each([
    ['success', 'reader', 1],
    ['failed', 'cleaner', 1],
    ['any', 'watcher', 2],
  ])('on %s: %s', async (_on, pipeline, expected) => {
    await aWorld(
      source('a'),
      reader('{ after: a }'),
      reader('{ after: { pipeline: a, on: failed } }').replace('reader', 'cleaner'),
      reader('{ after: [{ pipeline: a, on: any }] }').replace('reader', 'watcher'),
    );
    await world.run('a', { from: '2026-01-01', to: '2026-01-02' });
    await publish('a_load');
    await world.run('a', { from: '2026-01-02', to: '2026-01-03' });
    await world.end('a_load', FAILURE);
    const runs = await world.runs(pipeline);
    expect(runs).toHaveLength(expected);
    expect(runs.at(-1)).toBe(`01-0${pipeline === 'reader' ? 1 : 2}T00:00 running`);
    expect((await started(pipeline))[0]).toMatch(/^running Run \d of a ended: \w+\. \[a\.\]$/);
  });

  test('paused, only the latest end is kept, as of a cron', async () => {
    await aWorld(source('a'), reader('{ after: a }'));
    await world.commands.setPaused('dev', 'reader', true, 'ann');
    for (const day of ['01', '02']) {
      await world.run('a', { from: `2026-01-${day}`, to: '2026-01-04' });
      await publish('a_load');
    }
    await world.run('a');
    await world.end('a_load', FAILURE);
    await world.commands.setPaused('dev', 'reader', false, 'ann');
    await world.tick();
    expect(await world.runs('reader')).toEqual(['01-02T00:00 running']);
  });

  test('the twenty-first run in a row is not started, with an alert', async () => {
    const environment = 'alerts: { slack: { channel: "#a", token: { env: T } } }';
    world = await World.open({ at: '2026-01-03T00:00:00Z', environment });
    await world.release(source('a'), reader('{ after: a }'));
    await world.tick();
    for (const depth of [19, 20]) {
      await world.run('a');
      await world.db.query(`update run set depth = $1 where pipeline = 'a'`, [depth]);
      await publish('a_load');
    }
    expect(await world.runs('reader')).toEqual(['after running', 'after skipped']);
    const alerts = await world.db.query<{ event: string; title: string }[]>(
      `select event, message ->> 'title' as title from alert_delivery`,
    );
    const title = 'Run 4 was not started: 21 runs in a row started each other; at most 20 may';
    expect(alerts).toEqual([{ event: 'run.looping', title }]);
  });
});

describe('races and crashes', () => {
  test('two processes decide at once, one held up by a lock: one run', async () => {
    await aWorld(source('a'), reader('{ datasets: a.raw }'));
    const other = await world.process();
    await world.run('a');
    const holder = world.db.createQueryRunner();
    await holder.startTransaction();
    await holder.query(`select 1 from schedule where pipeline = 'reader' for update`);
    world.executor.end('a_load', SUCCESS, { versions: versionsOf('a_load') });
    await world.scheduler.owner.idle();
    const both = [world.scheduler.tick(), other.scheduler.tick()];
    // Both have read that there is something to decide, and wait for the row.
    await untilWaiting(2);
    await holder.commitTransaction();
    await holder.release();
    await Promise.all(both);
    await world.settle();
    expect(await started('reader')).toHaveLength(1);
    expect(world.problems).toEqual([]);
  });

  test('killed between the commit of the data and the start of the run: the next process starts it, once', async () => {
    await aWorld(source('a'), reader('{ datasets: a.raw }'));
    const runId = await world.run('a');
    // What the commit left behind: nobody lived to look at it.
    await world.db.query(
      `insert into unseen (environment, pipeline, source, path, run_id, state, depth) values ('dev', 'reader', 'a', 'raw', $1, 'success', 0)`,
      [runId],
    );
    await world.restart();
    await world.restart();
    expect(await started('reader')).toHaveLength(1);
    expect(await count('unseen')).toBe(0);
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
