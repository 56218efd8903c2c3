import type { AttemptResult, ClaimedRun, Clock, EngineStore, Executor, LoadedTaskRun, Storage } from '#core';
import { withOverlay } from '#dag';
import type { AlertDefaults } from './alerts.ts';
import { lateAlerts } from './alerts.ts';
import type { NextLook } from './fire-schedules.ts';
import { fireSchedules } from './fire-schedules.ts';
import type { RunPlan } from './graph-of.ts';
import { planRun } from './graph-of.ts';
import type { AppliedEnvironment, Environments, Observer, Pipelines } from './ports.ts';
import { projectPaths } from './project-paths.ts';
import type { RunOwnerOptions } from './run-owner.ts';
import { RunOwner } from './run-owner.ts';

export interface SchedulerOptions {
  /** Names this process in leases; new with every start. */
  readonly processId: string;
  /** Processes on the same host that are known to be dead share this name and are retired at start. */
  readonly host: string;
  readonly pid: number;
  readonly store: EngineStore;
  readonly executor: Executor;
  readonly storageFor: (environment: string) => Storage;
  readonly pipelines: Pipelines;
  readonly environments: Environments;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly alertDefaults: AlertDefaults;
  readonly onProgress: RunOwnerOptions['onProgress'];
  /** A lease outlives its process by at most this. */
  readonly leaseMs: number;
  readonly firesSchedules: boolean;
}

/** Runs claimed at one look. */
const CLAIM = 500;
const TICK_MS = 1000;

/** Fires schedules, claims runs and owns them until they end. Every `tick` may be called by hand; `start` calls them on a timer. */
export class Scheduler {
  readonly owner: RunOwner;
  private readonly plans = new Map<string, RunPlan>();
  private readonly nextLook: NextLook = new Map();
  private taking: Promise<void> | null = null;
  private takeAgain = false;
  private cancelTimer: (() => void) | null = null;
  private cancelRetryTimer: (() => void) | null = null;
  private ticks = 0;
  private stopped = false;
  /** Milliseconds by which the last tick came late. */
  lagMs = 0;

  constructor(private readonly options: SchedulerOptions) {
    const { processId, store, executor, pipelines, clock, observer, alertDefaults } = options;
    this.owner = new RunOwner({
      processId,
      store,
      executor,
      pipelines,
      clock,
      observer,
      alertDefaults,
      onProgress: options.onProgress,
      onCommitted: ({ endedRuns, versions }) => {
        if (versions.length > 0) {
          void projectPaths(store, options.storageFor, versions, observer);
          this.owner.dataArrived();
          clock.schedule(50, () => this.owner.lookAgain(clock.now().getTime()));
        }
        if (endedRuns > 0) this.wake();
        this.armRetryTimer();
      },
    });
  }

  async start(): Promise<void> {
    const { store, processId, host, pid, leaseMs } = this.options;
    await store.heartbeat({ id: processId, kind: 'scheduler', host, pid, ttlMs: leaseMs });
    await this.tick();
    this.loop();
  }

  /** A hint that there may be runs to take: acts at once, gathers while it acts. */
  wake(): void {
    if (this.stopped) return;
    if (this.taking) {
      this.takeAgain = true;
      return;
    }
    this.taking = this.take()
      .catch((error: unknown) => this.options.observer.problem('taking runs', error))
      .finally(() => {
        this.taking = null;
        if (this.takeAgain) {
          this.takeAgain = false;
          this.wake();
        }
      });
  }

  /** Everything that time alone can make due. Each part fails alone. */
  async tick(): Promise<void> {
    const { observer } = this.options;
    const part = async (what: string, act: () => Promise<void>): Promise<void> => {
      try {
        await act();
      } catch (error) {
        observer.problem(what, error);
      }
    };
    await part('renewing the lease', () => this.beat());
    if (this.options.firesSchedules) await part('firing schedules', () => this.fire());
    await part('taking runs', () => this.take());
    await part('reading commands', () => this.readInbox());
    await part('raising run.late', () => this.raiseLate());
    if (this.ticks++ % 10 === 0) await part('sweeping', () => this.sweep());
    this.stopOverdue();
    this.owner.lookAgain(this.options.clock.now().getTime());
    this.armRetryTimer();
  }

