import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ObjectStore } from '#core';
import { FolderObjects } from '#release';
import { createFileStorage } from '#storage';
import { connectDatabase, createStore, historyQueries, markErased, versionsToErase } from '#store';
import { createTestDatabase } from '#testing';
import { examplesOf } from '../../testing/examples.ts';
import { aRun, anAttempt, aTaskRun, seededReads, type SeededReads } from '../reads/seeded-reads.ts';
import { createHistoryReads } from '../reads/history-reads.ts';
import { archiveRuns, batchesOf } from './archive-runs.ts';
import { pruneAll, pruneHistory } from './prune-history.ts';

const DAY = 86_400_000;
let seeded: SeededReads;
let url: string;
let root: string;
beforeAll(async () => {
  const database = await createTestDatabase();
  url = database.url;
  seeded = await seededReads(database);
});
beforeEach(async () => {
  await seeded.clear();
  await seeded.db.query(
    'truncate promotion, received_event, run_cause, fire, inbox, worker, process, preview restart identity cascade',
  );
  root = await mkdtemp(path.join(tmpdir(), 'sluice-history-'));
});
afterAll(async () => {
  await seeded.close();
  await rm(root, { recursive: true, force: true });
});

const clock = {
  now: () => new Date(),
  schedule: (_ms: number, callback: () => void) => (setImmediate(callback), () => undefined),
};
const storageFor = () => createFileStorage({ root });
const objectsFor = (): ObjectStore => new FolderObjects(root);
const parts = () => ({ db: seeded.db, clock, storageFor, objectsFor });
const archive = (days = 30) => archiveRuns(parts(), 'dev', new Date(Date.now() - days * DAY), 'ann', () => false);
const retaining = (retentionDays: number | null) => {
  const dev = { config: { name: 'dev', retentionDays, promotion: { gates: [] } }, hash: 'h' };
  const environments = { get: (name: string) => (name === 'dev' ? dev : null), all: () => [dev] };
  return { ...parts(), environments } as unknown as Parameters<typeof pruneHistory>[0];
};

const ended = (daysAgo: number, more: object = {}) => {
  const at = new Date(Date.now() - daysAgo * DAY);
  return { state: 'success', finished_at: at, created_at: at, ...more };
};
/** A run whose task run, attempt and log are there, ended so many days ago. */
async function aWholeRun(daysAgo: number, more: object = {}): Promise<string> {
  const run = await aRun(seeded, ended(daysAgo, { counts: { success: 1 }, ...more }));
  await aTaskRun(seeded, run, 'ingest', 'success', { number: 1, outputs: { rows: 7 } });
  await anAttempt(seeded, run, 'ingest', 1, 'success', { message: 'all well' });
  const log = path.join(root, '.sluice/logs', run, 'ingest/0/1');
  await mkdir(log, { recursive: true });
  await writeFile(path.join(log, '1.ndjson'), '{}\n');
  return run;
}
const left = async () =>
  (await seeded.db.query<{ id: string }[]>('select id::text from run order by run.id')).map(({ id }) => id);
