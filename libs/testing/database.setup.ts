import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../platform/embedded-postgres.ts';
import { findPostmaster, isAlive } from '../platform/postmaster.ts';

const PREFIX = 'sluice-test-pg-';

interface Shared {
  starting?: Promise<TestServer>;
}
export interface TestServer {
  readonly folder: string;
  readonly postgres: EmbeddedPostgres;
}
/** Jest runs this file once per project in one process; the projects share one server through this. */
export const shared = ((globalThis as { sluiceTestServer?: Shared }).sluiceTestServer ??= {});

/** jest globalSetup of `db` and `e2e`: one throw-away Postgres for all test files; e2e also gets a fresh build. */
export default async function setup(
  _globalConfig: unknown,
  project: { displayName?: { name: string }; rootDir: string },
): Promise<void> {
  const server = await (shared.starting ??= startTestServer());
  process.env.SLUICE_TEST_DATABASE_URL = server.postgres.url;
  const build = path.join(project.rootDir, 'scripts', 'build.mjs');
  if (project.displayName?.name === 'e2e' && existsSync(build))
    await promisify(execFile)(process.execPath, [build], { cwd: project.rootDir });
}

async function startTestServer(): Promise<TestServer> {
  await removeOrphans();
  const folder = await mkdtemp(path.join(os.tmpdir(), PREFIX));
  await writeFile(path.join(folder, 'owner'), String(process.pid));
  return { folder, postgres: await startEmbeddedPostgres({ dataFolder: folder, durable: false }) };
}

/** Ends the servers of test runs that were killed: a server outlives its starter on purpose. */
async function removeOrphans(): Promise<void> {
  const names = (await readdir(os.tmpdir())).filter((name) => name.startsWith(PREFIX));
  for (const folder of names.map((name) => path.join(os.tmpdir(), name))) {
    const owner = Number(await readFile(path.join(folder, 'owner'), 'utf8').catch(() => '0'));
    if (owner === 0 || (await isAlive(owner))) continue;
    const server = await findPostmaster(path.join(folder, 'data'));
    if (server !== null) process.kill(server.pid, 'SIGQUIT');
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }).catch(() => undefined);
  }
}
