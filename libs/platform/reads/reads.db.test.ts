import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { TASK_STATES } from '#core';
import * as shapes from '#contracts';
import { apiQueries } from '#store';
import { createTestDatabase } from '#testing';
import { aRun, anAttempt, aTaskRun, nextId, NOW, seededReads, type SeededReads } from './seeded-reads.ts';

let seeded: SeededReads;
beforeAll(async () => {
  seeded = await seededReads(await createTestDatabase());
});
afterEach(() => seeded.clear());
afterAll(() => seeded.close());

describe('environments and pipelines', () => {
  test('an environment tells its release and storage', async () => {
    const items = await seeded.reads.environments();
    expect(items.map((item) => shapes.environment.parse(item))).toEqual([
      expect.objectContaining({
        name: 'dev',
        release: 'r1',
        dirty: true,
        schedules: 'active',
        storage: 'file:///tmp/unused',
      }),
    ]);
  });

  test('a pipeline tells schedule, next fire, last runs oldest first; a broken file its problems', async () => {
    for (let index = 0; index < 35; index += 1) await aRun(seeded, { state: 'success' });
    await seeded.insert('schedule', {
      environment: 'dev',
      pipeline: 'churn',
      activated_at: NOW,
      last_end: NOW,
      definition: 'x',
      paused: false,
    });
    const items = (await seeded.reads.pipelines('dev')).map((item) => shapes.pipelineSummary.strict().parse(item));
    expect(items.map((item) => item.name)).toEqual(['churn', 'broken', 'by-hand']);
    const [churn, broken] = items;
    expect(churn).toMatchObject({
      owner: 'growth',
      paused: false,
      nextFireAt: '2026-01-11T01:00:00.000Z',
      activeRuns: 0,
      catchUp: null,
    });
    expect(churn?.schedule).toContain('02:00');
    expect(churn?.lastRuns.map((bar) => Number(bar.id))).toEqual(Array.from({ length: 30 }, (_, index) => index + 6));
    expect(churn?.lastRuns[0]).toMatchObject({ durationMs: 0, state: 'success' });
    expect(broken?.problems).toHaveLength(1);
    expect(broken).toMatchObject({ nextFireAt: null, lastRuns: [] });
  });

  test('a pipeline that is behind tells how far it has come', async () => {
    await seeded.insert('schedule', {
      environment: 'dev',
      pipeline: 'churn',
      activated_at: NOW,
      last_end: '2026-01-04T01:00:00Z',
      definition: 'x',
      paused: false,
    });
    for (let index = 0; index < 3; index += 1) await aRun(seeded, { state: 'success' });
    expect((await seeded.reads.pipelineSummary('dev', 'churn')).catchUp).toEqual({ done: 3, total: 9 });
  });

  test('a pipeline’s page has its tasks, where to draw them, and five fires', async () => {
    const detail = shapes.pipelineDetail.parse(await seeded.reads.pipeline('dev', 'churn'));
    expect(detail.tasks.map(({ id, upstream, mapped, final }) => ({ id, upstream, mapped, final }))).toEqual([
      { id: 'ingest', upstream: [], mapped: false, final: false },
      { id: 'train', upstream: ['ingest'], mapped: true, final: false },
      { id: 'evaluate', upstream: ['train'], mapped: false, final: false },
      { id: 'tidy', upstream: [], mapped: false, final: true },
    ]);
    expect(detail.layout.edges.map(({ from, to }) => `${from}>${to}`)).toEqual(['ingest>train', 'train>evaluate']);
    const xOf = new Map(detail.layout.nodes.map(({ id, x }) => [id, x]));
    expect(xOf.get('tidy')).toBeGreaterThan(xOf.get('evaluate') ?? 0); // last, although nothing leads to it
    expect(detail.nextFires).toHaveLength(5);
    expect(detail.params).toEqual({ sample: expect.objectContaining({ type: 'number', default: 1 }) });
    expect(detail.source).toContain('name: churn');
    expect(shapes.pipelineDetail.parse(await seeded.reads.pipeline('dev', 'broken')).tasks).toEqual([]);
  });

  test('what does not exist is not found, and the hint says what does', async () => {
    await expect(seeded.reads.pipeline('dev', 'chrun')).rejects.toMatchObject({
      code: 'not_found',
      hint: expect.stringContaining('churn'),
    });
    await expect(seeded.reads.pipelines('prod')).rejects.toMatchObject({ code: 'not_found', hint: 'Known: dev.' });
    for (const read of [seeded.reads.run, seeded.reads.runDetail, seeded.reads.whyWaiting])
      await expect(read('999')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('the grid', () => {
  test('has one byte per run and task: the worst state of its task runs', async () => {
    const first = await aRun(seeded, { state: 'failed' });
    await aTaskRun(seeded, first, 'ingest', 'success');
    await aTaskRun(seeded, first, 'train', 'success', { map_index: 0 });
    await aTaskRun(seeded, first, 'train', 'failed', { map_index: 1 });
    await aTaskRun(seeded, first, 'gone', 'skipped'); // a task of an older release
    const second = await aRun(seeded);
    await aTaskRun(seeded, second, 'ingest', 'running');
    const grid = shapes.grid.strict().parse(await seeded.reads.grid('dev', 'churn', { runs: 10, before: null }));
    expect(grid.tasks.map((task) => task.id)).toEqual(['ingest', 'train', 'evaluate', 'tidy', 'gone']);
    expect(grid.runs.map((run) => run.id)).toEqual([first, second]);
    const states = [...Buffer.from(grid.cells, 'base64')].map((code) => TASK_STATES[code]);
    expect(states).toEqual(['success', 'failed', 'none', 'none', 'skipped', 'running', 'none', 'none', 'none', 'none']);
    expect(grid.before).toBeNull();
  });

  test('goes back in time page by page', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.push(await aRun(seeded));
    const page = await seeded.reads.grid('dev', 'churn', { runs: 2, before: null });
    expect([page.runs.map((run) => run.id), page.before]).toEqual([ids.slice(3), ids[3]]);
    const older = await seeded.reads.grid('dev', 'churn', { runs: 3, before: page.before });
    expect([older.runs.map((run) => run.id), older.before]).toEqual([ids.slice(0, 3), null]);
  });

  test('of a hundred runs of a thousand tasks is read at once', async () => {
    for (let index = 0; index < 100; index += 1) await aRun(seeded, { state: 'success' });
    await seeded.db.query(
      `insert into task_run (run_id, task_id, map_index, environment, pipeline, state, pool, slots, priority)
       select r.id, 't' || n, 0, 'dev', 'churn', 'success', 'default', 1, 0 from run r, generate_series(1, 1000) n`,
    );
    const started = Date.now();
    const grid = await seeded.reads.grid('dev', 'churn', { runs: 100, before: null });
    expect(Buffer.from(grid.cells, 'base64')).toHaveLength(100 * 1004);
    // 0.35 s on two quiet cores; anything that asks per run or per cell takes far longer.
    expect(Date.now() - started).toBeLessThan(3000);
  });
});

describe('runs', () => {
  test('are paged by id, newest first, with filters that combine', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 7; index += 1)
      ids.unshift(await aRun(seeded, { state: index % 2 ? 'failed' : 'success' }));
    const all = { environment: null, pipeline: null, states: null, limit: 3 };
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
      pipeline: 'churn',
      states: ['failed', 'timed_out'],
      limit: 50,
      cursor: null,
    });
    expect(failed.items.map((run) => run.state)).toEqual(['failed', 'failed', 'failed']);
    expect((await seeded.reads.runs({ ...all, environment: 'prod', cursor: null })).items).toEqual([]);
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

test('no list walks a whole table of runs', async () => {
  const first = await aRun(seeded, { state: 'success' });
  await seeded.db.query(
    `insert into run (environment, pipeline, release, config_hash, trigger, why, params, state, max_active_runs, queue_order, finished_at)
     select 'dev', 'p' || n % 50, 'r1', 'h', 'manual', '', '{}', case when n % 7 = 0 then 'failed' else 'success' end, 1, 0, now()
     from generate_series(1, 20000) n`,
  );
  await seeded.db.query('analyze run');
  const any = { environment: 'dev', pipeline: null, states: null, before: null, limit: 50 };
  const row = await apiQueries.readRun(seeded.db, first);
  await seeded.db.transaction(async (manager) => {
    await apiQueries.readRuns(manager, any);
    await apiQueries.readRuns(manager, { ...any, environment: null });
    await apiQueries.readRuns(manager, { ...any, pipeline: 'p3', before: '15000' });
    await apiQueries.readRuns(manager, { ...any, states: ['failed', 'timed_out'] });
    await apiQueries.readLastRuns(manager, 'dev', ['p1', 'p2', 'churn']);
    await apiQueries.readGridRuns(manager, 'dev', 'p5', '9000', 50);
    await apiQueries.readSchedules(manager, 'dev');
    await apiQueries.countLiveRuns(manager);
    if (row) await apiQueries.readNeighbours(manager, row);
    const [scans] = await manager.query<{ whole: number; indexed: number }[]>(
      `select seq_scan::int as whole, idx_scan::int as indexed from pg_stat_xact_user_tables where relname = 'run'`,
    );
    expect(scans).toEqual({ whole: 0, indexed: expect.any(Number) });
    expect(scans?.indexed).toBeGreaterThan(8);
  });
});

describe('a task run', () => {
  test('tells its attempts, command, inputs and what it published', async () => {
    const runId = await aRun(seeded);
    await aTaskRun(seeded, runId, 'ingest', 'success', {
      number: 2,
      outputs: { rows: 3 },
      summary: '# done',
      inputs: [
        { name: 'x', variable: 'PATH_X', versions: [{ link: null, location: 'l', version: 'v', manifestHash: 'm' }] },
      ],
    });
    await anAttempt(seeded, runId, 'ingest', 1, 'failed', { exit_code: 3, message: 'exit code 3', log_lines: 7 });
    await anAttempt(seeded, runId, 'ingest', 2, 'success', { exit_code: 0 });
    const about = {
      environment: 'dev',
      pipeline: 'churn',
      task_id: 'ingest',
      map_index: 0,
      map_key: '',
      run_id: runId,
      release: 'r1',
    };
    for (const [number, value] of [
      [1, 0.4],
      [2, 0.9],
    ])
      await seeded.insert('metric', { ...about, name: 'auc', value, at: NOW, number, counted: number === 2 });
    await seeded.insert('path_version', {
      ...about,
      ...{ version: 'v1', location: 'churn/raw/ds=2026-01-01', path: 'raw', attempt_id: 2, fence: 2 },
      ...{ manifest_hash: 'abc', files: 1, bytes: 10, published_at: NOW },
    });
    const detail = shapes.taskRunDetail.parse(await seeded.reads.taskRun({ runId, taskId: 'ingest', mapIndex: 0 }));
    expect(
      detail.attempts.map(({ number, state, exitCode, metrics }) => [number, state, exitCode, metrics[0]?.value]),
    ).toEqual([
      [1, 'failed', 3, 0.4],
      [2, 'success', 0, 0.9],
    ]);
    expect(detail.command).toContain('$PATH_RAW/x');
    expect(detail.env).toMatchObject({ DS: '2026-01-01', PARAM_SAMPLE: '1', SLUICE_TRY: '2', SLUICE_RUN_ID: runId });
    expect(detail.inputs).toEqual([{ name: 'x', versions: [{ location: 'l', version: 'v', manifestHash: 'm' }] }]);
    expect(detail.published).toEqual([
      { name: 'raw', location: 'churn/raw/ds=2026-01-01', version: 'v1', manifestHash: 'abc', files: 1, bytes: 10 },
    ]);
    expect([detail.outputs, detail.summary]).toEqual([{ rows: 3 }, '# done']);
  });

  test('one that was taken over shows the attempts and the log of the run that executed it', async () => {
    const origin = await aRun(seeded, { state: 'failed' });
    await aTaskRun(seeded, origin, 'ingest', 'success', { number: 1 });
    await anAttempt(seeded, origin, 'ingest', 1, 'success', { log_lines: 5 });
    const runId = await aRun(seeded, { trigger: 'rerun', origin_run: origin });
    await aTaskRun(seeded, runId, 'ingest', 'success', { number: 1, origin_run: origin });
    const detail = await seeded.reads.taskRun({ runId, taskId: 'ingest', mapIndex: 0 });
    expect([detail.originRun, detail.attempts.length]).toEqual([origin, 1]);
    const page = shapes.logPage
      .strict()
      .parse(await seeded.reads.log({ runId, taskId: 'ingest', mapIndex: 0, number: null }, { fromLine: 1, limit: 9 }));
    expect(JSON.parse(page.lines[0]?.text ?? '')).toEqual({ runId: origin, taskId: 'ingest', mapIndex: 0, number: 1 });
    expect(page.total).toBe(5);
  });

  test('one that was not tried yet has an empty log; a try that does not exist is not found', async () => {
    const runId = await aRun(seeded);
    const key = { runId, taskId: 'ingest', mapIndex: 0 };
    expect(await seeded.reads.log({ ...key, number: null }, { fromLine: 1, limit: 9 })).toEqual({
      lines: [],
      nextLine: 1,
      complete: false,
    });
    await aTaskRun(seeded, runId, 'ingest', 'success', { number: 1 });
    await anAttempt(seeded, runId, 'ingest', 1, 'success');
    await expect(seeded.reads.log({ ...key, number: 2 }, { fromLine: 1, limit: 9 })).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(seeded.reads.taskRun({ ...key, taskId: 'nope' })).rejects.toMatchObject({ code: 'not_found' });
    await expect(seeded.reads.taskRun({ ...key, mapIndex: 7 })).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('the tail of a log', () => {
  test('waits for the first try, and ends when the attempt has, although nobody closed the log', async () => {
    const runId = await aRun(seeded);
    const lines: string[] = [];
    const key = { runId, taskId: 'ingest', mapIndex: 0, number: null };
    const told = new Promise<void>((resolve) => {
      void seeded.reads
        .followLog(
          key,
          1,
          (more) => {
            lines.push(...more.map((line) => line.text));
            resolve();
          },
          new AbortController().signal,
        )
        .then(() => lines.push('end'));
    });
    await aTaskRun(seeded, runId, 'ingest', 'running', { number: 1 });
    await anAttempt(seeded, runId, 'ingest', 1, 'running');
    await told;
    expect(lines).toEqual(['hello']);
    await seeded.db.query(`update attempt set state = 'lost', finished_at = now()`);
    while (lines.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(lines).toEqual(['hello', 'end']);
  });

  test('ends at once when there will be no try, and when the listener goes', async () => {
    const ended = await aRun(seeded, { state: 'cancelled' });
    const never = { taskId: 'ingest', mapIndex: 0, number: null };
    await seeded.reads.followLog({ ...never, runId: ended }, 1, () => undefined, new AbortController().signal);
    const runId = await aRun(seeded);
    const gone = new AbortController();
    const following = seeded.reads.followLog({ ...never, runId }, 1, () => undefined, gone.signal);
    gone.abort();
    await following;
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
      },
    ]);
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
});

describe('metrics, paths, alerts, system', () => {
  test('a series has the last counted value of each run, oldest run first', async () => {
    const about = {
      environment: 'dev',
      pipeline: 'churn',
      task_id: 'train',
      map_index: 0,
      map_key: 'lr=0.1',
      release: 'r1',
      at: NOW,
    };
    const runs = [await aRun(seeded), await aRun(seeded), await aRun(seeded)];
    const values = [
      [0, 1, 1, 0.5],
      [0, 1, 2, 0.6],
      [1, 1, 1, 0.1],
      [1, 2, 1, 0.7],
      [2, 1, 1, 0.9],
    ] as const;
    for (const [run, number, step, value] of values)
      await seeded.insert('metric', {
        ...about,
        run_id: runs[run],
        number,
        step,
        value,
        name: 'auc',
        counted: value !== 0.9,
      });
    await seeded.insert('metric', { ...about, run_id: runs[2], number: 1, value: 3, name: 'loss', counted: true });
    const series = await seeded.reads.metricSeries('dev', 'churn', { task: null, name: null, runs: 10 });
    expect(
      series
        .map((one) => shapes.metricSeries.strict().parse(one))
        .map(({ name, points }) => [name, points.map((point) => point.value)]),
    ).toEqual([
      ['auc', [0.6, 0.7]],
      ['loss', [3]],
    ]);
    expect(await seeded.reads.metricSeries('dev', 'churn', { task: 'train', name: 'loss', runs: 1 })).toHaveLength(1);
    expect(await seeded.reads.metricSeries('dev', 'churn', { task: 'other', name: null, runs: 10 })).toEqual([]);
  });

  test('a path is resolved to the newest version, to that of an instant, or to where it would be', async () => {
    const pointer = {
      environment: 'dev',
      pipeline: 'churn',
      path: 'raw',
      map_key: '',
      run_id: 1,
      attempt_id: 1,
      manifest_hash: 'm',
      published_at: NOW,
      projected: true,
    };
    for (const day of ['01', '02'])
      await seeded.insert('path_pointer', {
        ...pointer,
        ...{ location: `churn/raw/ds=2026-01-${day}`, version: `v${day}` },
        ...{ interval_start: `2026-01-${day}T01:00:00Z`, interval_end: `2026-01-0${Number(day) + 1}T01:00:00Z` },
      });
    const raw = (at: Date | null) => seeded.reads.path('dev', 'churn', 'raw', at);
    expect(await raw(null)).toMatchObject({
      location: 'churn/raw/ds=2026-01-02',
      folder: '/storage/v02',
      version: 'v02',
      runId: '1',
    });
    expect(await raw(new Date('2026-01-01T12:00:00Z'))).toMatchObject({ version: 'v01' });
    expect(await raw(new Date('2026-01-05T12:00:00Z'))).toMatchObject({
      location: 'churn/raw/ds=2026-01-05',
      version: null,
      folder: null,
    });
    for (const key of ['lr=0.1', 'lr=0.2'])
      await seeded.insert('path_pointer', {
        ...pointer,
        path: 'models',
        map_key: key,
        location: `churn/models/${key}`,
        version: key,
      });
    expect(await seeded.reads.path('dev', 'churn', 'models', null)).toMatchObject({
      location: 'churn/models',
      version: null,
    });
    await expect(seeded.reads.path('dev', 'churn', 'nope', null)).rejects.toMatchObject({
      code: 'not_found',
      hint: 'It declares: raw, models.',
    });
  });

  test('deliveries are paged, newest first', async () => {
    const about = {
      environment: 'dev',
      pipeline: 'churn',
      run_id: 1,
      event: 'run.failed',
      target: 'slack:#x',
      message: { title: 'It broke' },
    };
    for (let index = 0; index < 3; index += 1)
      await seeded.insert('alert_delivery', {
        ...about,
        ...{
          id: await nextId(seeded, 'alert_delivery'),
          state: 'pending',
          tries: 1,
          in_doubt: false,
          created_at: NOW,
          next_try_at: NOW,
        },
      });
    const page = await seeded.reads.alerts({ environment: 'dev', limit: 2, cursor: null });
    expect(page.items.map((item) => shapes.alertDelivery.strict().parse(item))).toEqual([
      expect.objectContaining({ id: '3', title: 'It broke', nextTryAt: NOW.toISOString() }),
      expect.objectContaining({ id: '2' }),
    ]);
    expect(
      (await seeded.reads.alerts({ environment: null, limit: 2, cursor: page.next })).items.map((item) => item.id),
    ).toEqual(['1']);
    expect((await seeded.reads.alertsByIds(['3', '1'])).map((item) => item.id)).toEqual(['1', '3']);
  });

  test('the system tells pools, live runs, and how long something waits that could go on', async () => {
    await seeded.insert('pool', { environment: 'dev', name: 'default', slots: 2, used: 2 });
    const runId = await aRun(seeded);
    await aTaskRun(seeded, runId, 'ingest', 'ready', { ready_at: new Date(Date.now() - 5000) });
    const full = shapes.systemStatus.strict().parse(await seeded.reads.system());
    expect(full).toMatchObject({
      pools: [{ name: 'default', slots: 2, used: 2, ready: 1 }],
      runs: { running: 1 },
      schedulerLagMs: 0,
    });
    await seeded.db.query('update pool set used = 1');
    expect((await seeded.reads.system()).schedulerLagMs).toBeGreaterThan(4000);
  });
});
