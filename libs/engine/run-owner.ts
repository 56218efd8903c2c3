import type { Admitted, AttemptReport, AttemptResult, ClaimedRun, Clock, Executor, Mark, RunEvent } from '#core';
import { advance, isInQuestion, isStopped, markedBy, unreachable, whyStopped } from '#core';
import type { AttemptIdentity } from './assignment.ts';
import { Background } from './background.ts';
import { emptyRows } from './build-batch.ts';
import type { CacheSources } from './cache/find-cached.ts';
import { dispatchAttempts } from './dispatch-attempts.ts';
import type { RunPlan } from './graph-of.ts';
import { judgeResult } from './judge-result.ts';
import type { AttemptPlace } from './live-attempts.ts';
import { LiveAttempts } from './live-attempts.ts';
import type { OwnedRun } from './owned-run.ts';
import { isIdle, ownRun, placeOf, placeOfTaskRun } from './owned-run.ts';
import { plainResult } from './plain-result.ts';
import type { AppliedEnvironment, Observer, Pipelines } from './ports.ts';
import { committed, reportCommit, type Committed } from './report-commit.ts';
import { RetryTimer } from './retry-timer.ts';
import { TaskPreparer } from './task-preparer.ts';
import type { Advanced, GroupWriter, PoolHint } from './write-group.ts';
import { workerOf } from './worker-of.ts';
import { writeGroup } from './write-group.ts';

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

/**
 * How long what is not urgent waits for company: a `started` (a short task's travels with its end), and an end while the
 * executor has a backlog, so that a busy machine writes large groups instead of many small ones.
 */
const GATHER_MS = 25;

export interface RunOwnerOptions extends GroupWriter, CacheSources {
  readonly executor: Executor;
  readonly pipelines: Pipelines;
  readonly clock: Clock;
  readonly observer: Observer;
  /** How far a running task says that it is; never stored. */
  readonly onProgress: (event: TaskProgressEvent) => void;
  /** Called after each commit. */
  readonly onCommitted: (what: Committed) => void;
}

/**
 * Owns claimed runs: collects their events, advances them, writes each group of decisions in one transaction and
 * dispatches what was admitted after the commit. A group is written at once when none is under way; while one is, events
 * gather for the next. What it holds is a cache: after a refused or failed write the runs concerned are in `toReload`.
 */
export class RunOwner {
  private readonly owned = new Map<string, OwnedRun>();
  private readonly attempts = new LiveAttempts();
  private readonly dirty = new Set<string>();
  /** Runs that were in a group that could not be written: alone they hold up nobody else. */
  private readonly suspects = new Set<string>();
  private readonly background = new Background();
  private readonly retries: RetryTimer;
  private readonly preparer: TaskPreparer;
  private pools: PoolHint[] = [];
  private flushing: Promise<void> | null = null;
  private gathering: (() => void) | null = null;
  private stopped = false;
  /** Runs that are leased to this process and not in memory. */
  readonly toReload = new Set<string>();

  constructor(private readonly options: RunOwnerOptions) {
    options.executor.onReport((report) => this.onReport(report));
    this.retries = new RetryTimer(
      options.clock,
      () => this.owned.values(),
      (runId) => this.push(runId, { kind: 'tick' }),
    );
    const { resources } = options.executor;
    const parts = { ...options, ...(resources === undefined ? {} : { machine: resources }) };
    this.preparer = new TaskPreparer(parts, this.background, (run, events) => {
      if (this.owned.get(run.record.id) !== run) return;
      for (const event of events) run.events.push(event);
      this.touch(run.record.id);
    });
  }

  runs(): Iterable<OwnedRun> {
    return this.owned.values();
  }

  /** Takes a run over. Attempts that another process was executing are given up by the caller, after this. */
  own(record: ClaimedRun, plan: RunPlan, environment: AppliedEnvironment, rows: Parameters<typeof ownRun>[3]): void {
    const run = ownRun(record, plan, environment, rows);
    this.owned.set(record.id, run);
    this.toReload.delete(record.id);
    for (const row of rows) {
      const { attemptId, mapIndex, number, attemptFence, worker, replicas } = row;
      const taskIndex = plan.indexOf.get(row.taskId);
      // Answered, perhaps, while nobody owned the run.
      if (taskIndex !== undefined && isInQuestion(row))
        this.preparer.prepare(run, placeOfTaskRun(run, taskIndex, row.mapIndex));
      if (attemptId === null || taskIndex === undefined) continue;
      const place = { runId: record.id, taskIndex, mapIndex, replicas };
      this.attempts.put(attemptId, place, this.now());
      const stray = this.attempts.takeStray(attemptId);
      // Results that arrived while the run was not in memory, judged or not.
      if (this.attempts.endings.has(attemptId)) run.events.push(this.attempts.endedEvent(attemptId, place));
      else if (stray) this.finish(stray);
      // Committed but perhaps never sent; sending twice is harmless.
      else if (worker === workerOf(this.options.executor, this.options.processId))
        this.send(run, [{ attemptId, taskIndex, mapIndex, number, fence: attemptFence ?? 0, replicas }]);
    }
    for (const { retryAt } of run.cache.timers) if (retryAt !== null) this.retries.arm(retryAt);
    this.touch(record.id);
  }

