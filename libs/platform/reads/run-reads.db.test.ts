import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import * as shapes from '#contracts';
import { apiQueries } from '#store';
import { createTestDatabase } from '#testing';
import { aRun, anAttempt, aTaskRun, NOW, seededReads, type SeededReads } from './seeded-reads.ts';

let seeded: SeededReads;
beforeAll(async () => {
  seeded = await seededReads(await createTestDatabase());
});
afterEach(() => seeded.clear());
afterAll(() => seeded.close());

describe('runs', () => {
  test('are paged by id, newest first, with filters that combine', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 7; index += 1)
      ids.unshift(await aRun(seeded, { state: index % 2 ? 'failed' : 'success' }));
    const all = { environment: null, among: null, pipeline: null, states: null, limit: 3 };
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof seeded.reads.runs>> = await seeded.reads.runs({ ...all, cursor });
      page.items.forEach((run) => shapes.run.strict().parse(run));
      seen.push(...page.items.map((run) => run.id));
      cursor = page.next;
    } while (cursor !== null);
    expect(seen).toEqual(ids);
    const failed = await seeded.reads.runs({
      ...all,
      environment: 'dev',
      among: null,
      pipeline: 'churn',
      states: ['failed', 'timed_out'],
      limit: 50,
      cursor: null,
    });
    expect(failed.items.map((run) => run.state)).toEqual(['failed', 'failed', 'failed']);
    expect((await seeded.reads.runs({ ...all, environment: 'prod', among: null, cursor: null })).items).toEqual([]);
    await expect(seeded.reads.runs({ ...all, cursor: 'bm9uc2Vuc2U' })).rejects.toMatchObject({ code: 'bad_request' });
  });

  test('a run that goes on is counted from its rows, one that has ended keeps its counts', async () => {
    const live = await aRun(seeded);
    await aTaskRun(seeded, live, 'ingest', 'success');
    await aTaskRun(seeded, live, 'train', 'ready');
    await aTaskRun(seeded, live, 'train', 'ready', { map_index: 1 });
    const ended = await aRun(seeded, { state: 'success', counts: { success: 4 } });
    expect((await seeded.reads.run(live)).counts).toEqual({ success: 1, ready: 2 });
    expect((await seeded.reads.run(ended)).counts).toEqual({ success: 4 });
  });

  test('a run’s page has every task, tries before the last, and its neighbours', async () => {
    const before = await aRun(seeded);
    const runId = await aRun(seeded);
    const after = await aRun(seeded);
    await aTaskRun(seeded, runId, 'ingest', 'running', { number: 2, map_key: '' });
    await anAttempt(seeded, runId, 'ingest', 1, 'failed', { started_at: NOW, finished_at: NOW, exit_code: 3 });
    await anAttempt(seeded, runId, 'ingest', 2, 'running', { started_at: NOW });
    const detail = shapes.runDetail.strict().parse(await seeded.reads.runDetail(runId));
    expect([detail.previousRun, detail.nextRun]).toEqual([before, after]);
    expect(detail.taskRuns.map(({ taskId, state }) => `${taskId} ${state}`)).toEqual([
      'ingest running',
      'train none',
      'evaluate none',
      'tidy none',
    ]);
    expect(detail.taskRuns[0]).toMatchObject({
      tries: 2,
      startedAt: NOW.toISOString(),
      progress: { done: 1, total: 2, label: 'half' },
      earlier: [{ number: 1, state: 'failed', finishedAt: NOW.toISOString() }],
    });
  });

  test('a run whose release is gone still tells what happened', async () => {
    await seeded.insert('release', { digest: 'collected', alias: 'x', dirty: false, created_at: NOW });
    const runId = await aRun(seeded, { release: 'collected', state: 'success' });
    await aTaskRun(seeded, runId, 'ingest', 'success');
    const detail = shapes.runDetail.parse(await seeded.reads.runDetail(runId));
    expect([detail.tasks, detail.taskRuns.length]).toEqual([[], 1]);
  });
});

test('a run says which tasks it took over although its release has them otherwise', async () => {
  await seeded.insert('release', { digest: 'r0', alias: 'b', dirty: true, created_at: NOW });
  const origin = await aRun(seeded, { release: 'r0', state: 'failed' });
  for (const task of ['ingest', 'train']) await aTaskRun(seeded, origin, task, 'success');
  const rerun = await aRun(seeded, { origin_run: origin });
  for (const task of ['ingest', 'train']) await aTaskRun(seeded, rerun, task, 'success', { origin_run: origin });
  const outdated = [{ taskId: 'ingest', why: 'body.script changed' }];
  expect(shapes.rerunResult.strict().parse(await seeded.reads.rerun(rerun)).outdated).toEqual(outdated);
  expect((await seeded.reads.runDetail(rerun)).outdated).toEqual(outdated);
  expect(await seeded.reads.rerun(origin)).not.toHaveProperty('outdated');
});

