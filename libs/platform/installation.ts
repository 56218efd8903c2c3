import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import type { DataSource } from 'typeorm';
import type { AlertSender, Clock, EngineStore, LogStore, SecretSource } from '#core';
import { SluiceError } from '#core';
import type { LiveEvent } from '#contracts';
import { createEmailSender, createSlackSender } from '#alerts';
import type { AlertDefaults, Observer } from '#engine';
import { Commands, deliverAlerts, Scheduler } from '#engine';
import type { ReleaseStore } from '#release';
import { createReleaseStore } from '#release';
import type { LocalExecutor } from '#runner';
import { createLocalExecutor, endLeftovers } from '#runner';
import type { FileStorage } from '#storage';
import { createFileLogs, createFileStorage } from '#storage';
import { connectDatabase, createStore, migrate } from '#store';
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { EnvironmentFiles, storageFolder } from './environment-files.ts';
import type { Log } from './log.ts';
import { observe } from './observe.ts';
import { ReleasePipelines } from './release-pipelines.ts';
import { sweepStorage } from './sweep-storage.ts';
import { SystemMetrics } from './system-metrics.ts';

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
  readonly releases: ReleaseStore;
  readonly pipelines: ReleasePipelines;
  readonly commands: Commands;
  readonly metrics: SystemMetrics;
  readonly storageFor: (environment: string) => FileStorage;
  readonly logsFor: (environment: string) => LogStore;
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

const LEASE_MS = 10_000;
const ALERT_LOOK_MS = 1000;
const ALERT_LANES = 8;
const STOP_GRACE_MS = 2000;

export async function openInstallation(options: InstallationOptions): Promise<Installation> {
  const { config, databaseUrl, log, publicUrl } = options;
  const clock = options.clock ?? systemClock;
  await migrate(databaseUrl);
  const db = await connectDatabase(databaseUrl);
  const store = createStore(db);
  const environments = new EnvironmentFiles(config.project, options.storageRoot ?? null);
  const releases = createReleaseStore({ folder: path.join(config.home, 'releases') });
  const pipelines = new ReleasePipelines(releases);
  const metrics = new SystemMetrics();
  const listeners: { commit: () => void; progress: (event: ProgressEvent) => void } = {
    commit: () => undefined,
    progress: () => undefined,
  };
  const observer = observe(log, metrics, () => listeners.commit());
  const rootOf = (name: string): string => {
    const environment = environments.get(name);
    if (!environment) throw new SluiceError('not_found', `There is no environment "${name}" in environments/.`);
    return storageFolder(environment.config.storage);
  };
  const storageFor = perEnvironment(rootOf, (root) => createFileStorage({ root }));
  const logsFor = perEnvironment(rootOf, (root) => createFileLogs({ root }));
  let running: Running | null = null;
  const wake = (): void =>
    void running?.scheduler.poke().catch((error: unknown) => observer.problem('acting on a hint', error));
  const commands = new Commands({ store, pipelines, environments, now: () => clock.now(), onChange: wake });
  const common = {
    options,
    db,
    onProgress: (event: ProgressEvent) => listeners.progress(event),
    store,
    environments,
    releases,
    pipelines,
    observer,
    storageFor,
    logsFor,
    clock,
  };

  return {
    config,
    db,
    store,
    environments,
    releases,
    pipelines,
    commands,
    metrics,
    storageFor,
    logsFor,
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
      await db.destroy();
    },
  };
}

interface Running {
  readonly scheduler: Scheduler;
  readonly executor: LocalExecutor;
  stop(): Promise<void>;
}