  push(runId: string, event: RunEvent): void {
    const run = this.owned.get(runId);
    if (!run) return;
    run.events.push(event);
    this.touch(runId);
  }

  /** Somebody said how the run, or something of it, ends. One that was obeyed already changes nothing. False: it is not in memory. */
  mark(runId: string, mark: Mark): boolean {
    const run = this.owned.get(runId);
    const taskIndex = mark.taskId === null ? null : run?.plan.indexOf.get(mark.taskId);
    if (taskIndex !== undefined)
      this.push(runId, { kind: 'mark', taskIndex, mapIndex: mark.mapIndex, state: mark.state, reason: markedBy(mark) });
    return run !== undefined;
  }

  /** Looks for free slots of these pools, for instance after another process freed some. */
  admit(pools: readonly { environment: string; pool: string }[]): void {
    for (const pool of pools) this.pools.push({ ...pool, freed: 0 });
    this.wake();
  }

  /** An attempt ended, as the executor or its evidence says. Only the first word counts. */
  finish(result: AttemptResult): void {
    if (!this.stopped) this.background.add(this.judge(plainResult(result)));
  }

  /**
   * Attempts of which nothing was heard since before `instant` (epoch milliseconds): they count as handed over anew, so
   * that the next call leaves them out for as long.
   */
  *quietAttempts(instant: number): Generator<{ run: OwnedRun; attempt: AttemptIdentity; started: boolean }> {
    for (const run of this.owned.values())
      for (const task of run.cache.tasks)
        for (const { attemptId, taskIndex, mapIndex, number, fence } of task.active > 0 ? task.instances.values() : [])
          if (attemptId !== null && this.attempts.isOlder(attemptId, instant, this.now()))
            yield {
              run,
              attempt: {
                ...{ attemptId, taskIndex, mapIndex, number, fence },
                replicas: this.attempts.place(attemptId)?.replicas ?? null,
              },
              started: this.attempts.starts.has(attemptId),
            };
  }

  /** Hands attempts to the executor, which ignores those that it knows. What fails here is sent again as a quiet attempt. */
  send(run: OwnedRun, attempts: readonly AttemptIdentity[]): void {
    try {
      for (const refused of dispatchAttempts(this.options, run, attempts, this.now())) this.finish(refused);
    } catch (error) {
      this.options.observer.problem('dispatching attempts', error, { runId: run.record.id });
    }
    // A stop that was decided before the executor had heard of them.
    for (const { attemptId, taskIndex } of attempts)
      if (isStopped(run.cache, taskIndex)) this.cancelAttempt(run, attemptId);
  }

  /** Gives up the runs that somebody else took over; for a process that did not renew its lease in time. */
  async checkLeases(): Promise<void> {
    const { store, processId } = this.options;
    const runs = [...this.owned.values()];
    const leases = runs.map(({ record }) => ({ id: record.id, token: record.leaseToken }));
    const applied = await store.apply({ ...emptyRows(), processId, worker: processId, runs: leases });
    if (applied.kind === 'lost') this.giveUp(runs, applied.runIds);
  }

  /** Tasks that wait for data: look again now. */
  lookAgain(): void {
    if (!this.stopped) this.preparer.lookAgain(this.owned.values());
  }

  /** The wait of a task run ended. */
  waitEnded(runId: string, taskId: string, mapIndex: number): void {
    const run = this.owned.get(runId);
    const taskIndex = run?.plan.indexOf.get(taskId);
    if (!run || taskIndex === undefined || this.stopped) return;
    const place = placeOfTaskRun(run, taskIndex, mapIndex);
    run.waiting.set(placeOf(place), { ...place, at: 0 });
    this.preparer.lookAgain([run]);
  }

  /** Makes every waiting task due for another look. */
  dataArrived(): void {
    for (const { waiting } of this.owned.values())
      for (const [key, place] of waiting) waiting.set(key, { ...place, at: 0 });
  }

