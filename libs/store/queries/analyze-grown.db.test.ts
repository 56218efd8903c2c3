import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '#testing';
import { connectDatabase } from '../database.ts';
import { analyzeGrown } from './analyze-grown.ts';

let database: TestDatabase;
let db: DataSource;
let writer: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  db = await connectDatabase(database.url);
  writer = new pg.Client({ connectionString: database.url });
  await writer.connect();
});
afterAll(async () => {
  await writer.end();
  await db.destroy();
  await database.drop();
});

/** So many rows more, as the statistics know it; what the planner takes for their number after a look. */
async function estimateAfter(rows: number): Promise<number> {
  await writer.query(
    `insert into event (environment, payload) select 'dev', '{}' from generate_series(1, ${rows});
     select pg_stat_force_next_flush();`,
  );
  await analyzeGrown(db);
  const { rows: found } = await writer.query<{ reltuples: number }>(
    `select reltuples from pg_class where oid = 'event'::regclass`,
  );
  return found[0]?.reltuples ?? 0;
}

test('a table is analyzed when it is no longer small, and when it has several times as many rows as then', async () => {
  expect(await estimateAfter(150)).toBe(-1);
  expect(await estimateAfter(150)).toBe(300);
  expect(await estimateAfter(300)).toBe(300);
  expect(await estimateAfter(700)).toBe(1300);
});
