import type { Batch, MovedPointer } from '#core';
import { isTerminal } from '#core';
import type { LiveAttempts } from './live-attempts.ts';
import type { FailingPipeline } from './pause-failing.ts';
import type { Observer } from './ports.ts';
import type { Advanced } from './write-group.ts';

/** What of a commit others want to know. */
export interface Committed {
  readonly endedRuns: number;
  /** Pipelines of which a scheduled run failed, and that are paused after some. */
  readonly failing: readonly FailingPipeline[];
  readonly pointed: readonly MovedPointer[];
  /** Some pipelines wait for what was published or ended. */
  readonly awaited: boolean;
  /** Waits that began. */
  readonly waits: number;
  /** What others may wait for, by the subjects of waits. */
  readonly told: readonly string[];
}

export function committed(
  advanced: readonly Advanced[],
  batch: Batch,
  applied: Pick<Committed, 'pointed' | 'awaited'>,
): Committed {
  const ended = advanced.filter(({ decisions }) => decisions.some(({ kind }) => kind === 'end-run'));
  const moved = advanced.filter(
    ({ run, decisions }) => run.plan.hasPast && decisions.some((one) => one.kind === 'task-run' && isTerminal(one.to)),
  );
  const told = [
    ...[...ended, ...moved].map(({ run: { record } }) => `${record.environment}/${record.pipeline}`),
    ...batch.versions.map(({ environment, pipeline, name }) => `${environment}/${pipeline}.${name}`),
  ];
  const failing = ended.filter(
    ({ run: { record, plan }, decisions }) =>
      record.trigger === 'schedule' &&
      plan.pipeline.maxConsecutiveFailedRuns !== undefined &&
      decisions.some((one) => one.kind === 'end-run' && (one.state === 'failed' || one.state === 'timed_out')),
  );
  return {
    ...applied,
    endedRuns: ended.length,
    failing: failing.map(({ run: { plan, environment } }) => ({ pipeline: plan.pipeline, environment })),
    waits: batch.waits.length,
    told,
  };
}

/** Tells the observer what ended with a commit: attempts with their times, task runs, runs. */
export function reportCommit(
  observer: Observer,
  { run, decisions }: Advanced,
  attempts: LiveAttempts,
  now: number,
): void {
  const { id: runId, environment, pipeline, startedAt, createdAt } = run.record;
  for (const attemptId of run.flushed) {
    const ending = attempts.endings.get(attemptId);
    const place = attempts.place(attemptId);
    if (!ending || !place) continue;
    const { startedAt: from, finishedAt: to } = ending.result;
    const readyAt = run.readyAt.get(`${place.taskIndex}/${place.mapIndex}`);
    observer.event('attempt-ended', {
      environment,
      pipeline,
      runId,
      task: run.plan.pipeline.tasks[place.taskIndex]?.id,
      state: ending.judged.outcome.kind,
      durationMs: Math.max(0, to - from),
      waitMs: readyAt === undefined ? null : Math.max(0, from - readyAt),
    });
  }
  for (const decision of decisions) {
    if (decision.kind === 'task-run' && isTerminal(decision.to)) {
      run.readyAt.delete(`${decision.taskIndex}/${decision.mapIndex}`);
      observer.event('task-run-ended', { environment, pipeline, runId, state: decision.to });
    }
    if (decision.kind === 'end-run')
      observer.event('run-ended', {
        runId,
        pipeline,
        environment,
        state: decision.state,
        durationMs: Math.max(0, now - Date.parse(startedAt ?? createdAt)),
      });
  }
}
