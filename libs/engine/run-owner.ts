import type {
  Admitted,
  Assignment,
  AttemptReport,
  AttemptResult,
  Batch,
  ClaimedRun,
  Clock,
  Decision,
  EngineStore,
  Executor,
  RunEvent,
} from '#core';
import { advance } from '#core';
import type { AlertDefaults } from './alerts.ts';
import { recoveredAlerts, routes } from './alerts.ts';
import type { AttemptIdentity } from './assignment.ts';
import { buildAssignment } from './assignment.ts';
import type { AttemptFacts } from './build-batch.ts';
import { addRun, afterCommit, emptyRows } from './build-batch.ts';
import type { RunPlan } from './graph-of.ts';
import { judgeResult } from './judge-result.ts';
import type { OwnedRun } from './owned-run.ts';
import { ownRun } from './owned-run.ts';
import type { AppliedEnvironment, Observer, Pipelines } from './ports.ts';
import { prepareTask } from './prepare.ts';

export interface TaskProgressEvent {
  readonly kind: 'progress';
  readonly environment: string;
  readonly pipeline: string;
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
  readonly done: number;
  readonly total: number;
  readonly label: string;
}

/** A short task's `started` travels with its end; a long one's is written after this long. */
const STARTED_DELAY_MS = 25;

export interface RunOwnerOptions {
  readonly processId: string;
  readonly store: EngineStore;
  readonly executor: Executor;
  readonly pipelines: Pipelines;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly alertDefaults: AlertDefaults;
  /** How far a running task says that it is; never stored. */
  readonly onProgress: (event: TaskProgressEvent) => void;
  /** Called after a commit that ended runs or published versions. */
  readonly onCommitted: (what: { endedRuns: number; versions: Batch['versions'] }) => void;
}

/**
 * Owns claimed runs: collects their events, advances them, writes each group of decisions in one transaction and
 * dispatches what was admitted after the commit. A batch starts at once when none is under way; while one is, events
 * gather for the next. What it holds is a cache: `forget` and `own` again at any time.
 */
export class RunOwner {
  private readonly owned = new Map<string, OwnedRun>();
  /** Where each live attempt belongs. */
  private readonly places = new Map<string, { runId: string; taskIndex: number; mapIndex: number }>();
  private readonly facts: AttemptFacts = { endings: new Map(), starts: new Map() };
  private readonly dirty = new Set<string>();
  private pools: { environment: string; pool: string; freed: number }[] = [];
  private flushing: Promise<void> | null = null;
  private startedTimer: (() => void) | null = null;
  private stopped = false;
  /** Runs whose cache was dropped after a refused or failed write; they must be loaded again. */
  readonly toReload = new Map<string, ClaimedRun>();

  constructor(private readonly options: RunOwnerOptions) {
    options.executor.onReport((report) => this.onReport(report));
  }

  get size(): number {
    return this.owned.size;
  }

  runs(): Iterable<OwnedRun> {
    return this.owned.values();
  }

  /** Takes a run over. Attempts that another process was executing are given up by the caller first. */
  own(
    record: ClaimedRun,
    plan: RunPlan,
    environment: AppliedEnvironment,
    rows: Parameters<typeof ownRun>[3],
  ): OwnedRun {
    const run = ownRun(record, plan, environment, rows);
    this.owned.set(record.id, run);
    this.toReload.delete(record.id);
    for (const row of rows) {
      const taskIndex = plan.indexOf.get(row.taskId);
      if (row.attemptId === null || taskIndex === undefined) continue;
      this.places.set(row.attemptId, { runId: record.id, taskIndex, mapIndex: row.mapIndex });
      // Results that arrived while the run was not in memory.
      if (this.facts.endings.has(row.attemptId))
        run.events.push(this.endedEvent(row.attemptId, taskIndex, row.mapIndex));
      // Committed but perhaps never sent; sending twice is harmless.
      else if (row.worker === this.options.processId)
        this.send(run, [
          { attemptId: row.attemptId, taskIndex, mapIndex: row.mapIndex, number: row.number, fence: row.fence },
        ]);
    }
    this.touch(record.id);
    return run;
  }