  /** Resolves when nothing is waiting to be written, judged or prepared. */
  async idle(): Promise<void> {
    while (this.flushing || !this.background.isIdle) {
      await this.flushing;
      await this.background.idle();
    }
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.gathering?.();
    this.retries.stop();
    await this.idle();
  }

  private now(): number {
    return this.options.clock.now().getTime();
  }

  private async judge(result: AttemptResult): Promise<void> {
    const { attemptId } = result;
    const place = this.attempts.place(attemptId);
    const run = place && this.owned.get(place.runId);
    if (!run) return this.attempts.putStray(result);
    if (this.attempts.endings.has(attemptId)) return;
    try {
      const judged = await judgeResult(this.options.store, run, place.taskIndex, place.mapIndex, result);
      if (this.attempts.endings.has(attemptId) || !this.attempts.place(attemptId)) return;
      this.attempts.endings.set(attemptId, { result, judged });
      run.events.push(this.attempts.endedEvent(attemptId, place));
      if (this.options.executor.isBacklogged()) this.gather(place.runId);
      else this.touch(place.runId);
    } catch (error) {
      this.options.observer.problem('judging a result', error, { attemptId });
      this.options.clock.schedule(1000, () => this.finish(result));
    }
  }

  private onReport(report: AttemptReport): void {
    if (this.stopped) return;
    if (report.kind === 'finished') return this.finish(report.result);
    const place = this.attempts.place(report.attemptId);
    const run = place && this.owned.get(place.runId);
    if (!run) return;
    if (report.kind === 'progress') return this.tellProgress(run, place, report);
    this.attempts.starts.set(report.attemptId, { at: report.at, pid: report.pid });
    run.events.push({ ...place, kind: 'started', attemptId: report.attemptId });
    this.gather(place.runId);
  }

  private tellProgress(
    run: OwnedRun,
    { taskIndex, mapIndex }: AttemptPlace,
    { done, total, label }: { done: number; total: number; label: string },
  ): void {
    const { environment, pipeline, id: runId } = run.record;
    const taskId = run.plan.pipeline.tasks[taskIndex]?.id ?? '';
    this.options.onProgress({
      kind: 'progress',
      environment,
      pipeline,
      runId,
      taskId,
      mapIndex,
      done,
      total,
      label,
    });
  }

  private gather(runId: string): void {
    this.dirty.add(runId);
    this.gathering ??= this.options.clock.schedule(GATHER_MS, () => {
      this.gathering = null;
      this.wake();
    });
  }

  private touch(runId: string): void {
    this.dirty.add(runId);
    this.wake();
  }

  private wake(): void {
    if (this.flushing || this.stopped) return;
    this.flushing = this.flushAll().finally(() => {
      this.flushing = null;
      if (this.hasWork()) this.wake();
    });
  }

  private hasWork(): boolean {
    return (this.dirty.size > 0 || this.pools.length > 0) && !this.stopped;
  }

  private async flushAll(): Promise<void> {
    // One turn of the event loop: what arrived together is written together.
    await Promise.resolve();
    while (this.hasWork()) await this.flush();
  }

  /** One group commit. */
  private async flush(): Promise<void> {
    const { observer } = this.options;
    const runs = this.nextGroup();
    const pools = this.pools;
    this.pools = [];
    const began = performance.now();
    try {
      const written = await writeGroup(this.options, runs, pools, this.attempts, this.now());
      if (written.kind !== 'written') {
        if (written.kind === 'lost') this.giveUp(runs, written.runIds);
        return this.drop(runs);
      }
      const { advanced, admitted, hasMore, pointed, awaited, batch } = written;
      for (const run of runs) this.suspects.delete(run.record.id);
      if (batch)
        observer.event('batch-applied', {
          runs: runs.length,
          inserted: batch.inserts.length,
          updated: batch.updates.length,
          admitted: admitted.length,
          durationMs: performance.now() - began,
        });
      for (const each of advanced) this.settle(each);
      this.dispatch(admitted);
      if (batch && hasMore) this.admit(batch.pools);
      // What was written is told whatever becomes of this.
      await this.park(runs).catch((error: unknown) => observer.problem('parking runs', error));
      if (batch) this.options.onCommitted(committed(advanced, batch, { pointed, awaited }));
    } catch (error) {
      observer.problem('writing a batch', error, { runs: runs.map((run) => run.record.id) });
      for (const run of runs) this.suspects.add(run.record.id);
      this.drop(runs);
    }
  }

