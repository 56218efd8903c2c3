import path from 'node:path';
import type { Executor } from '#core';
import { connectCluster, JobKeeper } from '#kubernetes';
import { createBroker, QueueExecutor, type Broker } from '#queue';
import { createLocalExecutor, endLeftovers, type LocalExecutor } from '#runner';
import { createAssignmentStore, createPlacementStore, listen } from '#store';
import { readKubernetesSettings } from './kubernetes-settings.ts';
import { startLooking, type LookLoop } from './look-loop.ts';
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
/** While nothing has a job: what another process leaves behind is found so late. */
const IDLE_LOOK_MS = 10_000;

/** What executes attempts: this process, with REDIS_URL the workers that hear of them there, with SLUICE_KUBERNETES pods. */
export async function startExecutor(parts: RunningParts, processId: string): Promise<StartedExecutor> {
  const { config, log } = parts.options;
  const redisUrl = config.redisUrl?.reveal();
  // Whatever executes from now on: an earlier start may have executed here.
  const pidFolder = path.join(config.home, 'run');
  const ended = await endLeftovers(pidFolder);
  if (ended > 0) log.warn({ groups: ended }, 'ended process groups that an earlier start left behind');
  if (config.kubernetes !== null) return startKubernetes(parts, processId, config.kubernetes);
  if (redisUrl === undefined) return startLocal(parts, pidFolder);
  const problem = (error: unknown): void => parts.observer.problem('reaching Redis', error);
  return startElsewhere(parts, processId, createBroker(redisUrl, problem));
}

function startLocal(
  { options, storageFor, logsFor, releases, environments }: RunningParts,
  pidFolder: string,
): StartedExecutor {
  const { config } = options;
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
    onProcessorsNotHeld: (reason) => options.log.warn(reason),
    dataFolders: (name) => Object.values(environments.get(name)?.config.data ?? {}),
    ...(config.python ? { python: config.python } : {}),
    ...(config.sparkSubmit ? { sparkSubmit: config.sparkSubmit } : {}),
    ...(config.path ? { path: config.path } : {}),
  });
  return { executor, local: executor, begin: () => undefined, stop: (graceMs) => executor.stop(graceMs) };
}

async function startKubernetes(parts: RunningParts, processId: string, file: string): Promise<StartedExecutor> {
  const { options, db, clock, observer } = parts;
  const settings = await readKubernetesSettings(file);
  let loop: LookLoop | null = null;
  const wake = (): void => loop?.wake();
  const keeper = new JobKeeper({
    store: createPlacementStore(db),
    cluster: await connectCluster({ kubeconfig: options.config.kubeconfig, settings, clock }),
    ...{ settings, clock, wake },
    problem: (what, error) => observer.problem(what, error),
    onGivenUp: (count) => observer.event('attempts-lost', { count }),
  });
  const executor = startElsewhere(parts, processId, whoLooksItself(wake));
  return {
    ...executor,
    begin: () => {
      executor.begin();
      keeper.start();
      loop = startLooking(
        () => keeper.look(),
        () => (keeper.isIdle ? IDLE_LOOK_MS : LOOK_MS),
        clock,
      );
    },
    stop: async (graceMs) => {
      await loop?.stop();
      await keeper.stop();
      await executor.stop(graceMs);
    },
  };
}

/** Sees what waits in the database, so that it need only be woken. */
function whoLooksItself(wake: () => void): Broker {
  const done = Promise.resolve();
  return {
    remembers: () => Promise.resolve(true),
    mark: () => done,
    tell: () => {
      wake();
      return done;
    },
    close: () => done,
  };
}

/** Attempts are rows that workers elsewhere claim through the API; the broker has these workers know of them. */
function startElsewhere(
  { options, db, storageFor, clock, observer }: RunningParts,
  processId: string,
  broker: Broker,
): StartedExecutor {
  const executor = new QueueExecutor({
    processId,
    store: createAssignmentStore(db),
    broker,
    storageFor,
    clock,
    problem: (what, error) => observer.problem(what, error),
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