  get(runId: string): OwnedRun | undefined {
    return this.owned.get(runId);
  }

  push(runId: string, event: RunEvent): void {
    const run = this.owned.get(runId);
    if (!run) return;
    run.events.push(event);
    this.touch(runId);
  }

  /** Looks for free slots of these pools, for instance after another process freed some. */
  admit(pools: readonly { environment: string; pool: string }[]): void {
    for (const pool of pools) this.pools.push({ ...pool, freed: 0 });
    this.wake();
  }

  /** An attempt ended, as the executor or its evidence says. */
  async finish(result: AttemptResult): Promise<void> {
    const place = this.places.get(result.attemptId);
    const run = place && this.owned.get(place.runId);
    if (!place || !run) return;
    try {
      const judged = await judgeResult(this.options.store, run, place.taskIndex, place.mapIndex, result);
      this.facts.endings.set(result.attemptId, { result, judged });
      this.push(place.runId, this.endedEvent(result.attemptId, place.taskIndex, place.mapIndex));
    } catch (error) {
      this.options.observer.problem('judging a result', error, { attemptId: result.attemptId });
      this.options.clock.schedule(1000, () => void this.finish(result));
    }
  }

  /** Tasks that wait for data: look again now. */
  lookAgain(now: number): void {
    for (const run of this.owned.values())
      for (const [taskIndex, at] of run.waiting) if (at <= now) void this.prepare(run, taskIndex);
  }

  /** Makes every waiting task due for another look. */
  dataArrived(): void {
    for (const run of this.owned.values()) for (const taskIndex of run.waiting.keys()) run.waiting.set(taskIndex, 0);
  }

  /** Resolves when nothing is waiting to be written. */
  async idle(): Promise<void> {
    while (this.flushing) await this.flushing;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.startedTimer?.();
    await this.idle();
  }

  private onReport(report: AttemptReport): void {
    if (this.stopped) return;
    if (report.kind === 'finished') return void this.finish(report.result);
    const place = this.places.get(report.attemptId);
    if (!place) return;
    if (report.kind === 'progress') return this.tellProgress(place, report);
    this.facts.starts.set(report.attemptId, { at: report.at, pid: report.pid });
    this.owned.get(place.runId)?.events.push({
      kind: 'started',
      attemptId: report.attemptId,
      taskIndex: place.taskIndex,
      mapIndex: place.mapIndex,
    });
    this.dirty.add(place.runId);
    this.startedTimer ??= this.options.clock.schedule(STARTED_DELAY_MS, () => {
      this.startedTimer = null;
      this.wake();
    });
  }

  private tellProgress(
    place: { runId: string; taskIndex: number; mapIndex: number },
    { done, total, label }: { done: number; total: number; label: string },
  ): void {
    const run = this.owned.get(place.runId);
    if (!run) return;
    const { environment, pipeline, id } = run.record;
    const taskId = run.plan.pipeline.tasks[place.taskIndex]?.id ?? '';
    this.options.onProgress({
      kind: 'progress',
      environment,
      pipeline,
      runId: id,
      taskId,
      mapIndex: place.mapIndex,
      done,
      total,
      label,
    });
  }

  private endedEvent(attemptId: string, taskIndex: number, mapIndex: number): RunEvent {
    const ending = this.facts.endings.get(attemptId);
    const outcome = ending?.judged.outcome ?? { kind: 'lost' as const, message: 'its result is gone' };
    return { kind: 'ended', attemptId, taskIndex, mapIndex, outcome, gateClosed: ending?.judged.gateClosed ?? false };
  }

  private touch(runId: string): void {
    this.dirty.add(runId);
    this.wake();
  }

  private wake(): void {
    if (this.flushing || this.stopped) return;
    this.flushing = this.flushAll().finally(() => {
      this.flushing = null;
      if ((this.dirty.size > 0 || this.pools.length > 0) && !this.stopped) this.wake();
    });
  }