async function startRunning(parts: {
  options: InstallationOptions;
  db: DataSource;
  onProgress: (event: ProgressEvent) => void;
  store: EngineStore;
  environments: EnvironmentFiles;
  releases: ReleaseStore;
  pipelines: ReleasePipelines;
  observer: Observer;
  storageFor: (environment: string) => FileStorage;
  logsFor: (environment: string) => LogStore;
  clock: Clock;
  publicUrl: string;
}): Promise<Running> {
  const { options, store, environments, releases, pipelines, observer, storageFor, logsFor, clock, publicUrl } = parts;
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
    childFolder: path.join(options.packageRoot, 'dist', 'child'),
    scratchFolder: path.join(config.home, 'scratch'),
    pidFolder,
    moduleRoot: options.config.project,
    dataFolders: environments.all().flatMap((environment) => Object.values(environment.config.data)),
    ...(config.python ? { python: config.python } : {}),
  });
  const host = `${hostname()}:${config.home}`;
  await store.retireHost(host);
  const scheduler = new Scheduler({
    processId: `scheduler-${randomUUID()}`,
    host,
    pid: process.pid,
    store,
    executor,
    storageFor,
    pipelines,
    environments,
    clock,
    observer,
    alertDefaults: alertDefaults(config, publicUrl),
    leaseMs: LEASE_MS,
    firesSchedules: options.firesSchedules ?? true,
    onProgress: parts.onProgress,
  });
  await scheduler.start();
  const stopAlerts = startAlerts({ store, senders: await createSenders(config), logsFor, observer }, clock);
  const stopSweep = sweepStorage({
    db: parts.db,
    clock,
    environments: () => environments.all().map(({ config: { name } }) => name),
    storageFor,
    problem: (error) => observer.problem('sweeping storage', error),
  });
  return {
    scheduler,
    executor,
    stop: async () => {
      stopAlerts();
      stopSweep();
      await scheduler.stop();
      await executor.stop(STOP_GRACE_MS);
    },
  };
}

/** A look waits for all it took: a channel that hangs holds one lane for some seconds, and others find what comes next. */
function startAlerts(deliverer: Parameters<typeof deliverAlerts>[0], clock: Clock): () => void {
  let stopped = false;
  let busy = 0;
  let cancel = (): void => undefined;
  const deliver = async (): Promise<void> => {
    busy += 1;
    try {
      // Until nothing is due, then wait for the next look.
      while (!stopped && (await deliverAlerts(deliverer)) > 0);
    } catch (error) {
      deliverer.observer.problem('delivering alerts', error);
    } finally {
      busy -= 1;
    }
  };
  const look = (): void => {
    if (busy < ALERT_LANES) void deliver();
    if (!stopped) cancel = clock.schedule(ALERT_LOOK_MS, look);
  };
  look();
  return () => {
    stopped = true;
    cancel();
  };
}

async function createSenders(config: Config): Promise<ReadonlyMap<string, AlertSender>> {
  const senders = new Map<string, AlertSender>();
  if (config.slackToken)
    senders.set(
      'slack',
      createSlackSender({
        token: config.slackToken.reveal(),
        ...(config.slackApiUrl ? { apiUrl: config.slackApiUrl } : {}),
      }),
    );
  if (config.smtpUrl)
    senders.set(
      'email',
      createEmailSender({ smtpUrl: config.smtpUrl.reveal(), from: config.mailFrom ?? 'sluice@localhost' }),
    );
  return senders;
}

function alertDefaults(config: Config, publicUrl: string): AlertDefaults {
  return {
    publicUrl,
    unavailable: {
      ...(config.slackToken ? {} : { slack: 'Slack is not configured: set SLACK_BOT_TOKEN and start again' }),
      ...(config.smtpUrl ? {} : { email: 'mail is not configured: set SMTP_URL and start again' }),
    },
  };
}

async function readSecret(source: SecretSource): Promise<string> {
  if ('file' in source) return (await readFile(source.file, 'utf8')).replace(/\n$/, '');
  const value = process.env[source.env];
  if (value === undefined)
    throw new SluiceError('unavailable', `The secret's variable ${source.env} is not set in Sluice's environment.`, {
      hint: `Set ${source.env} and start again.`,
    });
  return value;
}

function perEnvironment<T>(
  rootOf: (environment: string) => string,
  create: (root: string) => T,
): (environment: string) => T {
  const byRoot = new Map<string, T>();
  return (environment) => {
    const root = rootOf(environment);
    const known = byRoot.get(root) ?? create(root);
    byRoot.set(root, known);
    return known;
  };
}
