import path from 'node:path';
import type { DataSource } from 'typeorm';
import type { Clock, EngineStore, FileContent, LogStore, ObjectStore, PromotionStore } from '#core';
import { otherInstallation, previewParts, SluiceError } from '#core';
import type { LiveEvent } from '#contracts';
import type { Scheduler } from '#engine';
import { Backfills, Commands, Events, Promotions, requestVerification } from '#engine';
import type { ReleaseStore } from '#release';
import { createReleaseStore, folderObjects } from '#release';
import type { LocalExecutor } from '#runner';
import type { EnvironmentStorage } from '#storage';
import {
  apiQueries,
  connectDatabase,
  createPromotionStore,
  createStore,
  createVerificationStore,
  createWorkStore,
  followQueries,
  markShadowVersions,
  migrate,
} from '#store';
import { alertDefaults } from './alert-senders.ts';
import { beatAsApi } from './beat-as-api.ts';
import { systemClock } from './clock.ts';
import { eraseMarked } from './collect-garbage.ts';
import type { Config } from './config.ts';
import { EnvironmentFiles } from './environment-files.ts';
import type { Log } from './log.ts';
import type { LookLoop } from './look-loop.ts';
import { observe } from './observe.ts';
import { Previews } from './previews.ts';
import { readSecret } from './read-secret.ts';
import { ReleasePipelines } from './release-pipelines.ts';
import { startRunning, type Running } from './running.ts';
import { type OpenedRoot, StorageRoots, openBucket } from './storage-roots.ts';
import { SystemMetrics } from './system-metrics.ts';
import { filesOfVersion, textOfVersion } from './version-files.ts';
import { Work } from './work.ts';
import { WORKING_TREE_ENVIRONMENT } from './working-tree.ts';

export interface InstallationOptions {
  readonly config: Config;
  readonly databaseUrl: string;
  readonly log: Log;
  readonly publicUrl: string;
  /** Folder of the installed package; the runner's child programs are in its dist/child. */
  readonly packageRoot: string;
  readonly clock?: Clock;
  /** False: runs are only made by hand. Default true. */
  readonly firesSchedules?: boolean;
  /** Keep every environment's data below this folder instead of where its file says. */
  readonly storageRoot?: string;
}

/** Everything behind the API and the scheduler on one machine, wired; nothing runs until `startScheduler`. */
export interface Installation {
  readonly config: Config;
  readonly db: DataSource;
  readonly store: EngineStore;
  readonly environments: EnvironmentFiles;
  /** Known here from `follow` or `startScheduler` on. */
  readonly previews: Previews;
  readonly releases: ReleaseStore;
  readonly pipelines: ReleasePipelines;
  readonly commands: Commands;
  readonly events: Events;
  readonly backfills: Backfills;
  readonly promotionStore: PromotionStore;
  readonly promotions: Promotions;
  /** True for environments whose release something else decides: a promotion there verifies and points at nothing. */
  readonly isFollowed: (environment: string) => Promise<boolean>;
  /** True for those of them whose release a git remote decides. */
  readonly followsRemote: (environment: string) => Promise<boolean>;
  /** Remotes were asked about, or others are followed: the followers of this process look at once. */
  lookAtRemotes(): void;
  /** Called when an environment follows no git remote any more, in processes that run a scheduler. */
  onUnfollowed(listener: (environment: string) => void): void;
  /** Executes a run again to compare what it writes; the verification's id. See `requestVerification`. */
  verify(runId: string, actor: string): Promise<string>;
  readonly metrics: SystemMetrics;
  readonly work: Work;
  /** To be called once the API serves: workers are thought dead only while one does. Returns how to end it. */
  serving(): LookLoop;
  readonly storageFor: (environment: string) => EnvironmentStorage;
  readonly logsFor: (environment: string) => LogStore;
  /** Whole contents below an environment's storage root. */
  readonly objectsFor: (environment: string) => ObjectStore;
  /** Null until `startScheduler`. */
  scheduler(): Scheduler | null;
  executor(): LocalExecutor | null;
  /**
   * Ends what a dead predecessor left, then fires, claims, executes and alerts until `close`. Alerts link to `servedAt`,
   * which is known only once the API listens; `publicUrl` unless given.
   */
  startScheduler(servedAt?: string): Promise<void>;
  /** Called after each commit of the engine, as a hint for live screens. */
  onCommit(listener: () => void): void;
  onProgress(listener: (event: ProgressEvent) => void): void;
  /** Something changed that the scheduler should look at now. */
  wake(): void;
  close(): Promise<void>;
}

/** How far a running task says that it is. */
export type ProgressEvent = Extract<LiveEvent, { kind: 'progress' }>;