  private async flushAll(): Promise<void> {
    // One turn of the event loop: what arrived together is written together.
    await Promise.resolve();
    while ((this.dirty.size > 0 || this.pools.length > 0) && !this.stopped) await this.flush();
  }

  /** One group commit. */
  private async flush(): Promise<void> {
    const { store, clock, observer, processId, alertDefaults } = this.options;
    const now = clock.now().getTime();
    const rows = emptyRows();
    const done: { run: OwnedRun; decisions: Decision[] }[] = [];
    for (const runId of this.dirty) {
      const run = this.owned.get(runId);
      if (!run || run.events.length === 0) continue;
      const events = run.events;
      run.events = [];
      done.push({ run, decisions: addRun(rows, run, events, this.facts, now, alertDefaults) });
      for (const event of events) if (event.kind === 'ended') run.flushed.push(event.attemptId);
    }
    this.dirty.clear();
    rows.pools = [...rows.pools, ...this.pools];
    this.pools = [];
    const writes =
      rows.inserts.length + rows.updates.length + rows.attempts.length + rows.runUpdates.length + rows.pools.length;
    try {
      if (writes > 0) {
        await this.addRecovered(rows, done);
        const batch: Batch = {
          ...rows,
          pools: mergePools(rows.pools),
          processId,
          worker: processId,
          runs: done.map(({ run }) => ({ id: run.record.id, token: run.record.leaseToken })),
        };
        const applied = await store.apply(batch);
        if (applied.kind === 'lost') return this.dropLost(done, applied.runIds);
        observer.event('batch-applied', {
          runs: done.length,
          inserted: batch.inserts.length,
          updated: batch.updates.length,
          admitted: applied.admitted.length,
        });
        this.settleCommitted(done);
        this.dispatch(applied.admitted);
        const endedRuns = batch.runUpdates.length;
        if (endedRuns > 0 || batch.versions.length > 0)
          this.options.onCommitted({ endedRuns, versions: batch.versions });
      } else this.settleCommitted(done);
    } catch (error) {
      observer.problem('writing a batch', error, { runs: done.length });
      this.dropLost(done, []);
    }
  }

  private async addRecovered(
    rows: ReturnType<typeof emptyRows>,
    done: readonly { run: OwnedRun; decisions: Decision[] }[],
  ): Promise<void> {
    const { store, alertDefaults } = this.options;
    for (const { run, decisions } of done) {
      const { record, plan, environment } = run;
      if (!decisions.some((decision) => decision.kind === 'end-run' && decision.state === 'success')) continue;
      if (routes('run.recovered', plan.pipeline, environment.config).length === 0) continue;
      const mended = await store.mendedRun(record.environment, record.pipeline, record.id);
      if (mended !== null)
        rows.alerts.push(...recoveredAlerts(mended, record, plan.pipeline, environment, alertDefaults));
    }
  }

  private settleCommitted(done: readonly { run: OwnedRun; decisions: Decision[] }[]): void {
    for (const { run, decisions } of done) {
      for (const attemptId of run.flushed.splice(0)) this.forgetAttempt(attemptId);
      const todo = afterCommit(decisions);
      for (const attemptId of todo.cancel) this.options.executor.cancel(attemptId, 'the run was cancelled');
      for (const taskIndex of todo.prepare) void this.prepare(run, taskIndex);
      if (!todo.ended) continue;
      this.owned.delete(run.record.id);
      const ended = decisions.find((decision) => decision.kind === 'end-run');
      this.options.observer.event('run-ended', {
        runId: run.record.id,
        pipeline: run.record.pipeline,
        environment: run.record.environment,
        state: ended?.kind === 'end-run' ? ended.state : '',
        createdAt: run.record.createdAt,
      });
    }
  }

