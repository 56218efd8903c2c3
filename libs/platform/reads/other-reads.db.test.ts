import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import * as shapes from '#contracts';
import { createTestDatabase } from '#testing';
import { aRun, aTaskRun, nextId, NOW, seededReads, type SeededReads } from './seeded-reads.ts';

let seeded: SeededReads;
beforeAll(async () => {
  seeded = await seededReads(await createTestDatabase());
});
afterEach(() => seeded.clear());
afterAll(() => seeded.close());

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
    const page = await seeded.reads.alerts({ environment: 'dev', among: null, limit: 2, cursor: null });
    expect(page.items.map((item) => shapes.alertDelivery.strict().parse(item))).toEqual([
      expect.objectContaining({ id: '3', title: 'It broke', nextTryAt: NOW.toISOString() }),
      expect.objectContaining({ id: '2' }),
    ]);
    expect(
      (await seeded.reads.alerts({ environment: null, among: null, limit: 2, cursor: page.next })).items.map(
        (item) => item.id,
      ),
    ).toEqual(['1']);
    const amongst = (among: string[]) => seeded.reads.alerts({ environment: null, among, limit: 9, cursor: null });
    expect((await amongst(['dev', 'test'])).items).toHaveLength(3);
    expect((await amongst(['test'])).items).toEqual([]);
    expect((await seeded.reads.alertsByIds(['3', '1'])).map((item) => item.id)).toEqual(['1', '3']);
  });

  test('the system tells pools, live runs, and how long something waits that could go on', async () => {
    await seeded.insert('pool', { environment: 'dev', name: 'default', slots: 2, used: 2 });
    const runId = await aRun(seeded);
    await aTaskRun(seeded, runId, 'ingest', 'ready', { ready_at: new Date(Date.now() - 5000) });
    const full = shapes.systemStatus.strict().parse(await seeded.reads.system(null));
    expect(full).toMatchObject({
      pools: [{ name: 'default', slots: 2, used: 2, ready: 1 }],
      runs: { running: 1 },
      schedulerLagMs: 0,
    });
    await seeded.db.query('update pool set used = 1');
    expect((await seeded.reads.system(null)).schedulerLagMs).toBeGreaterThan(4000);
  });

  test('the system tells the transaction that is open longest, also when it only read', async () => {
    const report = seeded.db.createQueryRunner();
    await report.startTransaction('REPEATABLE READ');
    const [{ pid } = { pid: 0 }] = (await report.query('select pg_backend_pid() as pid')) as { pid: number }[];
    const { oldestTransaction } = shapes.systemStatus.strict().parse(await seeded.reads.system(null));
    expect(oldestTransaction).toMatchObject({ pid, application: 'sluice', state: 'idle in transaction' });
    await report.rollbackTransaction();
    await report.release();
    // Not by its pid: that connection is in the pool again, and one of these very reads may run on it.
    expect((await seeded.reads.system(null)).oldestTransaction?.state).not.toBe('idle in transaction');
  });
});
