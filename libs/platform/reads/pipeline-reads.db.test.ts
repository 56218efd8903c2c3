import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { TASK_STATES } from '#core';
import * as shapes from '#contracts';
import { createTestDatabase } from '#testing';
import { aRun, aTaskRun, NOW, seededReads, type SeededReads } from './seeded-reads.ts';

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
    expect(items.map((item) => item.name)).toEqual(['churn', 'broken', 'by-hand', 'grouped']);
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
    const preview = shapes.schedulePreview.strict().parse(await seeded.reads.schedulePreview('dev', detail.name));
    expect(preview.next.slice(0, 5).map(({ at }) => at)).toEqual(detail.nextFires.map(({ at }) => at));
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

  test('has the last mark of each run and of each task', async () => {
    const runId = await aRun(seeded, { state: 'failed' });
    const mark = { run_id: runId, reason: 'by hand', actor: 'ann' };
    await seeded.insert('run_mark', { ...mark, id: 1, at: NOW, task_id: 'train', map_index: 1, state: 'failed' });
    await seeded.insert('run_mark', { ...mark, id: 2, at: NOW, task_id: 'train', state: 'success' });
    await seeded.insert('run_mark', { ...mark, id: 3, at: NOW, state: 'success' });
    const grid = shapes.grid.strict().parse(await seeded.reads.grid('dev', 'churn', { runs: 10, before: null }));
    expect(grid.marks.map(({ taskId, mapIndex, as, by }) => [taskId, mapIndex, as, by])).toEqual([
      ['train', null, 'success', 'ann'],
      [null, null, 'success', 'ann'],
    ]);
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
