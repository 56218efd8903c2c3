import path from 'node:path';
import type { Problem } from '#core';
import type { Installation, Log } from '#platform';
import {
  Auth,
  createApiCommands,
  createEventCommands,
  createBackfillCommands,
  createBackfillReads,
  createHistoryCommands,
  createHistoryReads,
  createDriftReads,
  createPreviewCommands,
  createFollowCommands,
  createPromotionCommands,
  createPromotionReads,
  createReads,
  createReleaseCommands,
  createReleaseReads,
  createVerificationCommands,
  mirrorsFolder,
  createVerificationReads,
  GraphLayouts,
  keepToken,
  LiveEvents,
  NamedTokens,
  readGauges,
  removeServerFile,
  slackDecisionsOf,
  systemClock,
  WORKING_TREE_ENVIRONMENT,
  workersOf,
  writeServerFile,
} from '#platform';
import { createApi } from './create-api.ts';

export interface ServedApi {
  /** Where it is reached, without a slash at the end. */
  readonly url: string;
  /** A code that signs a browser in once. */
  readonly loginCode: () => string;
  close(): Promise<void>;
}

/** Serves the API and the web view of an installation and says where in `<home>/server.json`. */
export async function serveApi(options: {
  readonly installation: Installation;
  readonly log: Log;
  readonly version: string;
  /** Folder of the installed package: holds dist/web. */
  readonly packageRoot: string;
  /** Mistakes in the working tree, if this process follows it. */
  readonly problems: () => readonly Problem[];
}): Promise<ServedApi> {
  const { installation, log, version, packageRoot, problems } = options;
  const { config, db, store, pipelines, environments, logsFor, storageFor, metrics } = installation;
  const events = new LiveEvents(db, (err) => log.error({ err }, 'reading live events'));
  await events.start();
  await installation.previews.follow();
  const layouts = new GraphLayouts();
  const token = config.token?.reveal() ?? (await keepToken(config.home));
  const tokens = new NamedTokens(db, systemClock);
  const auth = new Auth(token, systemClock, tokens);
  const startedAt = new Date();
  const local = () => ({
    kind: 'local',
    capacity: installation.executor()?.capacity ?? 0,
    running: installation.executor()?.running() ?? 0,
  });
  const executor = () => (config.redisUrl === null ? local() : workersOf(db));
  const reads = {
    ...createReleaseReads({ db, releases: installation.releases }),
    ...createBackfillReads({ db }),
    ...createHistoryReads(installation),
    ...createPromotionReads({
      ...{ db, environments, promotions: installation.promotions, isFollowed: installation.isFollowed },
      ...{ store: installation.promotionStore, now: () => new Date() },
    }),
    ...createDriftReads({ db, environments, project: config.project }),
    ...createVerificationReads({ db, store, catalog: pipelines, storageFor }),
    ...createReads({
      db,
      store,
      catalog: pipelines,
      layouts,
      now: () => new Date(),
      environment: (name) => environments.get(name),
      logsFor,
      storageFor,
      treeProblems: (name) => (name === WORKING_TREE_ENVIRONMENT ? problems() : []),
      progress: (runId, taskId, mapIndex) => events.progress(runId, taskId, mapIndex),
      process: { version, startedAt, executor },
    }),
  };
  const commands = {
    ...createApiCommands(installation.commands, store, environments),
    ...createEventCommands({ events: installation.events, environments, clock: systemClock }),
    ...createBackfillCommands(installation),
    ...createReleaseCommands({ db, releases: installation.releases }),
    ...createPromotionCommands({ db, promotions: installation.promotions }),
    ...createPreviewCommands({ db, previews: installation.previews }),
    ...createVerificationCommands({ ...installation, mirrors: mirrorsFolder(config.home) }, systemClock),
    ...createFollowCommands({ ...installation, git: config.git }),
    ...createHistoryCommands({ ...installation, clock: systemClock }),
  };
  const slack = slackDecisionsOf(installation, {
    clock: systemClock,
    observer: { problem: (what, err, fields) => log.error({ err, ...fields }, what) },
  });
  metrics.collectGauges(() => readGauges({ db }));
  const api = await createApi({
    config,
    reads,
    commands,
    events,
    auth,
    tokens,
    slack,
    workers: installation.work,
    metrics,
    log,
    webFolder: path.join(packageRoot, 'dist', 'web'),
    version,
  });
  const port = await api.listen(config.host, config.port);
  const host = config.host === '0.0.0.0' ? '127.0.0.1' : config.host.includes(':') ? `[${config.host}]` : config.host;
  const url = config.publicUrl ?? `http://${host}:${port}`;
  await writeServerFile(config.home, { url, token, pid: process.pid, startedAt: startedAt.toISOString() });
  const serving = installation.serving();
  installation.onCommit(() => events.wake());
  installation.onProgress((event) => events.tellProgress(event));
  return {
    url,
    loginCode: () => auth.createLoginCode(null).code,
    close: async () => {
      await removeServerFile(config.home);
      await serving.stop();
      await api.close();
      await events.stop();
      await layouts.close();
    },
  };
}