/** So many statements wait for the locks of others. */
async function waiting(many: number): Promise<void> {
  for (let count = 0; count < many;) {
    const [row] = await seeded.db.query<{ count: number }[]>(
      `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    count = row?.count ?? 0;
  }
}
const logs = async () => (await readdir(path.join(root, '.sluice/logs'))).sort();
const metricOf = (run: string, value: number, more: object = {}) =>
  seeded.insert('metric', {
    ...{ environment: 'dev', pipeline: 'churn', task_id: 'ingest', map_index: 0, map_key: '', name: 'rows', value },
    ...{ step: null, at: new Date(), run_id: run, number: 1, release: 'r1', counted: true },
    ...more,
  });

describe('runs past their retention', () => {
  test('take along what came at their time and started nothing: data that something else never joined, and events', async () => {
    const at = (daysAgo: number) => new Date(Date.now() - daysAgo * DAY);
    const anEvent = (key: string, daysAgo: number, more: object = {}) =>
      seeded.insert('received_event', {
        ...{ environment: 'dev', name: 'landed', key, body_hash: 'h', actor: 'ann', at: at(daysAgo) },
        ...more,
      });
    const half = { pipeline: 'churn', source: 'sales', path: 'orders', state: 'success', depth: 0 };
    for (const [environment, daysAgo] of [
      ['dev', 90],
      ['dev', 1],
      ['prod', 90],
    ] as const)
      await seeded.insert('unseen', { ...half, environment, run_id: '1', at: at(daysAgo) });
    await anEvent('old', 90);
    await anEvent('young', 1);
    await anEvent('of another', 90, { environment: 'prod' });
    await anEvent('of a run that stays', 90);
    const [{ id }] = (await seeded.db.query("select id from received_event where key = 'of a run that stays'")) as [
      { id: string },
    ];
    await aRun(seeded, ended(1, { event_id: id }));
    await archive();
    const keys = await seeded.db.query<{ key: string }[]>('select key from received_event order by key');
    expect(keys.map(({ key }) => key)).toEqual(['of a run that stays', 'of another', 'young']);
    expect(await seeded.db.query('select environment from unseen order by environment')).toEqual([
      { environment: 'dev' },
      { environment: 'prod' },
    ]);
  });

  test('go with everything that hangs on them, and the archive says what they were', async () => {
    const old = await aWholeRun(90);
    const newer = await aWholeRun(60);
    const young = await aWholeRun(1);
    await seeded.insert('fire', { environment: 'dev', pipeline: 'churn', trigger_key: 'k', at: new Date() });
    await seeded.insert('check_result', {
      ...{
        environment: 'dev',
        pipeline: 'churn',
        run_id: old,
        task_id: 'ingest',
        map_index: 0,
        map_key: '',
        number: 1,
      },
      ...{ name: 'rows', state: 'passed', detail: '7 rows', sample: [], release: 'r1', counted: true, at: new Date() },
    });
    expect(await archive()).toEqual({ runs: 2, taskRuns: 2 });
    expect(await left()).toEqual([young]);
    for (const table of ['task_run', 'attempt', 'check_result'])
      expect([table, await seeded.db.query(`select 1 from ${table} where run_id in (${old}, ${newer})`)]).toEqual([
        table,
        [],
      ]);
    expect(await seeded.db.query('select 1 from fire')).toHaveLength(1);
    expect(await logs()).toEqual([young]);

    const reads = createHistoryReads({ db: seeded.db, objectsFor });
    expect(await reads.archivedRun(old)).toMatchObject({
      ...{ id: old, pipeline: 'churn', state: 'success', why: 'It was due.', params: { sample: 1 } },
      archive: expect.stringMatching(/\/\.sluice\/history\/\d{4}-\d\d-\d\d\/[0-9a-f]{16}\.ndjson\.gz$/),
      taskRuns: [{ taskId: 'ingest', state: 'success', outputs: { rows: 7 } }],
      attempts: [{ taskId: 'ingest', number: 1, message: 'all well' }],
      checks: [{ name: 'rows', state: 'passed', detail: '7 rows' }],
    });
    const page = { environment: 'dev', among: null, pipeline: null, limit: 1, cursor: null };
    const first = await reads.archivedRuns(page);
    expect(first.items.map(({ id }) => id)).toEqual([newer]);
    const second = await reads.archivedRuns({ ...page, cursor: first.next });
    expect([second.items.map(({ id }) => id), second.next]).toEqual([[old], null]);
    expect((await reads.archivedRuns({ ...page, among: ['prod'] })).items).toEqual([]);
    await expect(seeded.reads.run(old)).rejects.toMatchObject({
      code: 'not_found',
      hint: expect.stringMatching(`history show ${old}`),
    });
    expect(await seeded.reads.environmentOfRun(old)).toBe('dev');
    const [entry] = await seeded.db.query<object[]>(`select actor, detail from audit where action = 'history.prune'`);
    expect(entry).toMatchObject({ actor: 'ann', detail: { runs: 2, taskRuns: 2 } });
  });

  test('a manifest beside each archive says which runs it holds', async () => {
    const old = await aWholeRun(90);
    await aWholeRun(1);
    await archive();
    const [day = ''] = await readdir(path.join(root, '.sluice/history'));
    const names = await readdir(path.join(root, '.sluice/history', day));
    const manifest = names.find((name) => name.endsWith('.json')) ?? '';
    expect(JSON.parse(await readFile(path.join(root, '.sluice/history', day, manifest), 'utf8'))).toMatchObject({
      ...{ format: 1, environment: 'dev', day, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      runs: [{ id: old, pipeline: 'churn', state: 'success', taskRuns: 1 }],
    });
  });

  // Without jq it cannot run; `npm test` says how to get it (scripts/find-tools.mjs), and in CI that is a failure.
  const jq = process.env.SLUICE_TEST_JQ;
  (jq === undefined ? test.skip : test)('can be read without Sluice, as docs/history.md shows', async () => {
    await aWholeRun(90, { state: 'failed', reason: 'the disk was full' });
    await aWholeRun(90);
    await aWholeRun(1);
    await archive();
    const [day = ''] = await readdir(path.join(root, '.sluice/history'));
    const [example = ''] = examplesOf('docs/history.md', 'sh', 1).map((text) => text.replace('2026-01-02', day));
    const env = { ...process.env, PATH: `${path.dirname(jq ?? '')}:${process.env.PATH ?? ''}` };
    const shown = await promisify(execFile)('bash', ['-eo', 'pipefail', '-c', example], { cwd: root, env });
    expect(shown.stdout).toBe('"the disk was full"\n');
  });

  test('charts of metrics go on to show them', async () => {
    const old = await aWholeRun(90);
    await metricOf(old, 1, { step: 1 });
    await metricOf(old, 2, { step: 2 });
    await metricOf(old, 9, { counted: false, number: 2 });
    await metricOf(await aWholeRun(1), 3);
    const chart = async () =>
      (await seeded.reads.metricSeries('dev', 'churn', { task: null, name: null, runs: 10 })).map(({ points }) =>
        points.map(({ value }) => value),
      );
    expect(await chart()).toEqual([[2, 3]]);
    await archive();
    expect(await left()).toHaveLength(1);
    expect(await chart()).toEqual([[2, 3]]);
  });

  test('a rerun goes before the run that it was made from, in one pass', async () => {
    const origin = await aWholeRun(90);
    await aWholeRun(90, { origin_run: origin, trigger: 'rerun' });
    const young = await aWholeRun(1);
    expect(await archive()).toEqual({ runs: 2, taskRuns: 2 });
    expect(await left()).toEqual([young]);
  });

  test('a backfill and a task that waits for a run know of their intervals', async () => {
    const interval = { interval_start: '2025-01-01T00:00:00Z', interval_end: '2025-01-02T00:00:00Z' };
    const old = await aWholeRun(90, interval);
    await aWholeRun(1);
    await archive();
    const store = createStore(seeded.db);
    expect(await store.runsOfIntervals('dev', 'churn', '2024-12-31', '2025-01-03')).toMatchObject([
      { id: old, state: 'success', intervalStart: '2025-01-01T00:00:00.000Z' },
    ]);
    const wanted = { environment: 'dev', pipeline: 'churn', covers: '2025-01-01T12:00:00Z' };
    expect(await store.runsFor([wanted])).toEqual([{ id: old, state: 'success' }]);
  });

  test('what somebody marked goes on to count as that', async () => {
    const interval = { interval_start: '2025-01-01T00:00:00Z', interval_end: '2025-01-02T00:00:00Z' };
    const old = await aWholeRun(90, { ...interval, state: 'failed' });
    await aWholeRun(1);
    await seeded.insert('run_mark', {
      id: 1,
      run_id: old,
      state: 'success',
      reason: 'by hand',
      actor: 'ann',
      at: new Date(),
    });
    await archive();
    const wanted = { environment: 'dev', pipeline: 'churn', covers: '2025-01-01T12:00:00Z' };
    expect(await createStore(seeded.db).runsFor([wanted])).toEqual([{ id: old, state: 'success' }]);
    expect(await seeded.db.query('select 1 from run_mark')).toEqual([]);
  });

  test('versions that archived runs wrote are garbage by their number and age, as before', async () => {
    const runs = [await aWholeRun(90), await aWholeRun(80), await aWholeRun(70)];
    await aWholeRun(1);
    for (const [index, run] of runs.entries()) {
      const about = {
        ...{
          environment: 'dev',
          location: 'churn/raw',
          pipeline: 'churn',
          path: 'raw',
          map_key: '',
          version: `v${index}`,
        },
        ...{ run_id: run, attempt_id: 100 + index, manifest_hash: 'h', published_at: new Date(Date.now() - 70 * DAY) },
      };
      const version = { ...about, task_id: 'ingest', map_index: 0, fence: 1, release: 'r1', files: 1, bytes: 1 };
      await seeded.insert('path_version', version);
      if (index === 2) await seeded.insert('path_pointer', { ...about, projected: true });
    }
    await archive();
    const report = await seeded.commands.collectGarbage({ dryRun: true, keep: 2, olderThanMs: DAY }, 'ann');
    expect(report.versions.map(({ removed }) => removed)).toEqual([['v0']]);
  });

  test('take along what tells of versions whose data was erased; of others, it goes when their data does', async () => {
    const [old, young] = [await aWholeRun(90), await aWholeRun(1)];
    const aVersion = (version: string, run: string, attempt: number, more: object) =>
      seeded.insert('path_version', {
        ...{ environment: 'dev', location: 'churn/raw', pipeline: 'churn', path: 'raw', map_key: '', version },
        ...{ run_id: run, task_id: 'ingest', map_index: 0, attempt_id: attempt, fence: 1, release: 'r1' },
        ...{ manifest_hash: 'h', files: 1, bytes: 1, published_at: new Date(Date.now() - 90 * DAY), ...more },
      });
    const gone = { removed_at: new Date(), erased_at: new Date() };
    await aVersion('erased', old, 1, gone);
    await aVersion('marked', old, 2, { removed_at: new Date() });
    await aVersion('data', old, 3, {});
    await aVersion('erased of another', young, 4, gone);
    await aVersion('marked', young, 5, { removed_at: new Date() });
    const versions = async () =>
      (
        await seeded.db.query<{ version: string; run: string }[]>(
          'select version, run_id::text as run from path_version order by attempt_id',
        )
      ).map(({ version, run }) => `${version} by ${run}`);
    await archive();
    expect(await versions()).toEqual([
      `marked by ${old}`,
      `data by ${old}`,
      `erased of another by ${young}`,
      `marked by ${young}`,
    ]);
    await markErased(seeded.db, [{ environment: 'dev', version: 'marked' }]);
    expect(await versions()).toEqual([`data by ${old}`, `erased of another by ${young}`, `marked by ${young}`]);
    expect(await versionsToErase(seeded.db, 10)).toEqual([]);
  });

  test('a version that is erased while its run is archived is forgotten by whoever comes second', async () => {
    const [old] = [await aWholeRun(90), await aWholeRun(1)];
    await seeded.insert('path_version', {
      ...{ environment: 'dev', location: 'churn/raw', pipeline: 'churn', path: 'raw', map_key: '', version: 'v' },
      ...{ run_id: old, task_id: 'ingest', map_index: 0, attempt_id: 1, fence: 1, release: 'r1', manifest_hash: 'h' },
      ...{ files: 1, bytes: 1, published_at: new Date(), removed_at: new Date() },
    });
    const other = await connectDatabase(url, { connections: 3 });
    const blocker = other.createQueryRunner();
    try {
      // Holds what comes last in the removal: the run is locked, and what it wrote was looked at.
      await blocker.startTransaction();
      await blocker.query(`lock table archive in share mode`);
      const archiving = archive();
      await waiting(1);
      const erasing = markErased(other, [{ environment: 'dev', version: 'v' }]);
      await waiting(2);
      await blocker.commitTransaction();
      await Promise.all([archiving, erasing]);
    } finally {
      await blocker.release();
      await other.destroy();
    }
    expect(await left()).not.toContain(old);
    expect(await seeded.db.query('select version from path_version')).toEqual([]);
  });

  test('take along what processes executed with that are gone, unless an attempt is left of them', async () => {
    const old = await aWholeRun(90);
    const young = await aWholeRun(1);
    const alive = new Date(Date.now() + DAY);
    await seeded.db.query(`update attempt set worker = case when run_id = $1 then 'dead' else 'used' end`, [old]);
    for (const id of ['dead', 'used', 'lives', 'idle'])
      await seeded.insert('worker', { id, tools: { bash: '5.2' }, started_at: new Date(Date.now() - 90 * DAY) });
    await seeded.insert('worker', { id: 'starts', tools: { bash: '5.2' } });
    await seeded.insert('process', { id: 'lives', kind: 'scheduler', host: 'h', pid: 1, alive_until: alive });
    const workers = async () =>
      (await seeded.db.query<{ id: string }[]>('select id from worker order by id')).map(({ id }) => id);
    await archive(365);
    expect(await workers()).toEqual(['dead', 'idle', 'lives', 'starts', 'used']);
    await archive();
    expect(await left()).toEqual([young]);
    expect(await workers()).toEqual(['lives', 'starts', 'used']);
  });
});

describe('stay', () => {
  test('the newest run of a pipeline and its newest success, however old', async () => {
    await aWholeRun(99);
    const success = await aWholeRun(90);
    await aWholeRun(89, { state: 'failed' });
    const failed = await aWholeRun(88, { state: 'failed' });
    await archive();
    expect(await left()).toEqual([success, failed]);
  });

  test.each<[string, (run: string) => Promise<unknown>]>([
    ['the origin of a run that goes on', (run) => aRun(seeded, { origin_run: run, state: 'running' })],
    [
      'what is being verified',
      (run) =>
        seeded.db.query(
          `with shadow as (insert into run (environment, pipeline, release, config_hash, trigger, why, params, state, max_active_runs, queue_order, shadow)
             values ('dev', 'churn', 'r1', 'h', 'verification', 'w', '{}', 'running', 1, 0, true) returning id)
           insert into verification (run_id, environment, pipeline, shadow_run_id, actor, sampled) select ${run}, 'dev', 'churn', id, 'x', false from shadow`,
        ),
    ],
    [
      'a run of a backfill that is paused',
      (run) =>
        seeded.db.query(
          `with b as (insert into backfill (environment, pipeline, range_start, range_end, reprocess, run_order, max_active, actor, state)
             values ('dev', 'churn', now() - interval '1 day', now(), 'all', 'oldest_first', 1, 'x', 'paused') returning id)
           update run set backfill_id = (select id from b) where id = ${run}`,
        ),
    ],
    [
      'a run of a promotion that is open',
      (run) =>
        seeded.db.query(
          `with p as (insert into promotion (environment, release, kind, state, pointer_seq, config_hash, plan, plan_hash, actor)
             values ('dev', 'r1', 'promote', 'gates', 1, 'h', '{}', 'h', 'x') returning id)
           update run set promotion_id = (select id from p) where id = ${run}`,
        ),
    ],
    [
      'what somebody has to be told of yet',
      (run) =>
        seeded.db.query(
          `insert into alert_delivery (environment, pipeline, run_id, event, target, message, state) values ('dev', 'churn', ${run}, 'run.failed', 'slack:#a', '{}', 'pending')`,
        ),
    ],
    [
      'a run whose caller goes on',
      async (run) =>
        seeded.db.query(
          `insert into run_cause (run_id, cause_id, path) values (${run}, ${await aRun(seeded, { pipeline: 'by-hand' })}, '')`,
        ),
    ],
  ])('%s', async (_what, need) => {
    const needed = await aWholeRun(90);
    const other = await aWholeRun(90);
    await aWholeRun(1);
    await need(needed);
    expect((await archive()).runs).toBe(1);
    expect(await left()).toContain(needed);
    expect(await left()).not.toContain(other);
  });

  test('the newest success of a release that an environment runs', async () => {
    await seeded.db.query(
      `insert into release (digest, alias, dirty) values ('r2', 'b', false) on conflict do nothing`,
    );
    const vouching = await aWholeRun(90);
    await aWholeRun(80, { release: 'r2' });
    const young = await aWholeRun(1, { release: 'r2' });
    await archive();
    expect(await left()).toEqual([vouching, young]);
  });
});

describe('runs of previews', () => {
  const aPreview = (name: string, more: object = {}) =>
    seeded.insert('preview', {
      ...{ environment: `dev/${name}`, parent: 'dev', storage: 'file:///x', actor: 'ann' },
      ...{ expires_at: new Date(Date.now() + DAY), ...more },
    });
  const removed = { closing_at: new Date(), removed_at: new Date() };
  /** As an installation has it: what is gone has no storage. */
  const installed = () => {
    const there = <T>(name: string, of: T): T => {
      if (name !== 'dev') throw new Error(`${name} was removed, and its data and logs with it`);
      return of;
    };
    return {
      ...retaining(30),
      storageFor: (name: string) => there(name, storageFor()),
      objectsFor: (name: string) => there(name, objectsFor()),
    };
  };
  const prune = (environment?: string, dryRun = false) =>
    pruneHistory(installed(), { dryRun, ...(environment === undefined ? {} : { environment }) }, 'ann');

  test('that are gone go by the retention of the parent, with the newest, into its storage', async () => {
    await aPreview('gone', removed);
    await aPreview('again', removed);
    await aPreview('again');
    const runs = new Map<string, string>();
    for (const [name, environment, daysAgo] of [
      ['gone', 'dev/gone', 90],
      ['gone, the newest', 'dev/gone', 80],
      ['gone, young', 'dev/gone', 1],
      ['there again', 'dev/again', 90],
      ['of the parent, the newest', 'dev', 90],
    ] as const)
      runs.set(await aWholeRun(daysAgo, { environment }), name);
    await seeded.db.query(
      `insert into environment_pointer (environment, seq, release, actor) values ('dev/gone', 1, 'r1', 'ann') on conflict do nothing`,
    );
    expect((await prune('dev/gone', true)).environments).toMatchObject([
      { environment: 'dev/gone', retentionDays: 30, runs: 2, kept: [] },
    ]);
    expect((await prune()).environments).toMatchObject([
      { environment: 'dev', runs: 0 },
      { environment: 'dev/gone', runs: 2 },
    ]);
    expect((await left()).map((run) => runs.get(run))).toEqual([
      'gone, young',
      'there again',
      'of the parent, the newest',
    ]);
    const reads = createHistoryReads({ db: seeded.db, objectsFor: installed().objectsFor });
    const [first] = [...runs.keys()];
    expect(await reads.archivedRun(first ?? '')).toMatchObject({
      ...{ id: first, environment: 'dev/gone', taskRuns: [{ taskId: 'ingest' }] },
      archive: expect.stringContaining(`${root}/.sluice/history/`),
    });
    expect(await historyQueries.archivedRunsToErase(seeded.db, 'dev/gone', 10)).toEqual([]);
  });

  test('stay with what the parent keeps for ever; a preview without runs is no environment', async () => {
    await aPreview('gone', removed);
    await expect(prune('dev/gone')).rejects.toMatchObject({ code: 'not_found' });
    const old = await aWholeRun(90, { environment: 'dev/gone' });
    const kept = { ...installed(), environments: retaining(null).environments };
    await pruneAll(kept, { event: () => undefined, problem: () => undefined }, () => false);
    expect(await left()).toEqual([old]);
  });
});

describe('a kill, and others at the same time', () => {
  test('after the archive was written the runs are archived again; after they went their logs follow', async () => {
    const old = await aWholeRun(90);
    await aWholeRun(1);
    const dies = {
      ...parts(),
      objectsFor: () => ({ ...objectsFor(), put: () => Promise.reject(new Error('killed')) }),
    };
    const before = new Date(Date.now() - 30 * DAY);
    await expect(archiveRuns(dies as never, 'dev', before, 'x', () => false)).rejects.toThrow('killed');
    expect(await left()).toContain(old);
    const forgets = { ...parts(), storageFor: () => ({ forgetRun: () => Promise.reject(new Error('killed')) }) };
    await expect(archiveRuns(forgets, 'dev', before, 'x', () => false)).rejects.toThrow('killed');
    expect([await left(), await logs()]).toEqual([
      [expect.not.stringMatching(`^${old}$`)],
      expect.arrayContaining([old]),
    ]);
    await archive();
    expect(await logs()).not.toContain(old);
  });

  test('a removal that is broken off has removed nothing', async () => {
    const old = await aWholeRun(90);
    await aWholeRun(1);
    const written = { environment: 'dev', day: 'not a day', key: 'k', sha256: 'h', bytes: 1 };
    await expect(historyQueries.removeRuns(seeded.db, written, [old])).rejects.toThrow(/date/);
    expect(await left()).toContain(old);
    expect(await seeded.db.query(`select 1 from task_run where run_id = ${old}`)).toHaveLength(1);
  });

  test('a run that is rerun just then stays; one that went cannot be rerun', async () => {
    const old = await aWholeRun(90);
    await aWholeRun(1);
    const other = await connectDatabase(url, { connections: 1 });
    const runner = other.createQueryRunner();
    try {
      await runner.startTransaction();
      // As `createRuns` does it: the lock first.
      await runner.query(`select id from run where id = ${old} for key share`);
      const archiving = archive();
      await runner.query(`update run set origin_run = ${old} where id <> ${old}`);
      await runner.commitTransaction();
      expect((await archiving).runs).toBe(0);
      expect(await left()).toHaveLength(2);
    } finally {
      await runner.release();
      await other.destroy();
    }
    await seeded.db.query('update run set origin_run = null');
    await archive();
    await expect(seeded.commands.rerunRun(old, { mode: 'all', inputs: 'reuse' } as never, 'ann')).rejects.toMatchObject(
      {
        code: 'not_found',
      },
    );
    const [young] = await left();
    const given = await createStore(seeded.db).getRun(young ?? '');
    const rerun = {
      ...given,
      ...{ triggerKey: null, originRun: old, takeOver: [], configHash: 'h', why: 'w', reason: null },
    };
    const more = {
      promotionId: null,
      maxActiveRuns: 1,
      queueOrder: 0,
      deadlineMs: null,
      runTimeoutMs: null,
      state: 'queued',
    };
    await expect(createStore(seeded.db).createRuns([{ ...rerun, ...more } as never])).rejects.toMatchObject({
      code: 'not_found',
      hint: expect.stringMatching('history show'),
    });
  });

  test('one process at a time; asking meanwhile is refused', async () => {
    await aWholeRun(90);
    await aWholeRun(1);
    const observer = { event: () => undefined, problem: () => undefined };
    await historyQueries.withHistoryLock(seeded.db, async () => {
      await pruneAll(retaining(30), observer, () => false);
      expect(await left()).toHaveLength(2);
      await expect(pruneHistory(retaining(30), { dryRun: false }, 'ann')).rejects.toMatchObject({ code: 'conflict' });
    });
    await pruneAll(retaining(null), observer, () => false);
    expect(await left()).toHaveLength(2);
    await pruneAll(retaining(30), observer, () => false);
    expect(await left()).toHaveLength(1);
  });
});

test('a dry run says what would go, what stays and why, and changes nothing', async () => {
  const origin = await aWholeRun(90);
  await aWholeRun(80);
  await aWholeRun(1, { origin_run: origin });
  const report = await pruneHistory(retaining(30), { dryRun: true, environment: 'dev' }, 'ann');
  expect(report).toMatchObject({
    dryRun: true,
    environments: [
      { environment: 'dev', retentionDays: 30, runs: 1, taskRuns: 1, kept: [{ reason: 'origin', runs: 1 }] },
    ],
  });
  expect(await left()).toHaveLength(3);
  await expect(pruneHistory(retaining(null), { dryRun: true, environment: 'dev' }, 'ann')).rejects.toMatchObject({
    hint: expect.stringMatching('retention'),
  });
});

test('an archive is bounded in runs and task runs, and is of one day', () => {
  const run = (id: number, day: string, taskRuns: number) => ({
    id: String(id),
    day,
    taskRuns,
    endedAt: '',
    pin: null,
  });
  const runs = [
    run(1, 'a', 4000),
    run(2, 'a', 900),
    run(3, 'a', 200),
    run(4, 'b', 1),
    run(5, 'b', 9000),
    run(6, 'b', 1),
  ];
  expect(batchesOf(runs).map((batch) => batch.map(({ id }) => id))).toEqual([['1', '2'], ['3'], ['4'], ['5'], ['6']]);
});
