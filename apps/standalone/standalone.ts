import path from 'node:path';
import { SluiceError } from '#core';
import type { Config, Installation, Log } from '#platform';
import {
  Auth,
  createApiCommands,
  createReads,
  GraphLayouts,
  keepToken,
  LiveEvents,
  lockInstance,
  openInstallation,
  removeServerFile,
  startEmbeddedPostgres,
  systemClock,
  WorkingTree,
  WORKING_TREE_ENVIRONMENT,
  writeServerFile,
} from '#platform';
import { createApi } from '../api/index.ts';

export interface Standalone {
  /** Where the web view is, without a slash at the end. */
  readonly url: string;
  /** A code that signs a browser in once. */
  readonly loginCode: () => string;
  readonly installation: Installation;
  /** Problems of the files as they are now. */
  readonly tree: WorkingTree;
  stop(): Promise<void>;
}

export interface StandaloneOptions {
  readonly config: Config;
  readonly log: Log;
  readonly version: string;
  /** Folder of the installed package: holds dist/ and package.json. */
  readonly packageRoot: string;
  readonly progress: (line: string) => void;
}

/** Everything in one process: Postgres, scheduler, executor, API, web view, on the working tree of a project. */
export async function startStandalone(options: StandaloneOptions): Promise<Standalone> {
  const { config, log, version, packageRoot, progress } = options;
  const closers: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    // In reverse order; one that fails must not keep the others open.
    for (const close of closers.splice(0).reverse())
      await Promise.resolve(close()).catch((err: unknown) => log.error({ err }, 'stopping'));
  };
  try {
    const lock = await lockInstance(config.home);
    closers.push(() => lock.release());
    const databaseUrl = config.databaseUrl?.reveal() ?? (await embedded(config, log, progress, closers));
    const url = config.publicUrl ?? `http://${config.host === '0.0.0.0' ? '127.0.0.1' : config.host}:${config.port}`;
    const installation = await openInstallation({
      config,
      databaseUrl,
      log,
      publicUrl: url,
      childFolder: path.join(packageRoot, 'dist', 'child'),
      packageRoot,
    });
    closers.push(() => installation.close());

    const events = new LiveEvents(installation.db, (err) => log.error({ err }, 'reading live events'));
    await events.start();
    closers.push(() => events.stop());
    const tree = new WorkingTree({
      project: config.project,
      ...pick(installation),
      log,
      onChange: () => installation.wake(),
    });
    closers.push(() => tree.close());
    await installation.environments.load(installation.store, 'working tree');
    const layouts = new GraphLayouts();
    closers.push(() => layouts.close());
    const auth = new Auth(config.token?.reveal() ?? (await keepToken(config.home)), systemClock);
    const reads = createReads({
      db: installation.db,
      store: installation.store,
      catalog: installation.pipelines,
      layouts,
      now: () => new Date(),
      environment: (name) => installation.environments.get(name),
      logsFor: installation.logsFor,
      storageFor: installation.storageFor,
      treeProblems: (name) => (name === WORKING_TREE_ENVIRONMENT ? tree.problems() : []),
      progress: (runId, taskId, mapIndex) => events.progress(runId, taskId, mapIndex),
      process: {
        version,
        startedAt: new Date(),
        executor: () => ({
          kind: 'local',
          capacity: installation.executor()?.capacity ?? 0,
          running: installation.executor()?.running() ?? 0,
        }),
      },
    });
    const api = await createApi({
      config,
      reads,
      commands: createApiCommands(installation.commands, installation.store, installation.environments),
      events,
      auth,
      metrics: installation.metrics,
      log,
      webFolder: path.join(packageRoot, 'dist', 'web'),
      version,
    });
    closers.push(() => api.close());
    const port = await api.listen(config.host, config.port);
    const served = config.publicUrl ?? url.replace(/:\d+$/, `:${port}`);
    await writeServerFile(config.home, {
      url: served,
      token: config.token?.reveal() ?? (await keepToken(config.home)),
      pid: process.pid,
      startedAt: new Date().toISOString(),
    });
    closers.push(() => removeServerFile(config.home));
    installation.onCommit(() => events.wake());
    installation.onProgress((event) => events.tellProgress(event));
    await tree.follow();
    await installation.startScheduler();
    return { url: served, loginCode: () => auth.createLoginCode().code, installation, tree, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function pick({ store, releases, environments }: Installation) {
  return { store, releases, environments };
}

async function embedded(
  config: Config,
  log: Log,
  progress: (line: string) => void,
  closers: (() => Promise<void> | void)[],
): Promise<string> {
  progress('Starting the embedded Postgres …');
  try {
    const postgres = await startEmbeddedPostgres({
      dataFolder: path.join(config.home, 'postgres'),
      log: (line) => log.info(line),
    });
    closers.push(() => postgres.stop());
    return postgres.url;
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError('unavailable', `The embedded Postgres does not start: ${(error as Error).message}`, {
      hint: 'Set DATABASE_URL to use a Postgres of your own.',
      cause: error,
    });
  }
}