  private dispatch(admitted: readonly Admitted[]): void {
    const byRun = new Map<OwnedRun, AttemptIdentity[]>();
    for (const item of admitted) {
      const run = this.owned.get(item.runId);
      const taskIndex = run?.plan.indexOf.get(item.taskId);
      // Another owner's: it finds the attempt on its next sweep.
      if (!run || taskIndex === undefined) continue;
      const attempt = {
        attemptId: item.attemptId,
        taskIndex,
        mapIndex: item.mapIndex,
        number: item.number,
        fence: item.fence,
      };
      this.places.set(item.attemptId, { runId: item.runId, taskIndex, mapIndex: item.mapIndex });
      // At once, not with the next batch: a result may come before it. Admission is written already.
      for (const decision of advance(run.cache, [{ kind: 'admitted', ...attempt }], this.options.clock.now().getTime()))
        if (decision.kind === 'cancel-attempt')
          this.options.executor.cancel(decision.attemptId, 'the run was cancelled');
      const list = byRun.get(run);
      if (list) list.push(attempt);
      else byRun.set(run, [attempt]);
    }
    for (const [run, attempts] of byRun) this.send(run, attempts);
  }

  private send(run: OwnedRun, attempts: readonly AttemptIdentity[]): void {
    const assignments: Assignment[] = [];
    for (const attempt of attempts) {
      const built = buildAssignment(run, attempt);
      if (built.ok) assignments.push(built.assignment);
      else void this.finish(refusal(attempt, run.record.id, built.message, this.options.clock.now().getTime()));
    }
    if (assignments.length === 0) return;
    this.options.observer.event('attempts-dispatched', { count: assignments.length });
    this.options.executor.dispatch(assignments);
  }

  private async prepare(run: OwnedRun, taskIndex: number): Promise<void> {
    if (run.preparing.has(taskIndex) || this.stopped) return;
    run.preparing.add(taskIndex);
    const now = this.options.clock.now().getTime();
    try {
      const result = await prepareTask(this.options.store, this.options.pipelines, run, taskIndex);
      if (result.kind === 'waiting') {
        const known = run.waiting.has(taskIndex);
        run.waiting.set(taskIndex, now + 5000);
        if (known) return;
      } else run.waiting.delete(taskIndex);
      if (this.owned.get(run.record.id) === run) this.push(run.record.id, { kind: 'prepared', taskIndex, result });
    } catch (error) {
      this.options.observer.problem('preparing a task', error, { runId: run.record.id, taskIndex });
      run.waiting.set(taskIndex, now + 1000);
    } finally {
      run.preparing.delete(taskIndex);
    }
  }

  /** Drops the caches of a batch that was not written; those that are still ours are loaded again. */
  private dropLost(done: readonly { run: OwnedRun }[], lost: readonly string[]): void {
    if (lost.length > 0) this.options.observer.event('leases-lost', { runIds: lost });
    for (const { run } of done) {
      this.owned.delete(run.record.id);
      if (!lost.includes(run.record.id)) this.toReload.set(run.record.id, run.record);
    }
  }

  private forgetAttempt(attemptId: string): void {
    this.places.delete(attemptId);
    this.facts.endings.delete(attemptId);
    this.facts.starts.delete(attemptId);
  }
}

function mergePools(pools: readonly { environment: string; pool: string; freed: number }[]): Batch['pools'] {
  const merged = new Map<string, { environment: string; pool: string; freed: number }>();
  for (const item of pools) {
    const key = `${item.environment}\0${item.pool}`;
    merged.set(key, { ...item, freed: item.freed + (merged.get(key)?.freed ?? 0) });
  }
  return [...merged.values()].sort((a, b) => (`${a.environment}\0${a.pool}` < `${b.environment}\0${b.pool}` ? -1 : 1));
}

function refusal(
  attempt: { attemptId: string; fence: number },
  runId: string,
  message: string,
  now: number,
): AttemptResult {
  return {
    attemptId: attempt.attemptId,
    runId,
    fence: attempt.fence,
    outcome: { kind: 'failed', exitCode: null, message },
    startedAt: now,
    finishedAt: now,
    outputs: {},
    metrics: [],
    summary: null,
    versions: [],
    logLines: 0,
  };
}