  private nextGroup(): OwnedRun[] {
    const group: OwnedRun[] = [];
    for (const runId of this.dirty) {
      const isSuspect = this.suspects.has(runId);
      if (isSuspect && group.length > 0) continue;
      this.dirty.delete(runId);
      const run = this.owned.get(runId);
      if (!run || run.events.length === 0) continue;
      group.push(run);
      if (isSuspect) break;
    }
    return group;
  }

  /** Somebody else owns the runs that are `lost`: what they execute here must end, for the new owner executes it again. */
  private giveUp(runs: readonly OwnedRun[], lost: readonly string[]): void {
    this.options.observer.event('leases-lost', { runIds: lost });
    for (const run of runs) {
      const { id } = run.record;
      // Perhaps we claimed it anew ourselves: then what it executes is ours.
      if (!lost.includes(id) || this.owned.get(id) !== run) continue;
      this.owned.delete(id);
      this.abandon(id);
    }
  }

  /** Forgets what a run that is ours no more executes here, and ends it. */
  abandon(runId: string): void {
    this.toReload.delete(runId);
    for (const attemptId of this.attempts.ofRun(runId)) {
      this.attempts.forget(attemptId);
      // Where attempts outlive us the new owner goes on with them.
      if (!this.options.executor.outlivesProcess)
        this.options.executor.cancel(attemptId, 'another process took the run over');
    }
  }

  /** Forgets runs whose caches are ahead of the database; those that are still ours are loaded again. */
  private drop(runs: readonly OwnedRun[]): void {
    for (const run of runs) {
      // A newer claim of the same run may stand in its place already.
      if (this.owned.get(run.record.id) !== run) continue;
      this.owned.delete(run.record.id);
      this.toReload.add(run.record.id);
    }
  }

  /** Forgets runs that only wait: they cost nothing until they are claimed again. */
  private async park(runs: readonly OwnedRun[]): Promise<void> {
    const idle = runs.filter((run) => this.owned.get(run.record.id) === run && isIdle(run));
    if (idle.length === 0 || this.stopped) return;
    const leases = idle.map(({ record }) => ({ id: record.id, token: record.leaseToken }));
    const { store, processId } = this.options;
    const parked = await store.parkRuns(processId, leases);
    const woken = parked.filter((id) => (this.owned.get(id)?.events.length ?? 0) > 0);
    for (const id of parked) this.owned.delete(id);
    // Something came meanwhile, which stands in the database, too: it is heard when the run is claimed again.
    if (woken.length > 0) await store.unpark(woken);
  }

  /** What is left to do for a run once its group is committed. */
  private settle(advanced: Advanced): void {
    const { run, decisions } = advanced;
    reportCommit(this.options.observer, advanced, this.attempts, this.now());
    for (const attemptId of run.flushed.splice(0)) this.attempts.forget(attemptId);
    for (const decision of decisions) {
      switch (decision.kind) {
        case 'prepare':
          if (!this.stopped) this.preparer.prepare(run, decision);
          break;
        case 'cancel-attempt':
          this.cancelAttempt(run, decision.attemptId);
          break;
        case 'end-run':
          if (this.owned.get(run.record.id) === run) this.owned.delete(run.record.id);
          break;
        case 'task-run':
          if (decision.retryAt !== null) this.retries.arm(decision.retryAt);
          break;
        default:
          unreachable(decision);
      }
    }
  }

  private cancelAttempt(run: OwnedRun, attemptId: string): void {
    this.options.executor.cancel(attemptId, whyStopped(run.cache));
  }

  private dispatch(admitted: readonly Admitted[]): void {
    const byRun = new Map<OwnedRun, AttemptIdentity[]>();
    for (const { runId, taskId, mapIndex, attemptId, number, fence, replicas } of admitted) {
      const run = this.owned.get(runId);
      const taskIndex = run?.plan.indexOf.get(taskId);
      // Not in memory at the moment: sent when it is loaded again.
      if (!run || taskIndex === undefined) continue;
      const attempt = { attemptId, taskIndex, mapIndex, number, fence, replicas };
      this.attempts.put(attemptId, { runId, taskIndex, mapIndex, replicas }, this.now());
      // At once, not with the next batch: a result may come before it. Admission is written already, so nothing follows.
      advance(run.cache, [{ kind: 'admitted', ...attempt }], this.now());
      const list = byRun.get(run);
      if (list) list.push(attempt);
      else byRun.set(run, [attempt]);
    }
    for (const [run, attempts] of byRun) this.send(run, attempts);
  }
}
