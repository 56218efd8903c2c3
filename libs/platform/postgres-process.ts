import { execFile, spawn } from 'node:child_process';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { SluiceError } from '#core';
import { asAccount, type PostgresAccount } from './postgres-account.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { disownStalePostmaster, findPostmaster, isAlive } from './postmaster.ts';

const run = promisify(execFile);

export interface Launch {
  readonly binaries: PostgresBinaries;
  readonly account: PostgresAccount;
  /** The cluster. */
  readonly data: string;
  readonly logFile: string;
  readonly durable: boolean;
  readonly connections: number | undefined;
}

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  // TCP only: a socket's path may have at most 107 bytes, and a project may lie deeper than that.
  unix_socket_directories: '',
  max_connections: '60',
  shared_buffers: '128MB',
  effective_cache_size: '1GB',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  jit: 'off',
  io_method: 'sync',
  max_parallel_workers_per_gather: '0',
  random_page_cost: '1.1',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '1GB',
  checkpoint_timeout: '15min',
  // Rows change state often and live shortly: vacuum early, in small bites, and never throttled.
  autovacuum_naptime: '10s',
  autovacuum_max_workers: '2',
  autovacuum_vacuum_scale_factor: '0.05',
  autovacuum_analyze_scale_factor: '0.05',
  autovacuum_vacuum_cost_delay: '0',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'warning',
  log_checkpoints: 'off',
};
/** Commits still reach the operating system, so that a kill -9 of the server loses nothing; a power cut does. */
const NOT_DURABLE = { fsync: 'off', full_page_writes: 'off' };

/** Creates a cluster in `folder`, which must not exist; the superuser is `sluice`. */
export async function initCluster(launch: Launch, folder: string, password: string): Promise<void> {
  const { account, binaries } = launch;
  const passwordFile = `${folder}.password`;
  await mkdir(folder, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx' });
  if (account.ids !== null) await run('chown', ['--', `${account.ids.uid}:${account.ids.gid}`, folder, passwordFile]);
  const args = [
    ...['--pgdata', folder, '--username', 'sluice', '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
    // Not the machine's locale: sorting must be the same everywhere, and the provider needs no system locale.
    ...['--encoding', 'UTF8', '--no-locale', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
    ...(launch.durable ? [] : ['--no-sync']),
  ];
  try {
    await run(...asAccount(account, binaries.initdb, args), { ...spawnOptions(launch), timeout: 120_000 });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new SluiceError(
      'unavailable',
      `initdb failed in ${folder} as ${account.describe}: ${stderr?.trim() || message}`,
      {
        hint: 'Check free space and permissions of that folder, or set DATABASE_URL to a Postgres of your own.',
        cause: error,
      },
    );
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** Starts the server as a session of its own and returns its process id; it may not be ready yet. */
export async function launchPostmaster(launch: Launch, port: number): Promise<number> {
  const { account } = launch;
  if ((await findPostmaster(launch.data)) === null) await disownStalePostmaster(launch.data);
  const settings = {
    ...SETTINGS,
    ...(launch.durable ? {} : NOT_DURABLE),
    ...(launch.connections === undefined ? {} : { max_connections: String(launch.connections) }),
    port: String(port),
  };
  const args = ['-D', launch.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const output = await open(launch.logFile, 'a', 0o600);
  try {
    const child = spawn(...asAccount(account, launch.binaries.postgres, args), {
      ...spawnOptions(launch),
      detached: true, // Ctrl-C in the terminal is for us; Postgres is stopped last, by us
      stdio: ['ignore', output.fd, output.fd],
    });
    await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.unref();
    return child.pid as number;
  } catch (error) {
    throw new SluiceError(
      'unavailable',
      `${launch.binaries.postgres} cannot be executed: ${(error as Error).message}`,
      {
        hint: 'The bundled programs need glibc; on other systems set DATABASE_URL to a Postgres of your own.',
        cause: error,
      },
    );
  } finally {
    await output.close();
  }
}

/** Fast shutdown; immediate after 20 s. Does nothing when that server no longer serves the folder. */
export async function stopPostmaster(data: string, pid: number): Promise<void> {
  if ((await findPostmaster(data))?.pid !== pid) return;
  for (const [signal, waitMs] of [
    ['SIGINT', 20_000],
    ['SIGQUIT', 10_000],
  ] as const) {
    process.kill(pid, signal);
    for (const until = Date.now() + waitMs; Date.now() < until; await delay(10)) if (!(await isAlive(pid))) return;
  }
  throw new SluiceError('internal', `Postgres ${pid} on ${data} does not end.`, { hint: `kill -QUIT ${pid}` });
}

/** Nothing of our environment: a PGDATA or PGPORT of the user must not reach this server. */
export function postgresEnvironment(binaries: PostgresBinaries): Record<string, string> {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC', ...binaries.env };
}

function spawnOptions({ binaries, account }: Launch) {
  return { cwd: '/', env: postgresEnvironment(binaries), ...account.ids };
}
