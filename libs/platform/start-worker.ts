import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { SluiceError, type ObjectStore } from '#core';
import { createWorkerClient, type WorkerCredentials } from '#contracts';
import { AttemptWorker, type WorkApi } from '#queue';
import { createReleaseStore } from '#release';
import { createLocalExecutor, endLeftovers } from '#runner';
import { ClaimedAttempts } from './claimed-attempts.ts';
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { Log } from './log.ts';
import { openBucket, StorageRoots } from './storage-roots.ts';

export interface WorkerOptions {
  readonly config: Config;
  readonly log: Log;
  readonly packageRoot: string;
}

const GRACE_MS = 10_000;
const FOREVER_MS = 30_000;

/** Executes attempts on this machine until `stop`. Needs Redis, the API and the storage; no database. */
export async function startWorker({ config, log, packageRoot }: WorkerOptions): Promise<{ stop(): Promise<void> }> {
  const { redisUrl, serverUrl, token } = required(config);
  const problem = (what: string, err: unknown): void => log.error({ err }, `${what} failed; it will be tried again`);
  const client = createWorkerClient({ baseUrl: serverUrl, token, timeoutMs: FOREVER_MS });
  const claimed = new ClaimedAttempts();
  const roots = new StorageRoots({ s3: config.s3, cacheFolder: path.join(config.home, 'cache'), problem });
  const pidFolder = path.join(config.home, 'run');
  await mkdir(config.home, { recursive: true });
  const ended = await endLeftovers(pidFolder);
  if (ended > 0) log.warn({ groups: ended }, 'ended process groups that an earlier start left behind');
  const executor = createLocalExecutor({
    storageFor: (name) => roots.at(claimed.storageOf(name)).storage,
    logsFor: (name) => roots.at(claimed.storageOf(name)).logs,
    releases: createReleaseStore({
      folder: path.join(config.home, 'releases'),
      objects: config.releases === null ? objectsOf(client, serverUrl) : openBucket(config.releases, config.s3),
    }),
    readSecret: (source) => claimed.secret(source),
    concurrency: config.concurrency,
    childFolder: path.join(packageRoot, 'dist', 'child'),
    scratchFolder: path.join(config.home, 'scratch'),
    pidFolder,
    moduleRoot: config.project,
    dataFolders: (name) => claimed.dataFolders(name),
    graceMs: GRACE_MS,
    ...(config.python ? { python: config.python } : {}),
    ...(config.path ? { path: config.path } : {}),
  });
  const worker = new AttemptWorker({
    api: apiOf(client, {
      host: hostname(),
      pid: process.pid,
      capacity: executor.capacity,
      queues: config.workerQueues,
    }),
    redisUrl,
    executor,
    keep: (one) => claimed.keep(one),
    forget: (attemptId) => claimed.forget(attemptId),
    clock: systemClock,
    say: (what, fields) => log.warn(fields, what),
    problem,
  });
  await worker.start();
  return { stop: () => worker.stop(config.drainMs) };
}

function required({ redisUrl, serverUrl, token }: Config) {
  const given = { REDIS_URL: redisUrl?.reveal(), SLUICE_URL: serverUrl, SLUICE_TOKEN: token?.reveal() };
  const missing = Object.entries(given).flatMap(([name, value]) => (value ? [] : [name]));
  if (missing.length > 0)
    throw new SluiceError(
      'invalid_config',
      `A worker needs ${missing.join(', ')}, which ${missing.length === 1 ? 'is' : 'are'} not set.`,
      {
        hint: 'REDIS_URL as the schedulers have it, SLUICE_URL of the API, SLUICE_TOKEN with the right work: `sluice token create NAME --right work:*`.',
      },
    );
  return { redisUrl: given.REDIS_URL!, serverUrl: given.SLUICE_URL!, token: given.SLUICE_TOKEN! };
}

function apiOf(client: ReturnType<typeof createWorkerClient>, about: Parameters<typeof client.signIn>[0]): WorkApi {
  let as: WorkerCredentials = { worker: '', key: '' };
  return {
    signIn: async () => {
      const { worker, key, beatMs } = await client.signIn(about);
      as = { worker, key };
      return { worker, beatMs };
    },
    beat: (free) => client.beat(as, free),
    claim: (attemptIds) => client.claim(as, attemptIds),
    report: (results, progress) => client.report(as, results, progress),
    signOut: () => client.signOut(as),
  };
}

/** The release store as the API hands it out. What comes is compared with the digest that it was asked for by. */
function objectsOf(client: ReturnType<typeof createWorkerClient>, serverUrl: string): ObjectStore {
  const never = (): Promise<never> =>
    Promise.reject(new SluiceError('not_supported', 'A worker reads releases, and nothing else.'));
  return {
    name: `${serverUrl} (releases)`,
    get: async (key) => {
      const content = await client.releaseObject(key);
      return content && Buffer.from(content);
    },
    ...{ put: never, sizes: never, list: never, remove: never },
  };
}
