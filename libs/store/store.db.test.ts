import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { Batch, ClaimedRun, EngineStore, NewRun, TaskRunInsert } from '#core';
import { apiQueries, connectDatabase, createStore } from '#store';
import { ADVISORY_LOCKS } from './locks.ts';
import { createTestDatabase, type TestDatabase } from '#testing';

let database: TestDatabase;
let db: DataSource;
let store: EngineStore;
const OWNER = 'scheduler-a';
const release = {
  digest: 'd1',
  alias: 'calm-river',
  commit: null,
  branch: null,
  author: null,
  message: null,
  dirty: true,
};

beforeAll(async () => {
  database = await createTestDatabase();
  db = await connectDatabase(database.url);
  store = createStore(db);
  await store.pointAt('dev', release, 0, 'test');
  await store.applyEnvironment('dev', 'h1', { name: 'dev' }, 'test', { default: 2, gpu: 1 });
  await store.heartbeat({ id: OWNER, kind: 'scheduler', host: 'here', pid: 1, ttlMs: 60_000 });
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

function aRun(over: Partial<NewRun> = {}): NewRun {
  return {
    environment: 'dev',
    pipeline: 'p',
    release: 'd1',
    configHash: 'h1',
    trigger: 'schedule',
    triggerKey: null,
    why: 'because',
    intervalStart: '2026-01-01T00:00:00.000Z',
    intervalEnd: '2026-01-02T00:00:00.000Z',
    params: { n: 1 },
    originRun: null,
    shadow: false,
    promotionId: null,
    state: 'queued',
    reason: null,
    maxActiveRuns: 10,
    queueOrder: 1,
    deadlineMs: null,
    runTimeoutMs: null,
    takeOver: [],
    ...over,
  };
}

async function aClaimedRun(over: Partial<NewRun> = {}, owner = OWNER): Promise<ClaimedRun> {
  const [id] = await store.createRuns([aRun({ pipeline: `p${Math.random()}`, ...over })]);
  await store.activateRuns(100);
  const claimed = (await store.claimRuns(owner, 100)).find((run) => run.id === id);
  if (!claimed) throw new Error('the run was not claimed');
  return claimed;
}

function aReady(run: ClaimedRun, over: Partial<TaskRunInsert> = {}): TaskRunInsert {
  return {
    runId: run.id,
    taskId: 'a',
    mapIndex: 0,
    mapKey: '',
    matrix: null,
    environment: 'dev',
    pipeline: run.pipeline,
    state: 'ready',
    pool: 'default',
    slots: 1,
    priority: 0,
    intervalStart: run.intervalStart,
    inputs: null,
    reason: null,
    cache: null,
    outputs: null,
    summary: null,
    ...over,
  };
}

function aBatch(run: ClaimedRun, over: Partial<Batch> = {}): Batch {
  return {
    processId: OWNER,
    worker: OWNER,
    runs: [{ id: run.id, token: run.leaseToken }],
    inserts: [],
    updates: [],
    attempts: [],
    metrics: [],
    versions: [],
    links: [],
    checks: [],
    published: [],
    runUpdates: [],
    alerts: [],
    waits: [],
    counted: [],
    endedCalls: [],
    live: [],
    pools: [],
    ...over,
  };
}

const nothing = {
  retriesUsed: 0,
  lost: 0,
  deferred: 0,
  retryAt: null,
  startedAt: null,
  reason: null,
  gateClosed: false,
  inputs: null,
  matrix: null,
  mapKey: null,
  outputs: null,
  summary: null,
  cache: null,
};

async function usedSlots(pool: string): Promise<number> {
  const [row] = await db.query<{ used: number }[]>('select used from pool where environment = $1 and name = $2', [
    'dev',
    pool,
  ]);
  return row?.used ?? -1;
}

test('a process that is paused in a transaction loses its locks before its lease of ten seconds ends', async () => {
  const [row] = await db.query<{ ms: string }[]>(
    `select setting as ms from pg_settings where name = 'idle_in_transaction_session_timeout'`,
  );
  expect(Number(row?.ms)).toBeGreaterThan(0);
  expect(Number(row?.ms)).toBeLessThan(10_000);
});

describe('creating and claiming runs', () => {
  test('a scheduled fire that exists already creates no second run', async () => {
    const fire = aRun({ pipeline: 'fires-once', triggerKey: 'schedule 2026-01-01' });
    const ids = await store.createRuns([fire, fire]);
    expect(ids).toEqual([expect.any(String), null]);
    expect(await store.createRuns([fire])).toEqual([null]);
  });

  test('two schedulers create the same fire at once: one row wins', async () => {
    const fire = aRun({ pipeline: 'raced', triggerKey: 'k' });
    const results = await Promise.all([store.createRuns([fire]), store.createRuns([fire]), store.createRuns([fire])]);
    expect(results.flat().filter((id) => id !== null)).toHaveLength(1);
  });

  test('activation respects max_active_runs and takes the oldest interval first', async () => {
    const runs = [3, 1, 2].map((queueOrder) => aRun({ pipeline: 'narrow', maxActiveRuns: 1, queueOrder }));
    await store.createRuns(runs);
    await store.activateRuns(100);
    await store.activateRuns(100);
    const live = await store.liveRuns('dev', ['narrow']);
    expect(live.map((run) => run.state)).toEqual(['running', 'queued', 'queued']);
  });

  test('while somebody starts runs nobody else does, and what waits is started afterwards', async () => {
    await store.createRuns([1, 2].map((queueOrder) => aRun({ pipeline: 'busy', maxActiveRuns: 1, queueOrder })));
    const other = db.createQueryRunner();
    await other.startTransaction();
    await other.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.activateRuns]);
    expect(await store.activateRuns(100)).toBe(0);
    await other.commitTransaction();
    await other.release();
    // As many as come at once: whoever has the lock sees what those before have started.
    const started = await Promise.all(Array.from({ length: 8 }, () => store.activateRuns(100)));
    expect(started.reduce((sum, count) => sum + count)).toBe(1);
    expect((await store.liveRuns('dev', ['busy'])).map((run) => run.state)).toEqual(['running', 'queued']);
  });

  test('a run is claimed by one of two claimers, and again with a higher token when its owner is dead', async () => {
    const [id] = await store.createRuns([aRun({ pipeline: 'claimed' })]);
    await store.activateRuns(100);
    await store.heartbeat({ id: 'b', kind: 'scheduler', host: 'x', pid: 2, ttlMs: 60_000 });
    const [one, two] = await Promise.all([store.claimRuns('b', 100), store.claimRuns(OWNER, 100)]);
    const mine = [...one, ...two].filter((run) => run.id === id);
    expect(mine).toHaveLength(1);
    await store.retireHost('x');
    await store.retire(OWNER);
    await store.heartbeat({ id: OWNER, kind: 'scheduler', host: 'here', pid: 1, ttlMs: 60_000 });
    const again = (await store.claimRuns(OWNER, 100)).find((run) => run.id === id);
    expect(Number(again?.leaseToken)).toBe(Number(mine[0]?.leaseToken) + 1);
  });
});

