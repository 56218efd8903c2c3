import path from 'node:path';
import { SluiceError } from '#core';
import type { Config, Installation, Log } from '#platform';
import { lockInstance, openInstallation, startEmbeddedPostgres, WorkingTree } from '#platform';
import { serveApi } from '../api/serve.ts';

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
    const installation = await openInstallation({
      config,
      databaseUrl,
      log,
      publicUrl: '',
      packageRoot,
    });
    closers.push(() => installation.close());

    await installation.environments.load(installation.store, 'working tree');
    const tree = new WorkingTree({
      project: config.project,
      ...pick(installation),
      log,
      onChange: () => installation.wake(),
    });
    closers.push(() => tree.close());
    installation.onUnfollowed(() => void tree.refresh());
    const served = await serveApi({ installation, log, version, packageRoot, problems: () => tree.problems() });
    closers.push(() => served.close());
    await tree.follow();
    await installation.startScheduler(served.url);
    return { url: served.url, loginCode: served.loginCode, installation, tree, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function pick({ store, releases, environments, followsRemote }: Installation) {
  return { store, releases, environments, followsRemote };
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
