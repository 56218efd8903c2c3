import { randomBytes } from 'node:crypto';
import { mkdir, readFile, realpath, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SluiceError } from '#core';
import { choosePostgresAccount } from './postgres-account.ts';
import { findPostgresBinaries } from './postgres-binaries.ts';
import { choosePort } from './postgres-port.ts';
import { connectionUrl, ensureDatabase, waitUntilServing } from './postgres-probe.ts';
import { type Launch, initCluster, postgresEnvironment, launchPostmaster, stopPostmaster } from './postgres-process.ts';
import { findPostmaster } from './postmaster.ts';

export interface EmbeddedPostgresOptions {
  /** Absolute folder that holds everything of this server: cluster, password, port, log. Created when missing. */
  readonly dataFolder: string;
  /** Fixed port; without it a free one is chosen and kept over restarts. */
  readonly port?: number;
  /** Told in one line what happens. */
  readonly log?: (line: string) => void;
  /** False switches fsync off: for tests only, a power cut loses the cluster. Default true. */
  readonly durable?: boolean;
  /** Connections that it serves at once; a process of Sluice opens up to ten. Default 60. */
  readonly connections?: number;
}

export interface EmbeddedPostgres {
  /** `postgres://…` of the database `sluice`, with the password. */
  readonly url: string;
  /** True when a server that an earlier process left running was taken over. */
  readonly adopted: boolean;
  readonly pid: number;
  /** Ends the server, adopted or not: open transactions roll back, data is flushed. Resolves when its process is gone. */
  stop(): Promise<void>;
}

const MAX_TRIES = 6;
const MAX_LOG_BYTES = 10 * 1024 * 1024;

/**
 * Starts the Postgres that comes with npm, on 127.0.0.1 only, or adopts the one that already serves this folder. The
 * server is a session of its own: it survives a kill -9 of this process, so that the next start finds it warm.
 * Throws `unavailable` with Postgres' own words when it cannot start, `conflict` when the fixed port is taken.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const log = options.log ?? (() => undefined);
  await mkdir(options.dataFolder, { recursive: true, mode: 0o700 });
  const folder = await realpath(options.dataFolder);
  const data = path.join(folder, 'data');
  const adopted = await adopt(folder, data);
  if (adopted !== null) {
    log(`Postgres ${adopted.pid} already serves ${data}; using it.`);
    return adopted;
  }

  const binaries = await findPostgresBinaries(path.join(folder, 'lib'));
  const account = await choosePostgresAccount(folder, binaries.initdb, postgresEnvironment(binaries));
  const logFile = path.join(folder, 'postgres.log');
  if (((await stat(logFile).catch(() => null))?.size ?? 0) > MAX_LOG_BYTES) await truncate(logFile);
  const launch: Launch = {
    binaries,
    account,
    data,
    logFile,
    durable: options.durable ?? true,
    connections: options.connections,
  };
  const password = await readOrCreatePassword(folder, data);
  if (!(await exists(path.join(data, 'PG_VERSION')))) {
    log(`Creating a database cluster in ${data} as ${account.describe}.`);
    // A kill during initdb must not leave half a cluster under the final name.
    const fresh = path.join(folder, `data.new-${randomBytes(4).toString('hex')}`);
    await initCluster(launch, fresh, password);
    await rename(fresh, data);
  }

  // A few tries: children of a server that was killed may still hold its shared memory for a moment, another starter
  // may be faster, and a free port may be taken between our look and the server's.
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    const port = await choosePort(path.join(folder, 'port'), options.port);
    const pid = await launchPostmaster(launch, port);
    const url = connectionUrl(password, port);
    if (await waitUntilServing(url, data, pid)) {
      await ensureDatabase(url);
      log(`Postgres ${pid} serves ${data} on 127.0.0.1:${port}.`);
      return { url, adopted: false, pid, stop: () => stopPostmaster(data, pid) };
    }
    await delay(tries * 150);
    const faster = await adopt(folder, data);
    if (faster !== null) return faster;
  }
  throw await endedWhileStarting(data, logFile);
}

/** Uses the live server on this folder; null when there is none. */
async function adopt(folder: string, data: string): Promise<EmbeddedPostgres | null> {
  const server = await findPostmaster(data);
  if (server === null) return null;
  const url = connectionUrl(await readOrCreatePassword(folder, data), server.port);
  // It may be on its way out: killed or stopped a moment ago.
  if (!(await waitUntilServing(url, data, server.pid))) return null;
  await ensureDatabase(url);
  return { url, adopted: true, pid: server.pid, stop: () => stopPostmaster(data, server.pid) };
}

/** The superuser's password: made once, before the cluster, readable by its owner only. */
async function readOrCreatePassword(folder: string, data: string): Promise<string> {
  const file = path.join(folder, 'password');
  const known = await readFile(file, 'utf8').catch(() => null);
  if (known !== null && known.trim() !== '') return known.trim();
  if (await exists(path.join(data, 'PG_VERSION')))
    throw new SluiceError('unavailable', `The password of the database in ${data} is missing: ${file} was deleted.`, {
      hint: `Restore the file from a backup, or move ${data} away to start with an empty database.`,
    });
  const password = randomBytes(24).toString('hex');
  await rm(file, { force: true });
  await writeFile(file, `${password}\n`, { mode: 0o600, flag: 'wx' });
  return password;
}

async function endedWhileStarting(data: string, logFile: string): Promise<SluiceError> {
  const log = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-8);
  return new SluiceError('unavailable', `Postgres ends while starting on ${data}: ${log.at(-1) ?? 'it says nothing'}`, {
    hint: `Read ${logFile}; its last lines are in the details.`,
    details: { log },
  });
}

function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