test('no list walks a whole table of runs', async () => {
  const first = await aRun(seeded, { state: 'success' });
  await seeded.db.query(
    `insert into run (environment, pipeline, release, config_hash, trigger, why, params, state, max_active_runs, queue_order, finished_at)
     select 'dev', 'p' || n % 50, 'r1', 'h', 'manual', '', '{}', case when n % 7 = 0 then 'failed' else 'success' end, 1, 0, now()
     from generate_series(1, 20000) n`,
  );
  await seeded.db.query('analyze run');
  const any = { environment: 'dev', among: null, pipeline: null, states: null, before: null, limit: 50 };
  const row = await apiQueries.readRun(seeded.db, first);
  await seeded.db.transaction(async (manager) => {
    // The counters of a connection hold what it did before, too, until Postgres collects them.
    const scans = async () => {
      const [row] = await manager.query<{ whole: number; indexed: number }[]>(
        `select seq_scan::int as whole, idx_scan::int as indexed from pg_stat_xact_user_tables where relname = 'run'`,
      );
      return row!;
    };
    const before = await scans();
    await apiQueries.readRuns(manager, any);
    await apiQueries.readRuns(manager, { ...any, environment: null });
    await apiQueries.readRuns(manager, { ...any, pipeline: 'p3', before: '15000' });
    await apiQueries.readRuns(manager, { ...any, states: ['failed', 'timed_out'] });
    await apiQueries.readLastRuns(manager, 'dev', ['p1', 'p2', 'churn']);
    await apiQueries.readGridRuns(manager, 'dev', 'p5', '9000', 50);
    await apiQueries.readSchedules(manager, 'dev');
    await apiQueries.countLiveRuns(manager);
    if (row) await apiQueries.readNeighbours(manager, row);
    const after = await scans();
    expect(after.whole - before.whole).toBe(0);
    expect(after.indexed - before.indexed).toBeGreaterThan(8);
  });
});