export async function openInstallation(options: InstallationOptions): Promise<Installation> {
  const { config, databaseUrl, log, publicUrl } = options;
  const clock = options.clock ?? systemClock;
  await migrate(databaseUrl);
  const db = await connectDatabase(databaseUrl);
  const store = createStore(db);
  const environments = new EnvironmentFiles(config.project, options.storageRoot ?? null);
  const releasesFolder = path.join(config.home, 'releases');
  const releaseObjects =
    config.releases === null ? folderObjects(releasesFolder) : openBucket(config.releases, config.s3);
  const releases = createReleaseStore({ folder: releasesFolder, objects: releaseObjects });
  const pipelines = new ReleasePipelines(releases);
  const metrics = new SystemMetrics();
  const listeners: {
    commit: () => void;
    progress: (event: ProgressEvent) => void;
    unfollowed: (environment: string) => void;
  } = { commit: () => undefined, progress: () => undefined, unfollowed: () => undefined };
  const observer = observe(log, metrics, () => {
    listeners.commit();
    running?.committed();
  });
  const roots = new StorageRoots({
    s3: config.s3,
    cacheFolder: path.join(config.home, 'cache'),
    problem: (what, error) => observer.problem(what, error),
  });
  const rootOf = (name: string): OpenedRoot => {
    const environment = environments.get(name);
    if (!environment && previewParts(name) !== null)
      throw new SluiceError('not_found', `The preview ${name} was removed, and its data and logs with it.`);
    if (!environment) throw new SluiceError('not_found', `There is no environment "${name}" in environments/.`);
    const elsewhere = otherInstallation(environment.config.promotion);
    if (elsewhere !== null) throw new SluiceError('not_found', `The data of ${name} is at ${elsewhere.url}.`);
    return roots.at(environment.config.storage);
  };
  const storageFor = (name: string): EnvironmentStorage => rootOf(name).storage;
  const logsFor = (name: string): LogStore => rootOf(name).logs;
  const objectsFor = (name: string): ObjectStore => rootOf(name).objects;
  let running: Running | null = null;
  const wake = (): void =>
    void running?.scheduler.poke().catch((error: unknown) => observer.problem('acting on a hint', error));
  const previews = new Previews({ db, store, environments, roots, clock, observer, wake });
  // In one that is being removed nothing begins any more.
  const open = {
    get: (name: string) => (environments.isClosing(name) ? null : environments.get(name)),
    all: () => environments.all(),
  };
  const acting = { store, pipelines, environments: open, now: () => clock.now(), onChange: wake };
  const commands = new Commands(acting);
  const backfills = new Backfills(acting);
  const events = new Events({ ...acting, alertDefaults: alertDefaults(config, publicUrl) });
  const promotionStore = createPromotionStore(db);
  const followsRemote = (environment: string) => followQueries.isFollowing(db, environment);
  const isFollowed = async (environment: string): Promise<boolean> =>
    environment === WORKING_TREE_ENVIRONMENT || (await followsRemote(environment));
  const promotions = new Promotions({
    ...{ promotions: promotionStore, pipelines, environments, isFollowed, clock },
    groupsOf: (name) => apiQueries.groupsOfToken(db, name),
    jenkins: config.jenkins,
    onChange: () => running?.promote(),
  });
  const verificationParts = {
    ...{ verifications: createVerificationStore(db), store, pipelines, environments, clock, observer, wake },
    filesOf: (name: string, version: string, hash: string) => filesOfVersion(storageFor(name), version, hash),
    textOf: (name: string, version: string, file: FileContent) => textOfVersion(storageFor(name), version, file),
    discard: async (shadowRunId: string) => {
      await markShadowVersions(db, shadowRunId);
      await eraseMarked({ db, storageFor });
    },
    alertDefaults: alertDefaults(config, publicUrl),
  };
  const work = new Work({
    ...{ store: createWorkStore(db), environments, readSecret, releaseObjects },
    onProgress: (event) => listeners.progress(event),
  });
  const common = {
    options,
    db,
    onProgress: (event: ProgressEvent) => listeners.progress(event),
    store,
    environments,
    previews,
    releases,
    pipelines,
    observer,
    storageFor,
    logsFor,
    objectsFor,
    clock,
    promotionStore,
    isFollowed,
    wake,
    verificationParts,
    onCommit: () => listeners.commit(),
    onUnfollowed: (environment: string) => listeners.unfollowed(environment),
  };

  return {
    config,
    db,
    store,
    environments,
    previews,
    releases,
    pipelines,
    commands,
    events,
    backfills,
    promotionStore,
    promotions,
    isFollowed,
    followsRemote,
    lookAtRemotes: () => running?.following.wake(),
    onUnfollowed: (listener) => void (listeners.unfollowed = listener),
    verify: (runId, actor) => requestVerification(verificationParts, runId, { actor, sampled: false }),
    metrics,
    work,
    serving: () => beatAsApi(store, clock, observer),
    storageFor,
    logsFor,
    objectsFor,
    wake,
    onCommit: (listener) => void (listeners.commit = listener),
    onProgress: (listener) => void (listeners.progress = listener),
    scheduler: () => running?.scheduler ?? null,
    executor: () => running?.executor ?? null,
    startScheduler: async (servedAt = publicUrl) => {
      running ??= await startRunning({ ...common, publicUrl: servedAt });
    },
    close: async () => {
      await running?.stop();
      await previews.stop();
      await db.destroy();
    },
  };
}
