import path from 'node:path';
import type { Executor } from '#core';
import { createBroker, QueueExecutor } from '#queue';
import { createLocalExecutor, endLeftovers, type LocalExecutor } from '#runner';
import { createAssignmentStore, listen } from '#store';
import { startLooking } from './look-loop.ts';
import { readSecret } from './read-secret.ts';
import type { RunningParts } from './running.ts';

export interface StartedExecutor {
  readonly executor: Executor;
  /** Null: attempts are executed elsewhere. */
  readonly local: LocalExecutor | null;
  /** To be called once the scheduler listens to reports. */
  begin(): void;
  /** No more reports come from here. */
  stop(graceMs: number): Promise<void>;
}

const LOOK_MS = 1000;

/** What executes attempts: this process, or with REDIS_URL the workers that hear of them there. */
export async function startExecutor(parts: RunningParts, processId: string): Promise<StartedExecutor> {
  const redisUrl = parts.options.config.redisUrl?.reveal();
  return redisUrl === undefined ? startLocal(parts) : startQueue(parts, processId, redisUrl);
}

async function startLocal({
  options,
  storageFor,
  logsFor,
  releases,
  environments,
}: RunningParts): Promise<StartedExecutor> {
  const { config } = options;
  const pidFolder = path.join(config.home, 'run');
  const ended = await endLeftovers(pidFolder);
  if (ended > 0) options.log.warn({ groups: ended }, 'ended process groups that an earlier start left behind');
  const executor = createLocalExecutor({
    storageFor,
    logsFor,
    releases,
    readSecret,
    concurrency: config.concurrency,
    resources: config.workerResources,
    childFolder: path.join(options.packageRoot, 'dist', 'child'),
    scratchFolder: path.join(config.home, 'scratch'),
    pidFolder,
    moduleRoot: options.config.project,
    dataFolders: (name) => Object.values(environments.get(name)?.config.data ?? {}),
    ...(config.python ? { python: config.python } : {}),
    ...(config.path ? { path: config.path } : {}),
  });
  return { executor, local: executor, begin: () => undefined, stop: (graceMs) => executor.stop(graceMs) };
}

function startQueue(
  { options, db, storageFor, clock, observer }: RunningParts,
  processId: string,
  redisUrl: string,
): StartedExecutor {
  const problem = (what: string, error: unknown): void => observer.problem(what, error);
  const executor = new QueueExecutor({
    processId,
    store: createAssignmentStore(db),
    broker: createBroker(redisUrl, (error) => problem('reaching Redis', error)),
    storageFor,
    clock,
    problem,
    onReaped: (count) => observer.event('attempts-lost', { count }),
  });
  const closers: (() => Promise<void>)[] = [];
  return {
    executor,
    local: null,
    begin: () => {
      const loop = startLooking(() => executor.look(), LOOK_MS, clock);
      const news = listen(options.databaseUrl, 'sluice_news', () => loop.wake());
      closers.push(
        () => news.close(),
        () => loop.stop(),
      );
    },
    stop: async () => {
      for (const close of closers) await close();
      await executor.stop();
    },
  };
}
