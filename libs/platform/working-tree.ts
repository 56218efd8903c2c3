import type { EngineStore, Problem } from '#core';
import { SluiceError } from '#core';
import type { ReleaseStore, StoredRelease } from '#release';
import { snapshotFolder, watchFolder } from '#release';
import path from 'node:path';
import type { EnvironmentFiles } from './environment-files.ts';
import type { Log } from './log.ts';

export interface WorkingTreeOptions {
  /** Folder that holds `dags/` and `environments/`. */
  readonly project: string;
  readonly store: EngineStore;
  readonly releases: ReleaseStore;
  readonly environments: EnvironmentFiles;
  readonly log: Log;
  /** Environment that runs the working tree; `dev` unless given. */
  readonly environment?: string;
  /** True while a git remote decides the environment's release: the files then wait. Never unless given. */
  readonly followsRemote?: (environment: string) => Promise<boolean>;
  /** Called after an environment points at another release, or its file changed. */
  readonly onChange: () => void;
}

/** The environment that follows the working tree, unless it follows a git remote. */
export const WORKING_TREE_ENVIRONMENT = 'dev';

/** Makes `dags/` and `environments/` of a working tree what `dev` runs, now and whenever a file changes. */
export class WorkingTree {
  private stopWatching: (() => void)[] = [];
  private current: StoredRelease | null = null;
  private busy: Promise<void> = Promise.resolve();
  private failure: Problem | null = null;

  constructor(private readonly options: WorkingTreeOptions) {}

  /** Mistakes in the files as they are now, broken pipelines included. */
  problems(): readonly Problem[] {
    const ofPipelines = Object.values(this.current?.problems ?? {}).flat();
    return [...(this.failure ? [this.failure] : []), ...ofPipelines, ...this.options.environments.problems()];
  }

  /** Resolves once the present content is what `dev` runs; later changes follow within two seconds. */
  async follow(): Promise<void> {
    await this.refresh();
    for (const name of ['dags', 'environments']) {
      const watcher = watchFolder(path.join(this.options.project, name), () => void this.refresh(), { quietMs: 200 });
      this.stopWatching.push(() => watcher.close());
    }
  }

  close(): void {
    for (const stop of this.stopWatching) stop();
  }

  /** One after the other; a failure is kept as a problem and the last good release goes on. */
  refresh(): Promise<void> {
    this.busy = this.busy.then(async () => {
      try {
        await this.apply();
        this.failure = null;
      } catch (error) {
        this.failure = {
          file: 'dags',
          line: 1,
          column: 1,
          message: (error as Error).message,
          ...(error instanceof SluiceError && error.hint ? { hint: error.hint } : {}),
        };
        this.options.log.error({ err: error }, 'the working tree cannot become a release; the last one goes on');
      }
    });
    return this.busy;
  }

  private async apply(): Promise<void> {
    const {
      project,
      store,
      releases,
      environments,
      log,
      onChange,
      followsRemote,
      environment = WORKING_TREE_ENVIRONMENT,
    } = this.options;
    await environments.load(store, 'working tree');
    if (await followsRemote?.(environment)) {
      this.current = null;
      return onChange();
    }
    const release = await releases.put(await snapshotFolder({ repository: project }));
    this.current = release;
    const pointer = await store.currentRelease(environment);
    if (pointer?.release !== release.digest && environments.get(environment)) {
      // Somebody else may have moved it meanwhile: the next look settles that.
      await store.pointAt(environment, release, pointer?.seq ?? 0, 'working tree');
      const broken = Object.keys(release.problems).length;
      log.info(
        { release: release.digest.slice(0, 12), alias: release.alias, pipelines: release.pipelines.length, broken },
        `${environment} runs a new release`,
      );
    }
    onChange();
  }
}