describe('one batch', () => {
  test('inserts what is ready, admits as far as slots go, by priority', async () => {
    const run = await aClaimedRun();
    const inserts = [aReady(run), aReady(run, { taskId: 'b', priority: 5 }), aReady(run, { taskId: 'c' })];
    const applied = await store.apply(
      aBatch(run, { inserts, pools: [{ environment: 'dev', pool: 'default', freed: 0 }] }),
    );
    if (applied.kind !== 'applied') throw new Error('lost');
    expect(applied.admitted.map((item) => item.taskId).sort()).toEqual(['a', 'b']);
    expect(applied.admitted.every((item) => item.number === 1 && item.fence === 1)).toBe(true);
    expect(await usedSlots('default')).toBe(2);

    const [first, second] = applied.admitted;
    const ended = await store.apply(
      aBatch(run, {
        updates: applied.admitted.map((item) => ({
          ...nothing,
          runId: run.id,
          taskId: item.taskId,
          mapIndex: 0,
          from: 'queued',
          state: 'success',
          outputs: { rows: 3 },
        })),
        attempts: applied.admitted.map((item) => ({
          attemptId: item.attemptId,
          state: 'success',
          startedAt: 1000,
          finishedAt: 2000,
          pid: 7,
          exitCode: 0,
          message: null,
          logLines: 4,
        })),
        pools: [{ environment: 'dev', pool: 'default', freed: 2 }],
      }),
    );
    expect(ended).toMatchObject({ kind: 'applied', admitted: [{ taskId: 'c', number: 1 }] });
    expect(await usedSlots('default')).toBe(1);
    const rows = await store.loadTaskRuns([run.id]);
    expect(rows.find((row) => row.taskId === 'a')).toMatchObject({
      state: 'success',
      outputs: { rows: 3 },
      attemptId: null,
    });
    expect(rows.find((row) => row.taskId === 'c')).toMatchObject({
      state: 'queued',
      worker: OWNER,
      attemptState: 'queued',
    });
    expect([first, second].every(Boolean)).toBe(true);
  });

  test('as wide as a fan-out may be gives slots by the same claim to what is written before and after', async () => {
    await db.query(`insert into pool (environment, name, slots) values ('dev', 'wide', 1300)`);
    const run = await aClaimedRun();
    const other = await aClaimedRun();
    const wide = { environment: 'dev', pool: 'wide', freed: 0 };
    const inserts = (of: ClaimedRun) =>
      Array.from({ length: 700 }, (_, mapIndex) => aReady(of, { mapIndex: 699 - mapIndex, pool: 'wide' }));
    const runs = [run, other].map(({ id, leaseToken }) => ({ id, token: leaseToken }));
    const first = await store.apply(
      aBatch(run, { runs, inserts: [...inserts(run), ...inserts(other)], pools: [wide] }),
    );
    const rest = await store.apply(aBatch(run, { runs, pools: [wide] }));
    if (first.kind !== 'applied' || rest.kind !== 'applied') throw new Error('lost');
    expect([first.admitted.length, first.hasMore, rest.admitted.length, rest.hasMore]).toEqual([
      1000,
      true,
      300,
      false,
    ]);
    const claims = Array.from({ length: 650 }, (_, mapIndex) => [run, other].map(({ id }) => `${mapIndex} of ${id}`));
    const admitted = [...first.admitted, ...rest.admitted].map(({ runId, mapIndex }) => `${mapIndex} of ${runId}`);
    expect(admitted).toEqual(claims.flat());
    expect(await usedSlots('wide')).toBe(1300);
    const states = await db.query<{ state: string; n: number }[]>(
      `select state, count(*)::int as n from task_run where pool = 'wide' group by state order by state`,
    );
    expect(states).toEqual([
      { state: 'queued', n: 1300 },
      { state: 'ready', n: 100 },
    ]);
  });

  test('behind a thousand of another owner nothing is admitted, and it is not looked again at once', async () => {
    await db.query(`insert into pool (environment, name, slots) values ('dev', 'shared', 1300)`);
    await db.query(
      `insert into process (id, kind, host, pid, alive_until) values ('away', 'scheduler', 'h', 1, now() + interval '1 hour')`,
    );
    const theirs = await aClaimedRun({}, 'away');
    const ours = await aClaimedRun();
    const many = (of: ClaimedRun, priority: number) =>
      Array.from({ length: 1000 }, (_, mapIndex) => aReady(of, { mapIndex, priority, pool: 'shared' }));
    await store.apply({ ...aBatch(theirs, { inserts: many(theirs, 1) }), processId: 'away' });
    const applied = await store.apply(
      aBatch(ours, { inserts: many(ours, 0), pools: [{ environment: 'dev', pool: 'shared', freed: 0 }] }),
    );
    expect(applied).toMatchObject({ kind: 'applied', admitted: [], hasMore: false });
    expect(await usedSlots('shared')).toBe(0);
  });

  test('with a token that is not ours any more nothing at all is written', async () => {
    const run = await aClaimedRun();
    const other = await aClaimedRun();
    const batch = aBatch(run, {
      inserts: [aReady(run)],
      runs: [
        { id: run.id, token: '999' },
        { id: other.id, token: other.leaseToken },
      ],
    });
    expect(await store.apply(batch)).toEqual({ kind: 'lost', runIds: [run.id] });
    expect(await store.loadTaskRuns([run.id, other.id])).toEqual([]);
  });

  test('a row in another state than expected refuses the batch as a whole', async () => {
    const run = await aClaimedRun();
    await store.apply(aBatch(run, { inserts: [aReady(run)] }));
    const wrong = {
      ...nothing,
      runId: run.id,
      taskId: 'a',
      mapIndex: 0,
      from: 'running' as const,
      state: 'success' as const,
    };
    await expect(
      store.apply(aBatch(run, { updates: [wrong], inserts: [aReady(run, { taskId: 'z' })] })),
    ).rejects.toThrow('unexpected states');
    expect((await store.loadTaskRuns([run.id])).map((row) => row.taskId)).toEqual(['a']);
  });

  test('a version is published with the state, and an older attempt does not take the pointer back', async () => {
    const run = await aClaimedRun();
    const version = (id: string, attemptId: string) => ({
      environment: 'dev',
      pipeline: 'q',
      mapKey: '',
      runId: run.id,
      taskId: 'a',
      mapIndex: 0,
      attemptId,
      fence: 1,
      release: 'd1',
      intervalStart: run.intervalStart,
      intervalEnd: run.intervalEnd,
      shadow: false,
      name: 'raw',
      location: 'q/raw',
      version: id,
      manifestHash: 'm',
      files: 1,
      bytes: 10,
    });
    await store.apply(aBatch(run, { versions: [version('v2', '20')] }));
    await store.apply(aBatch(run, { versions: [version('v1', '10')] }));
    expect(await store.newestVersions('dev', 'q', 'raw', null)).toMatchObject([{ version: 'v2' }]);
    expect(await store.newestVersions('dev', 'q', 'raw', '2026-01-01T12:00:00Z')).toEqual([]);
    expect(await store.unprojected(10)).toContainEqual({
      environment: 'dev',
      location: 'q/raw',
      version: 'v2',
      fence: '20',
    });
  });

  test('two attempts of one task run can never be live at once', async () => {
    const insert = `insert into attempt (run_id, task_id, map_index, number, fence, state, worker) values (1, 'x', 0, $1, 1, 'queued', 'w')`;
    await db.query(insert, [1]);
    await expect(db.query(insert, [2])).rejects.toThrow('attempt_one_live_per_task_run');
  });
});

