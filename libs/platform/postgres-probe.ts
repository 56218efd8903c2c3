import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { SluiceError } from '#core';
import { isAlive } from './postmaster.ts';

const DATABASE = 'sluice';
const START_TIMEOUT_MS = 120_000;

export function connectionUrl(password: string, port: number): string {
  return `postgres://sluice:${password}@127.0.0.1:${port}/${DATABASE}`;
}

/**
 * True when the server answers a query and says that it serves `data`; false when its process ended instead. Crash
 * recovery may take a while, so it waits as long as the process lives, at most two minutes; then throws `unavailable`.
 */
export async function waitUntilServing(url: string, data: string, pid: number): Promise<boolean> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const answer = await ask(url);
    if (answer.folder === data) return true;
    if (!(await isAlive(pid))) return false;
    if (answer.folder !== null)
      throw new SluiceError('conflict', `The Postgres that answers serves ${answer.folder}, not ${data}.`, {
        hint: 'Stop the other server, or use another data folder.',
      });
    if (answer.final || Date.now() > deadline)
      throw new SluiceError(
        'unavailable',
        `Postgres ${pid} on ${data} lives but does not let us in: ${answer.error}.`,
        {
          hint: `If nothing else uses it, end it with \`kill -QUIT ${pid}\` and start again.`,
        },
      );
    await delay(20);
  }
}

/** Creates the database `sluice` unless it is there. */
export async function ensureDatabase(url: string): Promise<void> {
  await withClient(maintenanceUrl(url), async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  });
}

interface Answer {
  readonly folder: string | null;
  readonly error: string;
  /** True when asking again cannot help, e.g. the password is wrong. */
  readonly final: boolean;
}

async function ask(url: string): Promise<Answer> {
  try {
    const folder = await withClient(maintenanceUrl(url), async (client) => {
      const { rows } = await client.query<{ folder: string }>(`select current_setting('data_directory') as folder`);
      return rows[0]?.folder ?? null;
    });
    return { folder, error: 'no answer', final: false };
  } catch (error) {
    const { message, code } = error as { message: string; code?: string };
    return { folder: null, error: message, final: code === '28P01' || code === '28000' };
  }
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000, query_timeout: 30_000 });
  // A server that goes away while idle emits on the client; the query or the next try reports it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function maintenanceUrl(url: string): string {
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  return maintenance.href;
}