describe('why something waits', () => {
  const rules = async (runId: string) =>
    (await seeded.reads.whyWaiting(runId)).map((reason) => shapes.waitingReason.strict().parse(reason));

  test('a queued run names the limit, its place in line and who runs', async () => {
    const [one, two] = [await aRun(seeded), await aRun(seeded)];
    await aRun(seeded, { state: 'queued', queue_order: 1 });
    const waiting = await aRun(seeded, { state: 'queued', queue_order: 2 });
    expect(await rules(waiting)).toEqual([
      {
        taskId: null,
        mapIndex: null,
        rule: 'max_active_runs',
        text: 'At most 2 runs of churn may be active in dev; 1 queued before this one.',
        position: 2,
        holders: [one, two],
        startsAt: null,
      },
    ]);
  });

  test('a task that depends on the interval before names the run and task that hold it now', async () => {
    const before = await aRun(seeded, { state: 'failed', interval_start: '2025-12-31T01:00:00Z' });
    await aTaskRun(seeded, before, 'train', 'failed');
    const runId = await aRun(seeded);
    await aTaskRun(seeded, runId, 'train', 'waiting', { reason: 'waits for itself in the interval before' });
    await seeded.insert('task_wait', {
      ...{ run_id: runId, task_id: 'train', environment: 'dev', kind: 'past', what: 'itself in the interval before' },
      ...{ target: { kind: 'past', tasks: ['train'] }, every_ms: 1, on_timeout: 'fail', since: NOW },
    });
    const held = (await rules(runId)).filter(({ taskId }) => taskId === 'train');
    expect(held).toEqual([
      {
        ...{ taskId: 'train', mapIndex: 0, rule: 'past', position: null, holders: [`${before}/train`] },
        text: `Waits for itself in the interval before: task "train" of run ${before} of the interval that begins at 2025-12-31T01:00:00Z is failed.`,
      },
    ]);
  });

  test('of fan-outs within a group the rest waits, with its number where lists are written out', async () => {
    const pipeline = 'grouped';
    const runId = await aRun(seeded, { pipeline });
    const row = (task: string, state: string, map_index: number, map_key: string) =>
      aTaskRun(seeded, runId, task, state, { pipeline, map_index, map_key });
    for (const item of [0, 1]) await row('list', 'success', item, `region=${item === 0 ? 'eu' : 'us'}`);
    await row('fit', 'running', 0, 'region=eu/n=1');
    await row('fit', 'skipped', 10_000, 'region=us');
    await row('more', 'running', 0, 'region=eu/n=7');
    const waiting = (await rules(runId)).filter(({ rule }) => rule === 'max_parallel');
    expect(waiting.map(({ taskId, text, holders }) => [taskId, text, holders])).toEqual([
      ['fit', '2 more of this fan-out wait: max_parallel is 1.', [`${runId}/fit`]],
      ['more', 'What else there is of this fan-out waits: max_parallel is 1.', [`${runId}/more`]],
    ]);
  });

  test('a queued run says when it should start by what the last ones took, or that its pipeline or backfill is paused', async () => {
    for (const minutes of [2, 4, 30]) {
      const finished = NOW.getTime() + minutes * 60_000;
      await aRun(seeded, { state: 'success', started_at: NOW, finished_at: new Date(finished) });
    }
    await aRun(seeded);
    await aRun(seeded);
    await aRun(seeded, { state: 'queued', queue_order: 1 });
    const waiting = await aRun(seeded, { state: 'queued', trigger: 'schedule', queue_order: 2 });
    expect((await rules(waiting))[0]?.startsAt).toBe(new Date(NOW.getTime() + 4 * 60_000).toISOString());
    await seeded.insert('schedule', { environment: 'dev', pipeline: 'churn', definition: '', paused: true });
    const held = { taskId: null, mapIndex: null, rule: 'paused', position: null, holders: [] };
    expect(await rules(waiting)).toEqual([{ ...held, text: 'churn is paused in dev.' }]);
    const backfill = await seeded.insert('backfill', {
      ...{ environment: 'dev', pipeline: 'churn', range_start: NOW, range_end: new Date(NOW.getTime() + 1) },
      ...{ reprocess: 'all', run_order: 'oldest_first', max_active: 1, state: 'paused', actor: 'ann' },
    });
    const filled = await aRun(seeded, { state: 'queued', trigger: 'backfill', backfill_id: backfill.id });
    expect(await rules(filled)).toEqual([{ ...held, text: `Backfill ${backfill.id} is paused.` }]);
  });

  test('a task names what it needs; a ready one the pool, its place and the holders', async () => {
    await seeded.insert('pool', { environment: 'dev', name: 'default', slots: 1, used: 1 });
    const other = await aRun(seeded);
    await aTaskRun(seeded, other, 'ingest', 'running', { number: 1 });
    await anAttempt(seeded, other, 'ingest', 1, 'running');
    await aTaskRun(seeded, other, 'train', 'ready', { priority: 5 });
    const runId = await aRun(seeded);
    await aTaskRun(seeded, runId, 'ingest', 'ready');
    const reasons = await rules(runId);
    expect(reasons.map(({ taskId, rule, position, holders }) => ({ taskId, rule, position, holders }))).toEqual([
      { taskId: 'ingest', rule: 'pool', position: 2, holders: [`${other}/ingest`] },
      { taskId: 'train', rule: 'needs', position: null, holders: [`${runId}/ingest`] },
      { taskId: 'evaluate', rule: 'needs', position: null, holders: [`${runId}/train`] },
      {
        taskId: 'tidy',
        rule: 'needs',
        position: null,
        holders: ['ingest', 'train', 'evaluate'].map((id) => `${runId}/${id}`),
      },
    ]);
    expect(reasons[0]?.text).toBe('Pool "default": 1 of 1 slots are taken; number 2 in line.');
  });

  test('what waits for a pool should begin when those before it are done, by what such tasks took before', async () => {
    const minute = 60_000;
    const ago = (minutes: number): Date => new Date(NOW.getTime() - minutes * minute);
    await seeded.insert('pool', { environment: 'dev', name: 'default', slots: 2, used: 2 });
    for (const took of [8, 10, 60]) {
      const past = await aRun(seeded, { state: 'success' });
      const times = { number: 1, started_at: ago(took), finished_at: NOW };
      await aTaskRun(seeded, past, 'ingest', 'success', times);
      await aTaskRun(seeded, past, 'ingest', 'failed', { ...times, map_index: 1, started_at: ago(500) }); // does not count
    }
    const runId = await aRun(seeded);
    for (const [mapIndex, minutes] of [4, 1].entries()) {
      await aTaskRun(seeded, runId, 'ingest', 'running', { number: 1, map_index: mapIndex });
      await anAttempt(seeded, runId, 'ingest', 1, 'running', { map_index: mapIndex, started_at: ago(minutes) });
    }
    for (const mapIndex of [2, 3, 4]) await aTaskRun(seeded, runId, 'ingest', 'ready', { map_index: mapIndex });
    await aTaskRun(seeded, runId, 'train', 'ready', { map_index: 5 }); // never ran: it may begin, and then nobody knows
    await aTaskRun(seeded, runId, 'train', 'ready', { map_index: 6 });
    await aTaskRun(seeded, runId, 'train', 'ready', { map_index: 7 });
    const reasons = (await rules(runId)).filter(({ rule }) => rule === 'pool');
    const inMinutes = reasons.map(({ startsAt }) =>
      typeof startsAt === 'string' ? (Date.parse(startsAt) - NOW.getTime()) / minute : null,
    );
    expect(reasons.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(inMinutes).toEqual([6, 9, 16, 19, 26, null]);
  });

  test('what waits for resources says which are short, where, and who has them', async () => {
    await seeded.insert('pool', { environment: 'dev', name: 'default', slots: 8, used: 1 });
    const resources = (cpu: number) => ({ cpu, memory: 2 ** 30 });
    await seeded.insert('process', {
      ...{ id: 'w', kind: 'scheduler', host: 'h', pid: 1, alive_until: NOW },
      ...{ resources: { cpu: 4, memory: 2 ** 33 } },
    });
    const runId = await aRun(seeded, { lease_owner: 'w' });
    await aTaskRun(seeded, runId, 'ingest', 'running', { number: 1, resources: resources(1.5) });
    await anAttempt(seeded, runId, 'ingest', 1, 'running');
    await aTaskRun(seeded, runId, 'train', 'ready', { resources: resources(3) });
    await aTaskRun(seeded, runId, 'train', 'ready', { map_index: 1 });
    const [first, second] = await rules(runId);
    expect(first).toEqual({
      ...{ taskId: 'train', mapIndex: 0, rule: 'resources', position: 1, holders: [`${runId}/ingest`], startsAt: null },
      text: 'It asks for 3 cpu, 1 GiB of memory; where it would be executed 2.5 cpu of 4 cpu are free; number 1 in line.',
    });
    expect(second?.rule).toBe('pool');
  });

  test('replicas wait for all that their least number takes', async () => {
    await seeded.insert('pool', { environment: 'dev', name: 'default', slots: 4, used: 2 });
    await seeded.insert('process', {
      ...{ id: 'w2', kind: 'scheduler', host: 'h', pid: 1, alive_until: NOW, resources: { cpu: 4 } },
    });
    const runId = await aRun(seeded, { lease_owner: 'w2' });
    const replicas = { min: 2, max: 4 };
    await aTaskRun(seeded, runId, 'ingest', 'running', { number: 1, replicas, resources: { cpu: 1 } });
    await anAttempt(seeded, runId, 'ingest', 1, 'running', { replicas: 2, worker: 'w2' });
    await aTaskRun(seeded, runId, 'train', 'ready', { slots: 2, replicas });
    await aTaskRun(seeded, runId, 'train', 'ready', { map_index: 1, replicas, resources: { cpu: 1.5 } });
    const [first, second] = await rules(runId);
    expect([first, second].map((one) => [one?.rule, one?.text, one?.holders])).toEqual([
      [
        'pool',
        'Pool "default": 2 of 4 slots are taken; its 2 replicas need 4 at once; number 1 in line.',
        [`${runId}/ingest`],
      ],
      [
        'resources',
        'Its 2 replicas ask for 3 cpu; where it would be executed 2 cpu of 4 cpu are free; number 2 in line.',
        [`${runId}/ingest`],
      ],
    ]);
  });

  test('data, retries and the executor are named too; nothing waits in a run that has ended', async () => {
    const runId = await aRun(seeded);
    await aTaskRun(seeded, runId, 'ingest', 'waiting', { reason: 'no partition 2026-01-01 of other.raw' });
    await aTaskRun(seeded, runId, 'train', 'retrying', { retry_at: NOW, reason: 'exit code 1' });
    await aTaskRun(seeded, runId, 'evaluate', 'queued', { number: 1 });
    const reasons = await rules(runId);
    expect(reasons.slice(0, 3).map(({ rule, text }) => `${rule}: ${text}`)).toEqual([
      'executor: Handed to the executor; it starts when a process is free.',
      'data: no partition 2026-01-01 of other.raw',
      `retry: The next try is due ${NOW.toISOString()}. Last: exit code 1`,
    ]);
    expect(await rules(await aRun(seeded, { state: 'success' }))).toEqual([]);
  });

  test('an attempt that was handed over says what holds its machine up', async () => {
    const runId = await aRun(seeded);
    await aTaskRun(seeded, runId, 'evaluate', 'queued', { number: 1 });
    await seeded.db.query(
      `insert into assignment (attempt_id, run_id, environment, pool, content, note) values (1, $1, 'dev', 'default', $2, $3)`,
      [runId, { taskId: 'evaluate', mapIndex: 0 }, 'Its pod cannot be scheduled: 0/3 nodes are available.'],
    );
    expect((await rules(runId))[0]?.text).toBe('Its pod cannot be scheduled: 0/3 nodes are available.');
  });
});