  /** Stops taking work and ends the leases, so that another process goes on at once. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelTimer?.();
    this.cancelRetryTimer?.();
    await this.taking;
    await this.owner.stop();
    await this.options.store.retire(this.options.processId);
  }

  private loop(): void {
    if (this.stopped) return;
    const { clock } = this.options;
    const due = clock.now().getTime() + TICK_MS;
    this.cancelTimer = clock.schedule(TICK_MS, () => {
      this.lagMs = Math.max(0, clock.now().getTime() - due);
      void this.tick().then(() => this.loop());
    });
  }

  private async beat(): Promise<void> {
    const { store, processId, host, pid, leaseMs, observer } = this.options;
    if (await store.heartbeat({ id: processId, kind: 'scheduler', host, pid, ttlMs: leaseMs })) return;
    // We slept too long; every write is guarded, so the worst is a refused batch. What is still ours is claimed again.
    observer.event('leases-lost', { processId });
  }

  private async fire(): Promise<void> {
    const { store, pipelines, environments, clock, observer } = this.options;
    for (const environment of environments.all()) {
      const fired = await fireSchedules(store, pipelines, environment, clock.now(), this.nextLook);
      if (fired.created > 0)
        observer.event('runs-created', { environment: environment.config.name, count: fired.created });
      for (const problem of fired.problems)
        observer.problem('firing a schedule', new Error(problem.message), { pipeline: problem.pipeline });
    }
  }

  private async take(): Promise<void> {
    const { store, processId, observer } = this.options;
    const activated = await store.activateRuns(CLAIM);
    if (activated > 0) observer.event('runs-activated', { count: activated });
    const claimed = await store.claimRuns(processId, CLAIM);
    const again = [...this.owner.toReload.values()];
    if (claimed.length + again.length === 0) return;
    if (claimed.length > 0) observer.event('runs-claimed', { count: claimed.length });
    await this.load([...claimed, ...again]);
    if (claimed.length === CLAIM) this.takeAgain = true;
  }

  private async load(records: readonly ClaimedRun[]): Promise<void> {
    const rows = new Map<string, LoadedTaskRun[]>();
    for (const row of await this.options.store.loadTaskRuns(records.map((record) => record.id))) {
      const list = rows.get(row.runId);
      if (list) list.push(row);
      else rows.set(row.runId, [row]);
    }
    for (const record of records) {
      const environment = this.options.environments.get(record.environment);
      const plan = environment && (await this.planFor(record, environment));
      if (!environment || !plan) {
        this.options.observer.problem(
          'taking a run',
          new Error(`${record.environment}/${record.pipeline} of release ${record.release} is not known here`),
          { runId: record.id },
        );
        continue;
      }
      const own = rows.get(record.id) ?? [];
      this.owner.own(record, plan, environment, own);
      await this.reap(own, environment);
    }
  }

  /** Attempts that a dead process was executing: their fence rises first, then what they left behind is read. */
  private async reap(rows: readonly LoadedTaskRun[], environment: AppliedEnvironment): Promise<void> {
    const { store, processId, storageFor, clock, observer } = this.options;
    const orphans = rows.filter((row) => row.attemptId !== null && row.worker !== processId);
    if (orphans.length === 0) return;
    await store.fenceAttempts(orphans.map((row) => row.attemptId as string));
    observer.event('attempts-lost', { count: orphans.length });
    for (const row of orphans) {
      const { runId, taskId, mapIndex, fence } = row;
      const evidence = await storageFor(environment.config.name).readEvidence({ runId, taskId, mapIndex, fence });
      await this.owner.finish(evidence ?? lostResult(row, clock.now().getTime()));
    }
  }

  private async planFor(record: ClaimedRun, environment: AppliedEnvironment): Promise<RunPlan | null> {
    const key = `${record.release}/${record.pipeline}/${environment.hash}`;
    const known = this.plans.get(key);
    if (known) return known;
    const pipeline = await this.options.pipelines.get(record.release, record.pipeline);
    if (!pipeline) return null;
    const plan = planRun(withOverlay(pipeline, record.environment), environment.config.pools);
    if (this.plans.size > 5000) this.plans.clear();
    this.plans.set(key, plan);
    return plan;
  }

  private async readInbox(): Promise<void> {
    const ids = [...this.owner.runs()].map((run) => run.record.id);
    if (ids.length === 0) return;
    for (const command of await this.options.store.receive(ids)) {
      if (command.kind === 'cancel') this.owner.push(command.runId, { kind: 'stop', verdict: 'cancelled' });
    }
  }

  /** Commands in the inbox are acted on now instead of at the next tick. */
  async poke(): Promise<void> {
    await this.readInbox();
    this.wake();
  }

  private async raiseLate(): Promise<void> {
    const { store, pipelines, environments, alertDefaults } = this.options;
    const alerts = [];
    for (const run of await store.takeLate(100)) {
      const environment = environments.get(run.environment);
      const pipeline = await pipelines.get(run.release, run.pipeline);
      if (environment && pipeline)
        alerts.push(...lateAlerts(run, withOverlay(pipeline, run.environment), environment, alertDefaults));
    }
    if (alerts.length > 0) await store.insertAlerts(alerts);
  }

  private async sweep(): Promise<void> {
    const { store, storageFor, observer } = this.options;
    this.owner.admit(await store.sweep());
    const behind = await store.unprojected(500);
    if (behind.length > 0) await projectPaths(store, storageFor, behind, observer);
  }

  private stopOverdue(): void {
    const now = this.options.clock.now().getTime();
    for (const run of this.owner.runs()) {
      if (run.record.timeoutAt !== null && Date.parse(run.record.timeoutAt) <= now && run.cache.stopping === null)
        this.owner.push(run.record.id, { kind: 'stop', verdict: 'timed_out' });
    }
  }

  /** One timer for the earliest retry of all owned runs. */
  private armRetryTimer(): void {
    const { clock } = this.options;
    let earliest = Number.POSITIVE_INFINITY;
    for (const run of this.owner.runs())
      for (const instance of run.cache.timers) earliest = Math.min(earliest, instance.retryAt ?? earliest);
    this.cancelRetryTimer?.();
    this.cancelRetryTimer = null;
    if (earliest === Number.POSITIVE_INFINITY || this.stopped) return;
    this.cancelRetryTimer = clock.schedule(Math.max(0, earliest - clock.now().getTime()), () => {
      const now = clock.now().getTime();
      for (const run of this.owner.runs())
        if ([...run.cache.timers].some((instance) => (instance.retryAt ?? Infinity) <= now))
          this.owner.push(run.record.id, { kind: 'tick' });
    });
  }
}

function lostResult(row: LoadedTaskRun, now: number): AttemptResult {
  return {
    attemptId: row.attemptId as string,
    runId: row.runId,
    fence: row.fence,
    outcome: { kind: 'lost', message: 'the process that executed it died' },
    startedAt: now,
    finishedAt: now,
    outputs: {},
    metrics: [],
    summary: null,
    versions: [],
    logLines: 0,
  };
}
