import path from 'node:path';
import type { LogLine, LogStore } from '#core';
import type { RunDetail } from '#contracts';
import { createReads } from './reads/reads.ts';
import { loadConfig } from './config.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { GraphLayouts } from './graph-layout.ts';
import { lockInstance } from './instance-lock.ts';
import type { Installation } from './installation.ts';
import { openInstallation } from './installation.ts';
import { createLog } from './log.ts';
import { packageRoot } from './package-root.ts';
import { WorkingTree } from './working-tree.ts';

export interface LocalRunRequest {
  /** Absolute folder that holds `dags/` and `environments/`. */
  readonly repository: string;
  readonly pipeline: string;
  readonly environment: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly interval: { readonly at: string } | { readonly from: string; readonly to: string } | null;
  /** Execute every task, whatever earlier runs have. */
  readonly noCache: boolean;
  /** Ends the attempts; resolves with the run as it is then. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: LocalRunEvent) => void;
}

export type LocalRunEvent =
  | { readonly kind: 'run'; readonly run: RunDetail }
  | {
      readonly kind: 'log';
      readonly at: { readonly runId: string; readonly task: string; readonly map: number; readonly try: number };
      readonly label: string;
      readonly lines: readonly LogLine[];
    };

const LOOK_MS = 200;
/** For what was written last. */
const REST_MS = 2000;

/**
 * Runs one pipeline of a working tree without a server: the whole engine in this process on a Postgres of its own under
 * `.sluice/local`; data goes to the environment's own storage. Resolves with the ended run. No schedule fires.
 */
export async function runLocal(request: LocalRunRequest): Promise<RunDetail> {
  const base = loadConfig(process.env, request.repository);
  // Without a server there are no workers.
  const config = { ...base, home: path.join(base.home, 'local'), redisUrl: null };
  const log = createLog({ level: base.logLevel === 'info' ? 'error' : base.logLevel });
  const closers: (() => Promise<void> | void)[] = [];
  try {
    const lock = await lockInstance(config.home);
    closers.push(() => lock.release());
    const postgres = await startEmbeddedPostgres({ dataFolder: path.join(config.home, 'postgres') });
    closers.push(() => postgres.stop());
    const installation = await openInstallation({
      config,
      databaseUrl: postgres.url,
      log,
      publicUrl: '',
      packageRoot: packageRoot(),
      firesSchedules: false,
    });
    closers.push(() => installation.close());
    const { store, releases, environments } = installation;
    const tree = new WorkingTree({
      project: config.project,
      store,
      releases,
      environments,
      log,
      environment: request.environment,
      onChange: () => undefined,
    });
    await tree.refresh();
    await installation.startScheduler();
    return await follow(request, installation, closers);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function follow(
  request: LocalRunRequest,
  installation: Installation,
  closers: (() => Promise<void> | void)[],
): Promise<RunDetail> {
  const { db, store, pipelines, environments, logsFor, storageFor, commands } = installation;
  const layouts = new GraphLayouts();
  closers.push(() => layouts.close());
  const reads = createReads({
    db,
    store,
    catalog: pipelines,
    layouts,
    now: () => new Date(),
    environment: (name) => environments.get(name),
    logsFor,
    storageFor,
    treeProblems: () => [],
    progress: () => null,
    process: { version: '', startedAt: new Date(), executor: () => ({ kind: 'local', capacity: 0, running: 0 }) },
  });
  const { pipeline, environment, params, interval, noCache } = request;
  const asked = { pipeline, environment, params, ...(interval ?? {}), noCache };
  const runId = await commands.trigger({ ...asked, actor: 'you' });
  const logs = new LogFollower(logsFor(environment), request.onEvent);
  let cancelled = false;
  for (;;) {
    const run = await reads.runDetail(runId);
    request.onEvent({ kind: 'run', run });
    logs.look(run);
    if (run.finishedAt !== null) {
      await logs.end();
      return run;
    }
    if (request.signal.aborted && !cancelled) {
      cancelled = true;
      await commands.cancel(runId, 'you');
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LOOK_MS);
      installation.onCommit(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** Follows the log of every attempt that begins, each to its end. */
class LogFollower {
  private readonly following = new Map<string, Promise<void>>();
  private readonly ended = new AbortController();

  constructor(
    private readonly logs: LogStore,
    private readonly onEvent: (event: LocalRunEvent) => void,
  ) {}

  look(run: RunDetail): void {
    for (const { taskId, mapIndex, mapKey, tries, originRun } of run.taskRuns) {
      for (let number = 1; number <= tries && originRun === null; number++) {
        const key = `${taskId}/${mapIndex}/${number}`;
        if (this.following.has(key)) continue;
        const at = { runId: run.id, task: taskId, map: mapIndex, try: number };
        const label = mapKey === '' ? taskId : `${taskId}[${mapKey}]`;
        const from = this.logs.follow(
          { runId: run.id, taskId, mapIndex, number },
          1,
          (lines) => this.onEvent({ kind: 'log', at, label, lines }),
          this.ended.signal,
        );
        this.following.set(
          key,
          from.catch(() => undefined),
        );
      }
    }
  }

  /** Every log that has lines is closed when the run has ended: this takes as long as reading the rest. One without lines never is. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.ended.abort(), REST_MS);
    await Promise.all(this.following.values());
    clearTimeout(timer);
  }
}
