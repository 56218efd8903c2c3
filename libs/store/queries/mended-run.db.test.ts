import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { AlertInsert, EngineStore } from '#core';
import { connectDatabase, createStore } from '#store';
import { createTestDatabase, type TestDatabase } from '#testing';

let database: TestDatabase;
let db: DataSource;
let store: EngineStore;
beforeAll(async () => {
  database = await createTestDatabase();
  // One connection: its statistics are flushed before they are read.
  db = await connectDatabase(database.url, { connections: 1 });
  store = createStore(db);
  await db.query(`insert into release values ('r', 'r', null, null, null, null, true)`);
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});
beforeEach(() => db.query('truncate alert_delivery, run restart identity cascade'));

interface Told {
  readonly run: number;
  readonly event: 'run.failed' | 'run.recovered' | 'run.late';
  readonly pipeline?: string;
}
const alert = ({ run, event, pipeline = 'p' }: Told, target: string): AlertInsert => ({
  ...{ environment: 'dev', pipeline, runId: String(run), event, target },
  ...{ message: {} as AlertInsert['message'], state: 'pending', detail: null },
});
const tell = (told: readonly Told[]) =>
  store.insertAlerts(told.flatMap((one) => [alert(one, 'slack:#a'), alert(one, 'email:b@c.example')]));
/** Runs 1 to `origins.length`, each made from the one that is given for it. */
const runs = (origins: readonly (number | null)[]) =>
  db.query(
    `insert into run (environment, pipeline, release, config_hash, trigger, why, params, state, finished_at, max_active_runs, queue_order, origin_run)
     select 'dev', 'p', 'r', 'h', 'manual', 'w', '{}', 'success', now(), 1, 1, o.origin
     from unnest($1::bigint[]) with ordinality as o (origin, place) order by o.place`,
    [origins],
  );

/** What is meant: all alerts of the pipeline, looked at one by one. */
function expected(run: number, told: readonly Told[], origins: readonly (number | null)[]): string | null {
  const madeFrom: number[] = [];
  for (let at = origins[run - 1] ?? null; at !== null; at = origins[at - 1] ?? null) madeFrom.push(at);
  const last = (event: string, of: number): number =>
    told.findLastIndex((one) => one.run === of && one.event === event && one.pipeline === undefined);
  const open = [...new Set(told.map((one) => one.run))]
    .filter((one) => one < run && last('run.failed', one) > last('run.recovered', one))
    .sort((a, b) => b - a);
  const mended = open.find((one) => madeFrom.includes(one)) ?? open[0];
  return mended === undefined ? null : String(mended);
}

/** Numbers below `most` that are the same each time. */
function numbers(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * most);
  };
}

test('is the newest among those it was made from, else of its pipeline, that failed and did not recover, whatever came before', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const below = numbers(seed);
    const origins = Array.from({ length: 8 }, (_, index) => (index > 0 && below(2) === 0 ? below(index) + 1 : null));
    const told = Array.from({ length: below(14) }, (): Told => {
      const event = (['run.failed', 'run.recovered', 'run.failed', 'run.late'] as const)[below(4)] ?? 'run.late';
      return { run: below(8) + 1, event, ...(below(5) === 0 ? { pipeline: 'other' } : {}) };
    });
    await db.query('truncate alert_delivery, run restart identity cascade');
    await runs(origins);
    // Some in one statement, as in a commit of many runs.
    const half = below(told.length + 1);
    if (half > 0) await tell(told.slice(0, half));
    for (const one of told.slice(half)) await tell([one]);
    for (let run = 1; run <= 8; run++)
      expect([seed, run, await store.mendedRun('dev', 'p', String(run))]).toEqual([
        seed,
        run,
        expected(run, told, origins),
      ]);
  }
});

test('is found in as few pages beside 10,000 alerts as beside ten', async () => {
  await runs([null]);
  const few = await pagesWith(10);
  const many = await pagesWith(10_000);
  expect([few.answer, many.answer]).toEqual(['1', '1']);
  // Indexes are some levels deeper.
  expect(many.pages).toBeLessThanOrEqual(few.pages + 10);
});

/** Pages of alerts and of their indexes that are looked at when all but the first of so many were mended. */
async function pagesWith(alerts: number): Promise<{ answer: string | null; pages: number }> {
  await db.query('truncate alert_delivery');
  for (const event of ['run.failed', 'run.recovered'])
    await db.query(
      `insert into alert_delivery (environment, pipeline, run_id, event, target, message, state)
       select 'dev', 'p', i, $1, 'slack:#a', '{}', 'sent' from generate_series(case when $1 = 'run.failed' then 1 else 2 end, $2::int) i`,
      [event, alerts / 2],
    );
  await db.query('vacuum analyze alert_delivery');
  const before = await pages();
  const answer = await store.mendedRun('dev', 'p', '1000000');
  return { answer, pages: (await pages()) - before };
}

async function pages(): Promise<number> {
  await db.query('select pg_stat_force_next_flush()');
  const [row] = await db.query<{ count: number }[]>(
    `select (heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit)::int as count from pg_statio_user_tables where relname = 'alert_delivery'`,
  );
  return row?.count ?? 0;
}
