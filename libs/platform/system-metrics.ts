import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What is true at the moment of a scrape. */
export interface Gauges {
  readonly schedulerLagMs: number;
  /** For how long the oldest open transaction of the database is open; 0: there is none. */
  readonly oldestTransactionMs: number;
  /** Task runs by environment and state (`waiting`, `ready`, `queued`, `running`, `retrying`). */
  readonly taskRuns: readonly { readonly environment: string; readonly state: string; readonly count: number }[];
  /** Runs by environment and state (`queued`, `running`). */
  readonly runs: readonly { readonly environment: string; readonly state: string; readonly count: number }[];
  readonly pools: readonly {
    readonly environment: string;
    readonly name: string;
    readonly slots: number;
    readonly used: number;
    /** Task runs that wait for a slot. */
    readonly ready: number;
  }[];
  readonly alertsPending: number;
}

/** Durations from 50 ms to a day. */
const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400];

/**
 * Between two looks at the event loop, which stand in `nodejs_eventloop_lag_*_seconds` with what came on top. Every ten
 * milliseconds, as is usual, they would cost an idle system more than all that it asks the database.
 */
const LOOP_PROBE_MS = 100;

/** Sluice's own figures for Prometheus. Label values are names from pipeline files and states, so their number is bounded. */
export class SystemMetrics {
  readonly #registry = new Registry();
  readonly #runDuration: Histogram;
  readonly #taskDuration: Histogram;
  readonly #taskWait: Histogram;
  readonly #finishedRuns: Counter;
  readonly #finishedTasks: Counter;
  readonly #finishedAttempts: Counter;
  readonly #problems: Counter;
  readonly #deliveries: Counter;
  readonly #commits: Histogram;

  constructor() {
    const registers = [this.#registry];
    const about = (name: string, help: string, labelNames: readonly string[]) => ({
      name,
      help,
      labelNames,
      registers,
    });
    const run = ['environment', 'pipeline', 'state'];
    this.#finishedRuns = new Counter(about('sluice_runs_finished_total', 'Runs that ended, by state.', run));
    this.#finishedTasks = new Counter(about('sluice_task_runs_finished_total', 'Task runs that ended, by state.', run));
    this.#finishedAttempts = new Counter(
      about('sluice_attempts_finished_total', 'Attempts that ended, by state.', run),
    );
    this.#problems = new Counter(
      about('sluice_engine_problems_total', 'What the engine failed at and tries again; the log says what.', []),
    );
    this.#deliveries = new Counter(
      about('sluice_alert_deliveries_total', 'Tries to deliver an alert, by result.', ['kind', 'result']),
    );
    this.#runDuration = new Histogram({
      ...about('sluice_run_duration_seconds', 'From start to end of a run.', ['environment', 'pipeline']),
      buckets: BUCKETS,
    });
    this.#taskDuration = new Histogram({
      ...about('sluice_attempt_duration_seconds', 'From start to end of an attempt.', ['environment', 'pipeline']),
      buckets: BUCKETS,
    });
    this.#taskWait = new Histogram({
      ...about('sluice_task_wait_seconds', 'From ready to started.', ['environment']),
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30, 300, 3600],
    });
    this.#commits = new Histogram({
      ...about('sluice_engine_commit_seconds', 'Duration of the engine’s batch transactions.', []),
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    });
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: LOOP_PROBE_MS });
  }

  runFinished(run: { environment: string; pipeline: string; state: string; durationMs: number | null }): void {
    const { environment, pipeline, state, durationMs } = run;
    this.#finishedRuns.inc({ environment, pipeline, state });
    if (durationMs !== null) this.#runDuration.observe({ environment, pipeline }, durationMs / 1000);
  }

  taskRunFinished(taskRun: { environment: string; pipeline: string; state: string }): void {
    this.#finishedTasks.inc({ environment: taskRun.environment, pipeline: taskRun.pipeline, state: taskRun.state });
  }

  attemptFinished(attempt: {
    environment: string;
    pipeline: string;
    state: string;
    waitMs: number | null;
    durationMs: number | null;
  }): void {
    const { environment, pipeline, state, waitMs, durationMs } = attempt;
    this.#finishedAttempts.inc({ environment, pipeline, state });
    if (waitMs !== null) this.#taskWait.observe({ environment }, waitMs / 1000);
    if (durationMs !== null) this.#taskDuration.observe({ environment, pipeline }, durationMs / 1000);
  }

  alertTried(kind: string, result: 'sent' | 'retry' | 'rejected'): void {
    this.#deliveries.inc({ kind, result });
  }

  committed(durationMs: number): void {
    this.#commits.observe(durationMs / 1000);
  }

  problem(): void {
    this.#problems.inc();
  }

  /** Registers the gauges; `read` is called once per scrape, never more often. If it fails, they are left out. */
  collectGauges(read: () => Promise<Gauges>): void {
    const gauge = (name: string, help: string, labelNames: string[] = []) =>
      new Gauge({ name, help, labelNames, registers: [this.#registry] });
    const lag = gauge('sluice_scheduler_lag_seconds', 'For how long the oldest thing waits that could go on at once.');
    const oldest = gauge(
      'sluice_oldest_transaction_seconds',
      'For how long the oldest open transaction of the database is open: until it ends vacuum removes nothing.',
    );
    const tasks = gauge('sluice_task_runs', 'Task runs that have not ended, by state.', ['environment', 'state']);
    const runs = gauge('sluice_runs', 'Runs that have not ended, by state.', ['environment', 'state']);
    const slots = gauge('sluice_pool_slots', 'Slots of a pool.', ['environment', 'pool']);
    const used = gauge('sluice_pool_slots_used', 'Slots of a pool that are taken.', ['environment', 'pool']);
    const ready = gauge('sluice_pool_queue_depth', 'Task runs that wait for slots of a pool.', ['environment', 'pool']);
    const alerts = gauge('sluice_alerts_pending', 'Alerts that have not been delivered yet.');
    const all = [lag, oldest, tasks, runs, slots, used, ready, alerts];
    this.#beforeScrape = async () => {
      all.forEach((one) => one.reset());
      const now = await read();
      lag.set(now.schedulerLagMs / 1000);
      oldest.set(now.oldestTransactionMs / 1000);
      for (const { environment, state, count } of now.taskRuns) tasks.set({ environment, state }, count);
      for (const { environment, state, count } of now.runs) runs.set({ environment, state }, count);
      for (const { environment, name, slots: most, used: taken, ready: waiting } of now.pools) {
        slots.set({ environment, pool: name }, most);
        used.set({ environment, pool: name }, taken);
        ready.set({ environment, pool: name }, waiting);
      }
      alerts.set(now.alertsPending);
    };
  }
  #beforeScrape: () => Promise<void> = () => Promise.resolve();

  readonly contentType = this.#registry.contentType;

  /** The exposition text. Throws what reading the gauges throws, so that a scrape fails visibly. */
  async text(): Promise<string> {
    await this.#beforeScrape();
    return this.#registry.metrics();
  }
}
