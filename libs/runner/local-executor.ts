import { hostname } from 'node:os';
import type {
  Assignment,
  AttemptReport,
  AttemptResult,
  Executor,
  LogStore,
  Outcome,
  ReleaseFiles,
  Resources,
  Storage,
} from '#core';
import { SluiceError } from '#core';
import { DEFAULT_PATH } from './environment.ts';
import { FreePorts } from './free-ports.ts';
import { Launcher } from './launcher.ts';
import { heldToMemory } from './memory-watch.ts';
import { ProcessWatch } from './process-watch.ts';
import { heldToProcessors, ProcessorGroups } from './processor-groups.ts';
import { ReleaseFolders } from './release-folders.ts';
import { runAttempt, type AttemptTools } from './run-attempt.ts';
import { HttpRunner } from './http-runner.ts';
import { NodeRunner } from './node-runner.ts';
import { PythonRunner } from './python-runner.ts';
import { ShellRunner } from './shell-runner.ts';
import { SparkRunner } from './spark-runner.ts';
import { SqlRunner } from './sql-runner.ts';
import type { EndReason, TaskRunner } from './task-runner.ts';
import { WarmPool } from './warm-pool.ts';

export interface LocalExecutorOptions {
  readonly storageFor: (environment: string) => Storage;
  readonly logsFor: (environment: string) => LogStore;
  readonly releases: ReleaseFiles;
  readonly readSecret: (source: { readonly env: string } | { readonly file: string }) => Promise<string>;
  /** Attempts that run at once. */
  readonly concurrency: number;
  /** What attempts together may take of this machine; default no limit. */
  readonly resources?: Resources;
  /** libs/runner/child, or its copy beside the bundle. */
  readonly childFolder: string;
  /** Where attempts get their working directories (absolute; local and fast). */
  readonly scratchFolder: string;
  /** Where started process groups are recorded; see `endLeftovers`. */
  readonly pidFolder: string;
  /** The interpreter of python tasks, 3.9 or later; default `python3` from the PATH. */
  readonly python?: string;
  /** What `spark:` tasks are submitted with; default `spark-submit` from the PATH. */
  readonly sparkSubmit?: string;
  /** The PATH that tasks get; default: node's own folder and the system's. */
  readonly path?: string;
  /** Folder whose node_modules serve node tasks that have none beside them. */
  readonly moduleRoot?: string;
  /** Folders that `sql:` tasks of an environment may read besides their own; asked for each attempt. */
  readonly dataFolders?: (environment: string) => readonly string[];
  /**
   * Told, once, why attempts cannot be held to their `resources.cpu` on this machine. Not given: somebody else holds
   * them, and nobody is held here.
   */
  readonly onProcessorsNotHeld?: (reason: string) => void;
  /** Between TERM and KILL when an attempt times out or is cancelled; default 10 s. */
  readonly graceMs?: number;
  readonly now?: () => number;
}

export interface LocalExecutor extends Executor {
  readonly capacity: number;
  /** Attempts that were accepted and have not finished, waiting ones included. */
  running(): number;
}

/** Executes attempts on this machine, in processes that a small launcher starts. Starts no process before the first dispatch. */
export function createLocalExecutor(options: LocalExecutorOptions): LocalExecutor {
  return new AttemptQueue(options);
}

const DEFAULT_GRACE_MS = 10_000;
/** A warm process that nobody needed for so long is closed; it is replaced after so many attempts. */
const IDLE_MS = 60_000;
const MAX_ATTEMPTS = 10_000;
/** setTimeout takes 31 bits; longer time-outs are set again when it fires. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** So many ended attempts are remembered at least, so that a repeated dispatch does not run one again; and at most twice as many. */
const REMEMBERED = 10_000;

