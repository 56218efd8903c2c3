import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { EngineStore } from '#core';
import { apiQueries, connectDatabase, createStore, historyQueries } from '#store';
import { createTestDatabase, type TestDatabase } from '#testing';

/*
 * What each hot statement touches in a database with a long history: 20,000 ended runs, 40,000 ended task runs and
 * attempts, 20,000 deliveries and events, against a few hundred that live. Counted by Postgres itself.
 */

let database: TestDatabase;
let db: DataSource;
let store: EngineStore;

beforeAll(async () => {
  database = await createTestDatabase();
  // One connection: its statistics are flushed before they are read.
  db = await connectDatabase(database.url, { connections: 1 });
  store = createStore(db);
  await db.query(`
    insert into release values ('r', 'r', null, null, null, null, true);
    insert into environment_pointer (environment, seq, release, actor) values ('dev', 1, 'r', 't');
    insert into pool (environment, name, slots) values ('dev', 'default', 8), ('dev', 'gpu', 1);
    insert into process values ('dead', 'scheduler', 'x', 1, now(), now() - interval '1 minute'), ('me', 'scheduler', 'y', 2, now(), now() + interval '1 hour');
    insert into schedule (environment, pipeline, definition) select 'dev', 'p' || i, 'd' from generate_series(0, 99) i;
    insert into run (environment, pipeline, release, config_hash, trigger, why, params, state, max_active_runs, queue_order, interval_start, interval_end,
                     finished_at, started_at, created_at, lease_owner, deadline_at)
    select 'dev', 'p' || i % 100, 'r', 'h', 'schedule', 'w', '{}',
           case when i <= 20000 then 'success' when i % 2 = 0 then 'queued' else 'running' end, 2, i, to_timestamp(i * 3600), to_timestamp(i * 3600 + 3600),
           case when i <= 20000 then now() end, now(), now(), case when i % 4 = 1 then 'me' else 'dead' end,
           case when i > 20000 and i % 50 = 0 then now() - interval '1 hour' end
    from generate_series(1, 20400) i;
    insert into task_run (run_id, task_id, map_index, environment, pipeline, state, pool, slots, priority, interval_start, number, fence, finished_at, ready_at)
    select r.id, t, 0, 'dev', r.pipeline,
           case when r.state = 'success' then 'success' when t = 'a' then 'queued' else 'ready' end, 'default', 1, 0, r.interval_start, 1, 1,
           case when r.state = 'success' then now() end, now()
    from run r, unnest(array['a', 'b']) t where r.state in ('success', 'running');
    insert into attempt (run_id, task_id, map_index, number, fence, state, worker)
    select run_id, task_id, 0, 1, 1, state, 'me' from task_run where state <> 'ready';
    insert into metric select 'dev', pipeline, task_id, 0, '', 'auc', 0.5, null, now(), interval_start, run_id, 1, 'r', true from task_run where task_id = 'a';
    insert into alert_delivery (environment, pipeline, run_id, event, target, message, state)
    select 'dev', 'p' || i % 100, i, 'run.failed', 'slack:#a', '{}', case when i <= 20000 then 'sent' else 'pending' end from generate_series(1, 20050) i;
    insert into event (xid, environment, run_id, payload, at) select (3 + i / 100)::text::xid8, 'dev', i, '{}', now() - (20000 - i) * interval '2 seconds' from generate_series(1, 20000) i;
    insert into path_version select 'dev', 'v' || i, 'p/x' || i, 'p' || i % 100, 'x', '', i, 'a', 0, i, 1, 'r', to_timestamp(i * 3600), to_timestamp(i * 3600 + 3600), 'm', 1, 1
      from generate_series(1, 20000) i;
    insert into path_pointer select 'dev', 'p/x' || i, 'p' || i % 100, 'x', '', to_timestamp(i * 3600), to_timestamp(i * 3600 + 3600), 'v' || i, 'm', i, i, now(), i % 1000 <> 0, i
      from generate_series(1, 20000) i;
    insert into fire select 'dev', 'p' || i % 100, 'schedule ' || i from generate_series(1, 20000) i;`);
  await db.query('analyze');
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

interface Touched {
  readonly indexes: readonly string[];
  /** Rows read by walking whole tables. */
  readonly walked: number;
  /** Rows fetched by indexes. */
  readonly fetched: number;
}

const BIG = ['run', 'task_run', 'attempt', 'metric', 'alert_delivery', 'event', 'path_version', 'path_pointer', 'fire'];

/** Statistics of one connection hold what it did before: differences only. */
async function touching(act: () => Promise<unknown>): Promise<Touched> {
  const before = await counters();
  await act();
  const after = await counters();
  const change = (kind: 'walked' | 'fetched' | 'scans', name: string): number =>
    (after.get(`${kind} ${name}`) ?? 0) - (before.get(`${kind} ${name}`) ?? 0);
  const names = (kind: string): string[] =>
    [...after.keys()].filter((key) => key.startsWith(`${kind} `)).map((key) => key.slice(kind.length + 1));
  return {
    indexes: names('scans')
      .filter((name) => change('scans', name) > 0)
      .sort(),
    walked: names('walked').reduce((sum, name) => sum + change('walked', name), 0),
    fetched: names('fetched').reduce((sum, name) => sum + change('fetched', name), 0),
  };
}

async function counters(): Promise<Map<string, number>> {
  await db.query('select pg_stat_force_next_flush()');
  const rows = await db.query<{ name: string; count: number }[]>(
    `select 'walked ' || relname as name, seq_tup_read::int as count from pg_stat_user_tables where relname = any($1)
     union all select 'fetched ' || relname, coalesce(idx_tup_fetch, 0)::int from pg_stat_user_tables where relname = any($1)
     union all select 'scans ' || indexrelname, idx_scan::int from pg_stat_user_indexes where relname = any($1)`,
    [BIG],
  );
  return new Map(rows.map((row) => [row.name, row.count]));
}

const newest = { environment: 'dev', among: null, before: null, limit: 50 };
const anyRun = { ...newest, pipeline: null, states: null };

const ME = { id: 'me', kind: 'scheduler', host: 'h', pid: 1, ttlMs: 1000 } as const;

test.each<[what: string, act: () => Promise<unknown>, index: string, fetched: number]>([
  ['starting queued runs', () => store.activateRuns(500), 'run_live', 2500],
  ['claiming runs', () => store.claimRuns('me', 500), 'run_to_own', 2500],
  ['loading claimed runs', () => store.loadTaskRuns(['20001', '20003']), 'task_run_pkey', 50],
  ['admission', () => store.apply(anAdmission()), 'task_run_ready', 1000],
  ['due schedules', () => store.syncSchedules('dev', [{ pipeline: 'p1', definition: 'd' }]), '', 0],
  ['live runs of a pipeline', () => store.liveRuns('dev', ['p1']), 'run_live', 50],
  ['what a scheduler asks once a second', () => store.dueWork(ME, 0, ['dev']), 'run_queued', 500],
  ['the same, of alerts that are due', () => store.dueWork(ME, 0, ['dev']), 'alert_delivery_pending', 500],
  ['late runs', () => store.lateRuns(100), 'run_deadline', 100],
  ['claiming alerts', () => store.takeAlerts(20), 'alert_delivery_pending', 300],
  ['the run that a success mends', () => store.mendedRun('dev', 'p1', '20001'), 'alert_delivery_unmended', 10],
  ['baseline of a gate', () => store.baseline('dev', 'p1', 'a', '20001'), 'metric_of_run', 100],
  ['the sweep', () => store.sweep(), 'attempt_one_live_per_task_run', 6000],
  ['pointers that storage does not show', () => store.unprojected(500), 'path_pointer_unprojected', 100],
  ['newest version', () => store.newestVersions('dev', 'p1', 'x', null), 'path_pointer_of_path', 900],
  [
    'a window of versions',
    () => store.versionsBetween('dev', 'p1', 'x', '1970-02-01', '1970-02-08'),
    'path_pointer_of_path',
    100,
  ],
  ['versions of a run', () => store.versionsOfRuns('dev', 'p1', 'x', ['101']), 'path_version_of_run', 10],
  [
    'runs of intervals',
    () => store.runsOfIntervals('dev', 'p1', '1972-04-01T00:00:00Z', '1972-04-12T00:00:00Z'),
    'run_by_interval',
    50,
  ],
  [
    'runs past their retention',
    () => historyQueries.expiredRuns(db, 'dev', new Date(Date.now() + 1000), null, 20),
    'run_ended',
    1000,
  ],
  ['list of runs', () => apiQueries.readRuns(db, anyRun), '', 300],
  ['list of runs of a pipeline', () => apiQueries.readRuns(db, { ...anyRun, pipeline: 'p1' }), 'run_of_pipeline', 300],
  ['list of running runs', () => apiQueries.readRuns(db, { ...anyRun, states: ['running'] }), '', 2500],
  ['grid of a pipeline', () => apiQueries.readGridRuns(db, 'dev', 'p1', null, 30), 'run_of_pipeline', 100],
  ['last runs of pipelines', () => apiQueries.readLastRuns(db, 'dev', ['p1', 'p2']), 'run_of_pipeline', 100],
  ['alerts log', () => apiQueries.readAlerts(db, newest), '', 100],
  ['live events', () => apiQueries.readEvents(db, { xid: '0', id: '0' }, 100), 'event_in_order', 200],
  ['pools', () => apiQueries.readPools(db), 'task_run_ready', 1000],
  ['task runs that live', () => apiQueries.countLiveTaskRuns(db), 'run_live', 2500],
])('%s follows an index and touches only what it needs', async (_what, act, index, most) => {
  const touched = await touching(act);
  if (index !== '') expect(touched.indexes).toContain(index);
  expect(touched.walked).toBe(0);
  expect(touched.fetched).toBeLessThanOrEqual(most);
});

function anAdmission(): Parameters<EngineStore['apply']>[0] {
  const nothing = {
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
  };
  return {
    ...nothing,
    processId: 'me',
    worker: 'me',
    runs: [],
    pools: [{ environment: 'dev', pool: 'default', freed: 0 }],
  };
}