test('a pause and a watermark survive a changed schedule definition', async () => {
  await store.syncSchedules('dev', [{ pipeline: 's', definition: 'a' }]);
  for (const lastEnd of ['2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z'])
    // never backward
    await store.fireRuns('dev', [], [{ pipeline: 's', lastEnd }]);
  expect(await store.setPaused('dev', 's', true)).toBe(true);
  const [row] = await store.syncSchedules('dev', [{ pipeline: 's', definition: 'b' }]);
  expect(row).toMatchObject({ pipeline: 's', paused: true, lastEnd: '2026-01-02T00:00:00.000Z' });
  expect(await store.setPaused('dev', 'nobody', true)).toBe(false);
});

test('a manual pipeline is activated when it gets a schedule, and never again', async () => {
  const manual = JSON.stringify({ kind: 'manual' });
  const activatedAt = async (definition: string): Promise<number> => {
    const [row] = await store.syncSchedules('dev', [{ pipeline: 'late', definition }]);
    return Date.parse(row!.activatedAt);
  };
  const added = await activatedAt(manual);
  await db.query(`update schedule set activated_at = now() - interval '1 year' where pipeline = 'late'`);
  const activated = await activatedAt('a');
  expect(activated).toBeGreaterThanOrEqual(added);
  expect(await activatedAt('b')).toBe(activated);
  await store.fireRuns('dev', [], [{ pipeline: 'late', lastEnd: '2026-01-02T00:00:00Z' }]);
  await activatedAt(manual);
  expect(await activatedAt('a')).toBe(activated);
});

