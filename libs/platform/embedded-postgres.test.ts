import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';
import { isAlive } from './postmaster.ts';

let folder: string;
let running: EmbeddedPostgres[];
const start = async (options: { port?: number } = {}) => {
  const server = await startEmbeddedPostgres({ dataFolder: folder, durable: false, ...options });
  running.push(server);
  return server;
};

beforeEach(async () => {
  // mkdtemp makes 0700: for root this is a folder that no unprivileged user can traverse
  folder = path.join(await mkdtemp(path.join(os.tmpdir(), 'sluice-pg-')), 'deep', 'er');
  running = [];
});
afterEach(async () => {
  for (const server of running) await server.stop();
  await rm(path.dirname(path.dirname(folder)), { recursive: true, force: true });
});

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows.map((row) => Object.values(row)[0]);
  } finally {
    await client.end();
  }
}

describe('the embedded Postgres', () => {
  test('starts in an empty folder, keeps data, port and password over a restart, and stops', async () => {
    const first = await start();
    expect(first.adopted).toBe(false);
    await query(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    expect(await isAlive(first.pid)).toBe(false);

    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'select answer from kept')).toEqual([42]);
    expect((await stat(path.join(folder, 'password'))).mode & 0o777).toBe(0o600);
    expect(await query(second.url, 'show listen_addresses')).toEqual(['127.0.0.1']);
    expect(await query(second.url, 'show timezone')).toEqual(['UTC']);
    expect(await query(second.url, `select lower('ÄÖ')`)).toEqual(['äö']);
  });

  test('a process that dies by kill -9 leaves its server, and the next start adopts it', async () => {
    const module = path.join(import.meta.dirname, 'embedded-postgres.ts');
    const script = `import { startEmbeddedPostgres } from ${JSON.stringify(module)};
      const { pid } = await startEmbeddedPostgres({ dataFolder: ${JSON.stringify(folder)}, durable: false });
      process.stdout.write(String(pid), () => process.kill(process.pid, 'SIGKILL'));`;
    const earlier = await promisify(execFile)(process.execPath, [
      ...['--import', 'tsx', '--input-type=module', '--eval', script],
    ]).catch((error: { signal: string; stdout: string }) => error);
    expect(earlier).toMatchObject({ signal: 'SIGKILL' });
    const second = await start();
    expect(second).toMatchObject({ adopted: true, pid: Number(earlier.stdout) });
    await second.stop();
    expect(await isAlive(second.pid)).toBe(false);
  });

  test('a postmaster killed with -9 is replaced, and committed rows are still there', async () => {
    const first = await start();
    await query(first.url, 'create table kept as select 1 as one');
    process.kill(first.pid, 'SIGKILL');
    const second = await start();
    expect(second).toMatchObject({ adopted: false, url: first.url });
    expect(await query(second.url, 'select one from kept')).toEqual([1]);
  });

  test('a stale postmaster.pid whose number now belongs to another process does not hinder the start', async () => {
    const first = await start();
    const file = path.join(folder, 'data', 'postmaster.pid');
    const lines = (await readFile(file, 'utf8')).split('\n');
    await first.stop();
    await writeFile(file, [process.ppid, ...lines.slice(1)].join('\n'));
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await isAlive(process.ppid)).toBe(true);
  });

  test('a fixed port that is taken is a conflict that names the port', async () => {
    const first = await start();
    const port = Number(new URL(first.url).port);
    await expect(startEmbeddedPostgres({ dataFolder: `${folder}-other`, port, durable: false })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(String(port)),
    });
  });

  test('a wrong password is refused', async () => {
    const { url } = await start();
    await expect(query(url.replace(/:[0-9a-f]+@/, ':wrong@'), 'select 1')).rejects.toMatchObject({ code: '28P01' });
  });
});
