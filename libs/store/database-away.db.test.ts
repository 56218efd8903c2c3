import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { PoolClient } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import { createTestDatabase, freePort, type TestDatabase } from '#testing';
import { connectDatabase } from './database.ts';
import { isDatabaseAway } from './database-away.ts';
import { inPipeline } from './statement.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing',
    (error: unknown) => error,
  );

/** Cuts the connection of a transaction, and resolves when both sides know. */
async function cut(db: DataSource, manager: EntityManager): Promise<void> {
  const [own] = await manager.query<[{ pid: number }]>('select pg_backend_pid() as pid');
  const client = (await manager.queryRunner?.connect()) as PoolClient;
  const ended = new Promise((resolve) => client.once('end', resolve));
  await db.query('select pg_terminate_backend($1)', [own.pid]);
  await ended;
}

test.each<[what: string, away: boolean, work: (db: DataSource) => Promise<unknown>]>([
  ['a connection that is cut', true, (db) => db.query('select pg_terminate_backend(pg_backend_pid())')],
  [
    'one that is cut within statements that were sent together',
    true,
    (db) =>
      inPipeline(db, ({ run, runLast }) =>
        Promise.all([run('select pg_terminate_backend(pg_backend_pid())', []), runLast('select 1', [])]),
      ),
  ],
  [
    'one that is cut between two statements of a transaction',
    true,
    (db) =>
      db.transaction(async (manager) => {
        await cut(db, manager);
        await manager.query('select 1');
      }),
  ],
  ['one that is cut before the commit', true, (db) => db.transaction((manager) => cut(db, manager))],
  [
    'one that is cut before the commit of statements that were sent together',
    true,
    (db) =>
      inPipeline(db, async ({ run }) => {
        const [own] = await run<{ pid: number }>('select pg_backend_pid() as pid', []);
        await db.query('select pg_terminate_backend($1)', [own?.pid]);
      }),
  ],
  ['a statement that is wrong', false, (db) => db.query('select nothing')],
  ['a row that breaks a rule', false, (db) => db.query(`insert into pool (environment, name) values (null, 'p')`)],
])('%s: away is %p', async (_what, away, work) => {
  const db = await connectDatabase(database.url);
  expect(isDatabaseAway(await errorOf(work(db)))).toBe(away);
  await db.destroy();
});

test('no server at all', async () => {
  const { url } = database;
  const nobody = url.replace(/:\d+\//, `:${await freePort()}/`);
  const error = (await errorOf(connectDatabase(nobody))) as { cause?: unknown };
  expect(isDatabaseAway(error.cause)).toBe(true);
});
