import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { SluiceError } from '#core';
import { createWorkerClient, type WorkerCredentials } from '#contracts';
import { AttemptWorker, Consumer, onlyAttempt, type Hear, type WorkApi } from '#queue';
import { createReleaseStore } from '#release';
import { createLocalExecutor, endLeftovers } from '#runner';
import { ClaimedAttempts } from './claimed-attempts.ts';
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { Log } from './log.ts';
import { releasesOverApi } from './releases-over-api.ts';
import { openBucket, StorageRoots } from './storage-roots.ts';
import { sweepOwnLogs } from './sweep-own-logs.ts';
import { whileAway } from './while-away.ts';

export interface WorkerOptions {
  readonly config: Config;
  readonly log: Log;
  readonly packageRoot: string;
  /** It executes this attempt and no other. Null: whatever it hears of from Redis. */
  readonly attemptId: string | null;
}

export interface StartedWorker {
  /** Resolves when it is through with the one attempt that it was started for. */
  readonly over?: Promise<void>;
  stop(): Promise<void>;
}

const GRACE_MS = 10_000;
const FOREVER_MS = 30_000;

/** An API that is just being replaced answers again within that time. */
const PATIENCE_MS = 120_000;

/** Executes attempts on this machine until `stop`. Needs the API and the storage, and Redis unless it is for one attempt; no database. */
export async function startWorker({ config, log, packageRoot, attemptId }: WorkerOptions): Promise<StartedWorker> {
  const { redisUrl, serverUrl, token } = required(config, attemptId);
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
      objects:
        config.releases === null
          ? releasesOverApi(client, serverUrl, systemClock)
          : openBucket(config.releases, config.s3),
    }),
    readSecret: (source) => claimed.secret(source),
    concurrency: attemptId === null ? config.concurrency : 1,
    resources: config.workerResources,
    childFolder: path.join(packageRoot, 'dist', 'child'),
    scratchFolder: path.join(config.home, 'scratch'),
    pidFolder,
    moduleRoot: config.project,
    dataFolders: (name) => claimed.dataFolders(name),
    // A pod is held by the kubelet, to the same number.
    ...(attemptId === null ? { onProcessorsNotHeld: (reason: string) => log.warn(reason) } : {}),
    graceMs: GRACE_MS,
    ...(config.python ? { python: config.python } : {}),
    ...(config.sparkSubmit ? { sparkSubmit: config.sparkSubmit } : {}),
    ...(config.path ? { path: config.path } : {}),
  });
  const about = { host: hostname(), pid: process.pid, capacity: executor.capacity };
  const one = attemptId === null ? null : onlyAttempt(attemptId, systemClock);
  const fromRedis: Hear = (onAttempt) => new Consumer({ redisUrl, onAttempt, problem });
  const worker = new AttemptWorker({
    api:
      one === null
        ? apiOf(client, { ...about, queues: config.workerQueues })
        : patient(apiOf(client, { ...about, queues: [] })),
    hear: one?.hear ?? fromRedis,
    executor,
    keep: (one) => claimed.keep(one),
    forget: (attemptId) => claimed.forget(attemptId),
    clock: systemClock,
    say: (what, fields) => log.warn(fields, what),
    problem,
  });
  await worker.start();
  const stopSweep = sweepOwnLogs(roots, systemClock);
  const stop = async (): Promise<void> => {
    stopSweep();
    await worker.stop(config.drainMs);
  };
  return one === null ? { stop } : { over: one.over, stop };
}

function required({ redisUrl, serverUrl, token }: Config, attemptId: string | null) {
  const redis = attemptId === null ? { REDIS_URL: redisUrl?.reveal() } : {};
  const given = { ...redis, SLUICE_URL: serverUrl, SLUICE_TOKEN: token?.reveal() };
  const missing = Object.entries(given).flatMap(([name, value]) => (value ? [] : [name]));
  if (missing.length > 0)
    throw new SluiceError(
      'invalid_config',
      `A worker needs ${missing.join(', ')}, which ${missing.length === 1 ? 'is' : 'are'} not set.`,
      {
        hint: 'REDIS_URL as the schedulers have it, SLUICE_URL of the API, SLUICE_TOKEN with the right work: `sluice token create NAME --right work:*`.',
      },
    );
  return { redisUrl: redis.REDIS_URL ?? '', serverUrl: given.SLUICE_URL!, token: given.SLUICE_TOKEN! };
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

/** Nobody starts this process again when the API is not there for a moment. */
function patient(api: WorkApi): WorkApi {
  const until = systemClock.now().getTime() + PATIENCE_MS;
  return { ...api, signIn: () => whileAway(() => api.signIn(), systemClock, until) };
}
