import { expect, test } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase } from './test-database.ts';

test('two test databases made at once do not see each other, and are gone after drop', async () => {
  const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  expect(one.url).not.toBe(two.url);
  const client = new pg.Client({ connectionString: one.url });
  client.on('error', () => undefined); // drop closes it
  await client.connect();
  await client.query('create table only_here (id int)');
  const other = new pg.Client({ connectionString: two.url });
  await other.connect();
  expect((await other.query(`select to_regclass('only_here') as found`)).rows).toEqual([{ found: null }]);
  await other.end();
  await Promise.all([one.drop(), two.drop()]);
  await expect(new pg.Client({ connectionString: one.url }).connect()).rejects.toMatchObject({ code: '3D000' });
});