class AttemptQueue implements LocalExecutor {
  readonly outlivesProcess = false;
  readonly capacity: number;
  readonly resources: Resources;
  readonly #options: LocalExecutorOptions;
  readonly #graceMs: number;
  readonly #launcher: Launcher;
  readonly #runners: Partial<Record<Assignment['body']['kind'], TaskRunner>>;
  readonly #tools: AttemptTools;
  readonly #processors: ProcessorGroups | null;
  readonly #waiting = new Map<string, Assignment>();
  readonly #active = new Map<string, AbortController>();
  /** In two halves, the older of which is forgotten at once: taking the oldest out of a set passes over all that were taken before. */
  #ended = new Set<string>();
  #endedBefore = new Set<string>();
  /** Of `capacity`: an attempt with replicas takes one for each. */
  #taken = 0;
  #listener: (report: AttemptReport) => void = () => undefined;
  #stopping = false;
  #onIdle: (() => void) | null = null;

  constructor(options: LocalExecutorOptions) {
    this.capacity = options.concurrency;
    this.resources = options.resources ?? {};
    this.#options = options;
    this.#graceMs = options.graceMs ?? DEFAULT_GRACE_MS;
    this.#launcher = new Launcher(options);
    const path = options.path ?? DEFAULT_PATH;
    const launcher = this.#launcher;
    const pool = new WarmPool({
      limit: options.concurrency,
      idleMs: IDLE_MS,
      maxAttempts: MAX_ATTEMPTS,
      now: Date.now,
    });
    const watch = new ProcessWatch();
    const { onProcessorsNotHeld } = options;
    const processors = onProcessorsNotHeld === undefined ? null : new ProcessorGroups(watch, onProcessorsNotHeld);
    this.#processors = processors;
    const { childFolder } = options;
    const node = new NodeRunner({ launcher, pool, path, childFolder, moduleRoot: options.moduleRoot ?? null });
    const sql = new SqlRunner({ launcher, pool, path, childFolder, dataFolders: options.dataFolders ?? (() => []) });
    const interpreter = options.python ?? 'python3';
    const python = new PythonRunner({ launcher, path, childFolder, python: interpreter, now: Date.now });
    const sparkSubmit = options.sparkSubmit ?? 'spark-submit';
    this.#runners = {
      run: new ShellRunner(launcher, path),
      node,
      uses: node,
      python,
      notebook: python,
      spark: new SparkRunner({ launcher, path, python: interpreter, sparkSubmit }),
      http: new HttpRunner({ launcher, pool, path, childFolder, now: Date.now }),
      sql,
    };
    this.#tools = {
      ...options,
      releases: new ReleaseFolders(options.releases),
      runnerFor: ({ body, resources }) => {
        const runner = this.#runners[body.kind];
        if (runner === undefined)
          throw new SluiceError('not_supported', `tasks of kind ${body.kind} are not supported here`);
        const { cpu, memory } = resources ?? {};
        const held = cpu === undefined || processors === null ? runner : heldToProcessors(runner, cpu, processors);
        return memory === undefined ? held : heldToMemory(held, memory, watch);
      },
      checkTables: (order) => sql.check(order),
      scratchFolder: () => launcher.scratchFolder(),
      ports: new FreePorts(),
      graceMs: this.#graceMs,
      report: (report) => this.#listener(report),
      now: options.now ?? Date.now,
      worker: `${hostname()}:${process.pid}`,
    };
  }

  onReport(listener: (report: AttemptReport) => void): void {
    this.#listener = listener;
  }

  running(): number {
    return this.#waiting.size + this.#active.size;
  }

  dispatch(assignments: readonly Assignment[]): void {
    for (const assignment of assignments) {
      const { attemptId } = assignment;
      if (this.#waiting.has(attemptId) || this.#active.has(attemptId) || this.#hasEnded(attemptId)) continue;
      if (this.#stopping) this.#finishUnstarted(assignment, NOT_STARTED);
      else this.#waiting.set(attemptId, assignment);
    }
    this.#startWaiting();
  }

  isBacklogged(): boolean {
    return this.#waiting.size > this.capacity;
  }

  cancel(attemptId: string, reason: string): void {
    const outcome = { kind: 'cancelled', message: `cancelled: ${reason}` } as const;
    const waiting = this.#waiting.get(attemptId);
    if (waiting !== undefined) {
      this.#waiting.delete(attemptId);
      this.#finishUnstarted(waiting, outcome);
    }
    this.#active.get(attemptId)?.abort({ outcome, graceMs: this.#graceMs } satisfies EndReason);
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    for (const assignment of this.#waiting.values()) this.#finishUnstarted(assignment, NOT_STARTED);
    this.#waiting.clear();
    const idle = this.#idle();
    const timer = setTimeout(() => this.#endAll(), Math.min(graceMs, LONGEST_TIMER_MS));
    await idle;
    clearTimeout(timer);
    await Promise.all(Object.values(this.#runners).map((runner) => runner.close()));
    await this.#launcher.close();
    this.#processors?.close();
  }

  #startWaiting(): void {
    for (const [attemptId, assignment] of this.#waiting) {
      // In the order of their coming: what needs more room is not overtaken by what needs less.
      if (this.#taken + this.#weightOf(assignment) > this.capacity) return;
      this.#waiting.delete(attemptId);
      void this.#run(assignment);
    }
  }

  async #run(assignment: Assignment): Promise<void> {
    const control = new AbortController();
    this.#active.set(assignment.attemptId, control);
    this.#taken += this.#weightOf(assignment);
    const stopClock = this.#startClock(assignment.timeoutMs, control);
    const result = await runAttempt(assignment, this.#tools, control.signal);
    stopClock();
    this.#active.delete(assignment.attemptId);
    this.#taken -= this.#weightOf(assignment);
    this.#finish(result);
    this.#startWaiting();
    if (this.#active.size === 0) this.#onIdle?.();
  }

  /** More replicas than run at once here run alone: nobody else could execute them any better. */
  #weightOf({ replicas }: Assignment): number {
    return Math.min(this.capacity, replicas?.count ?? 1);
  }

  #startClock(timeoutMs: number | null, control: AbortController): () => void {
    if (timeoutMs === null) return () => undefined;
    const outcome = { kind: 'timed_out', message: `timed out after ${timeoutMs / 1_000} s` } as const;
    let left = timeoutMs;
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      const next = Math.min(left, LONGEST_TIMER_MS);
      left -= next;
      timer = setTimeout(() => {
        if (left > 0) wait();
        else control.abort({ outcome, graceMs: this.#graceMs } satisfies EndReason);
      }, next);
    };
    wait();
    return () => clearTimeout(timer);
  }

  #endAll(): void {
    const outcome = { kind: 'lost', message: 'the executor was stopped' } as const;
    for (const control of this.#active.values()) control.abort({ outcome, graceMs: 0 } satisfies EndReason);
  }

  #idle(): Promise<void> {
    if (this.#active.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  #hasEnded(attemptId: string): boolean {
    return this.#ended.has(attemptId) || this.#endedBefore.has(attemptId);
  }

  #finishUnstarted(assignment: Assignment, outcome: Outcome): void {
    const at = this.#tools.now();
    const { attemptId, runId, fence } = assignment;
    const nothing = { outputs: {}, metrics: [], summary: null, versions: [], logLines: 0 };
    this.#finish({ attemptId, runId, fence, outcome, startedAt: at, finishedAt: at, ...nothing });
  }

  #finish(result: AttemptResult): void {
    if (this.#ended.size === REMEMBERED) {
      this.#endedBefore = this.#ended;
      this.#ended = new Set();
    }
    this.#ended.add(result.attemptId);
    this.#listener({ kind: 'finished', result });
  }
}

/** Does not use up a retry: nothing was tried. */
const NOT_STARTED = {
  kind: 'deferred',
  afterMs: 0,
  message: 'the executor stopped before the attempt started',
} as const;
