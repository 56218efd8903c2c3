import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { otherInstallation, type Clock } from '#core';
import type { Observer, VerificationParts } from '#engine';
import { Scheduler } from '#engine';
import type { LocalExecutor } from '#runner';
import { DEFAULT_PATH } from '#runner';
import { listen } from '#store';
import { alertDefaults, AlertSenders } from './alert-senders.ts';
import { buildsOf, startLookingAtBuilds } from './builds-loop.ts';
import { startDelivering } from './deliver-loop.ts';
import { createElsewhere } from './elsewhere.ts';
import { startArchiving } from './history/history-loop.ts';
import { createGlances, type Glances } from './glances.ts';
import { followRemotes } from './follow/follow-remotes.ts';
import type { RemoteFollowers } from './follow/remote-followers.ts';
import type { Installation, InstallationOptions, ProgressEvent } from './installation.ts';
import { createHttpLook } from './look-at-address.ts';
import { killAt, withDebugPoints } from './debug-points.ts';
import { startPromoting } from './promote-loop.ts';
import { readSecret } from './read-secret.ts';
import { releaseProblems } from './release-problems.ts';
import { startExecutor } from './start-executor.ts';
import { statusOf } from './status-of.ts';
import { sweepReleases } from './sweep-releases.ts';
import { sweepStorage } from './sweep-storage.ts';
import { toolVersions } from './tool-versions.ts';
import { startVerifying } from './verify-loop.ts';
import { startWatchingTransactions } from './watch-transactions.ts';

/** What a process does besides answering: it fires, claims, executes, promotes, follows and alerts. */
export interface Running {
  readonly scheduler: Scheduler;
  /** Null: attempts are executed elsewhere. */
  readonly executor: LocalExecutor | null;
  /** Somebody wants something of a promotion. */
  promote(): void;
  /** The engine wrote: a run that ended may be what a promotion waits for. */
  committed(): void;
  readonly following: RemoteFollowers;
  stop(): Promise<void>;
}

export interface RunningParts extends Pick<
  Installation,
  | 'db'
  | 'store'
  | 'environments'
  | 'previews'
  | 'releases'
  | 'pipelines'
  | 'promotionStore'
  | 'isFollowed'
  | 'storageFor'
  | 'logsFor'
  | 'objectsFor'
  | 'wake'
> {
  readonly options: InstallationOptions;
  readonly clock: Clock;
  readonly observer: Observer;
  /** How people reach the web view; empty: unknown. */
  readonly publicUrl: string;
  readonly verificationParts: VerificationParts;
  /** Screens have something new to show. */
  readonly onCommit: () => void;
  readonly onProgress: (event: ProgressEvent) => void;
  readonly onUnfollowed: (environment: string) => void;
}

/** A dead scheduler's runs are to be somebody else's within ten seconds: a lease, and a look of whoever takes them. */
const LEASE_MS = 8000;
const STOP_GRACE_MS = 2000;

export async function startRunning(parts: RunningParts): Promise<Running> {
  const { options, db, store, environments, releases, pipelines, observer, storageFor, logsFor, clock, publicUrl } =
    parts;
  const { config } = options;
  const host = `${hostname()}:${config.home}`;
  await store.retireHost(host);
  const processId = `scheduler-${randomUUID()}`;
  const started = await startExecutor(parts, processId);
  const noting = toolVersions(options.packageRoot, { python: config.python, searchPath: config.path ?? DEFAULT_PATH })
    .then((tools) => parts.verificationParts.verifications.recordTools(processId, tools))
    .catch((error: unknown) => observer.problem('noting the versions of interpreters', error));
  let glances = null as Glances | null;
  const scheduler = new Scheduler({
    processId,
    host,
    pid: process.pid,
    store,
    executor: started.executor,
    storageFor,
    releaseFiles: (release) => pipelines.files(release),
    pipelines,
    environments,
    httpLook: createHttpLook({ environments, readSecret }),
    clock,
    observer,
    alertDefaults: alertDefaults(config, publicUrl),
    leaseMs: LEASE_MS,
    firesSchedules: options.firesSchedules ?? true,
    onProgress: parts.onProgress,
    onWorkBeside: (there) => glances?.hear(there),
  });
  await parts.previews.load();
  started.begin();
  await scheduler.start();
  // Commands of an API elsewhere are acted on at once.
  const inbox = listen(options.databaseUrl, 'sluice_inbox', parts.wake);
  const senders = new AlertSenders(config, environments);
  const senderFor = (name: string, kind: string) => senders.for(name, kind);
  const delivering = startDelivering({ store, senderFor, logsFor, observer }, clock);
  const promotionParts = {
    ...{ promotions: parts.promotionStore, store, pipelines, environments, clock, observer, readSecret, statusOf },
    ...{ isFollowed: parts.isFollowed, alertDefaults: alertDefaults(config, publicUrl), wake: parts.wake },
    releaseProblems: (release: string) => releaseProblems(releases, release),
    elsewhere: createElsewhere({ db, releases, readSecret }),
  };
  const { debugKill } = config;
  const promoting = startPromoting(
    debugKill === null ? promotionParts : withDebugPoints(promotionParts, killAt(debugKill)),
    clock,
  );
  const lookingAtBuilds =
    config.jenkins === null
      ? null
      : startLookingAtBuilds({ promotions: parts.promotionStore, observer }, buildsOf(config.jenkins), clock);
  const verifying = startVerifying(
    { ...parts.verificationParts, alertDefaults: alertDefaults(config, publicUrl) },
    clock,
    parts.onCommit,
  );
  const following = followRemotes(parts, processId).start();
  const removing = parts.previews.startRemoving();
  const stopReleaseSweep = sweepReleases({ db, releases, clock, observer });
  glances = createGlances({
    alerts: delivering.wake,
    follows: () => following.wake(),
    previews: removing.wake,
    promotions: promoting.wake,
    verifications: verifying.wake,
  });
  const { objectsFor } = parts;
  const archiving = startArchiving({ db, clock, environments, storageFor, objectsFor }, observer);
  const watching = startWatchingTransactions({ db, log: options.log, observer }, clock);
  const stopSweep = sweepStorage({
    db,
    clock,
    environments: () =>
      environments
        .all()
        .filter(({ config }) => otherInstallation(config.promotion) === null)
        .map(({ config: { name } }) => name),
    storageFor,
    problem: (error) => observer.problem('sweeping storage', error),
  });
  return {
    scheduler,
    executor: started.local,
    promote: () => {
      promoting.wake();
      glances?.expect('promotions');
    },
    committed: () => {
      if (glances?.saw('promotions')) promoting.wake();
    },
    following,
    stop: async () => {
      stopSweep();
      glances = null;
      await inbox.close();
      await Promise.all([
        ...[delivering.stop(), stopReleaseSweep(), verifying.stop(), noting],
        ...[promoting.stop(), lookingAtBuilds?.stop(), following.stop(), archiving.stop()],
        watching.stop(),
      ]);
      await scheduler.stop();
      await started.stop(STOP_GRACE_MS);
    },
  };
}