test('fires of many pipelines are created together: each once, in order, with their watermarks', async () => {
  const pipelines = ['fire-b', 'fire-a'];
  await store.syncSchedules(
    'dev',
    pipelines.map((pipeline) => ({ pipeline, definition: 'a' })),
  );
  const fire = (pipeline: string, day: number, over: Partial<NewRun> = {}): NewRun => {
    const start = `2026-02-0${day}T00:00:00.000Z`;
    return aRun({
      pipeline,
      triggerKey: `schedule ${start}`,
      intervalStart: start,
      intervalEnd: `2026-02-0${day + 1}T00:00:00.000Z`,
      ...over,
    });
  };
  const handled = pipelines.map((pipeline) => ({ pipeline, lastEnd: '2026-02-03T00:00:00Z' }));
  const first = [
    fire('fire-b', 2),
    fire('fire-b', 1),
    fire('fire-a', 1, { state: 'skipped', reason: 'full', deadlineMs: 60_000 }),
  ];
  expect(await store.fireRuns('dev', first, handled)).toBe(3);
  expect(await store.fireRuns('dev', [...first, fire('fire-a', 2)], handled)).toBe(1);
  const rows = await db.query<object[]>(
    `select pipeline, to_char(interval_start at time zone 'UTC', 'DD') as day, state, reason, deadline_at - created_at = interval '1 minute' as late,
            finished_at is not null as finished, (select count(*)::int from event e where e.run_id = run.id) as events
     from run where pipeline like 'fire-%' order by id`,
  );
  const usual = { state: 'queued', reason: null, late: null, finished: false, events: 1 };
  expect(rows).toEqual([
    { ...usual, pipeline: 'fire-a', day: '01', state: 'skipped', reason: 'full', late: true, finished: true },
    { ...usual, pipeline: 'fire-b', day: '02' },
    { ...usual, pipeline: 'fire-b', day: '01' },
    { ...usual, pipeline: 'fire-a', day: '02' },
  ]);
  expect(await store.schedules('dev', pipelines)).toMatchObject([
    { pipeline: 'fire-a', lastEnd: '2026-02-03T00:00:00.000Z' },
    { pipeline: 'fire-b', lastEnd: '2026-02-03T00:00:00.000Z' },
  ]);
});

