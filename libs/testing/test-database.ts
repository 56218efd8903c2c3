import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate } from '#store';

export interface TestDatabase {
  readonly url: string;
  /** Removes the database, closing what is still connected to it. */
  drop(): Promise<void>;
}

const TEMPLATE = 'sluice_template';
/** Any fixed number: jest's workers are processes, and one of them must make the template. */
const TEMPLATE_LOCK = 7_150_201;

/**
 * A database of its own for one test file, with the schema of the present migrations. Takes about 20 ms: it is a copy
 * of a template that the first caller migrates. Only in the jest projects `db` and `e2e`, whose setup starts Postgres.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env.SLUICE_TEST_DATABASE_URL;
  if (server === undefined)
    throw new Error('No test Postgres: name the file *.db.test.ts and run it with --selectProjects db (or e2e).');
  const name = `test_${process.pid}_${randomBytes(4).toString('hex')}`;
  await withClient(server, async (client) => {
    await client.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    await ensureTemplate(client, server);
    await client.query(`create database ${name} template ${TEMPLATE}`);
  });
  return {
    url: urlOf(server, name),
    drop: () =>
      withClient(server, async (client) => void (await client.query(`drop database if exists ${name} with (force)`))),
  };
}

async function ensureTemplate(client: pg.Client, server: string): Promise<void> {
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [TEMPLATE]);
  if (rowCount !== 0) return;
  const unfinished = `${TEMPLATE}_unfinished`;
  await client.query(`drop database if exists ${unfinished} with (force)`);
  await client.query(`create database ${unfinished}`);
  await migrate(urlOf(server, unfinished));
  // Without connections (autovacuum's included) copying never has to wait; the rename says that it is complete.
  await client.query(`alter database ${unfinished} with allow_connections false`);
  await client.query(`alter database ${unfinished} rename to ${TEMPLATE}`);
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}