test('alerts of one run and target are offered one at a time, in order', async () => {
  const run = await aClaimedRun();
  const alert = (event: 'run.failed' | 'run.recovered') => ({
    environment: 'dev',
    pipeline: 'alerting',
    runId: run.id,
    event,
    target: 'slack:#a',
    message: {} as never,
    state: 'pending' as const,
    detail: null,
  });
  await store.insertAlerts([alert('run.failed'), alert('run.recovered')]);
  const [first, ...rest] = await store.takeAlerts(10);
  expect(rest).toEqual([]);
  expect(first).toMatchObject({ inDoubt: false, tries: 1, thread: null });
  expect(await store.takeAlerts(10)).toEqual([]);
  await store.recordAlert(first?.id ?? '', { state: 'sent', thread: 't1', detail: 'ok', retryInMs: null });
  expect(await store.takeAlerts(10)).toMatchObject([{ thread: 't1' }]);
});

test('events and commands come in the order of their numbers, not of the digits', async () => {
  await db.query(
    `insert into event (xid, environment, payload) select x::text::xid8, 'ordered', jsonb_build_object('x', x) from unnest(array[9, 10, 11]) x`,
  );
  const told = await apiQueries.readEvents(db, { xid: '8', id: '0' }, 3);
  expect(told.map((event) => event.payload.x)).toEqual([9, 10, 11]);
  expect((await apiQueries.readOldestEvent(db))?.xid).toBe('9');
  const run = await aClaimedRun();
  const names = Array.from({ length: 12 }, (_, index) => `command ${index}`);
  for (const kind of names) await store.send([{ runId: run.id, kind, payload: {} }]);
  const commands = await store.receive([run.id]);
  expect(commands.map((command) => command.kind)).toEqual(names);
  await store.forgetCommands(commands.slice(0, 11).map(({ id }) => id));
  expect((await store.receive([run.id])).map((command) => command.kind)).toEqual(['command 11']);
});
