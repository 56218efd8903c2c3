import { SluiceError } from '#core';
import type { TaskRunDetail } from '#contracts';
import { apiQueries } from '#store';
import { describeAttempt } from './describe-attempt.ts';
import { toGraphTask } from './pipeline-graph.ts';
import type { ReadContext } from './read-context.ts';
import { findRun, markedAs, notYet, pipelineOfRun, toRun, toTaskRun } from './run-reads.ts';

export interface TaskRunKey {
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
}

const MOST_SIBLINGS = 10_000;
const MOST_METRIC_POINTS = 10_000;

export async function readTaskRun(context: ReadContext, key: TaskRunKey): Promise<TaskRunDetail> {
  const { db } = context;
  const { runId, taskId, mapIndex } = key;
  const run = await findRun(context, runId);
  const pipeline = (await pipelineOfRun(context, run))?.pipeline ?? null;
  const task = pipeline?.tasks.find((one) => one.id === taskId);
  const row = await apiQueries.readTaskRun(db, runId, taskId, mapIndex);
  if (!task) throw noSuchTask(key);
  if (row === null && mapIndex > 0) throw noSuchTask(key);
  // A task run that was taken over was executed, and published, by another run; a cached one was only executed there.
  const publishedIn = row?.originRun ?? runId;
  const executedIn = row?.cachedFrom ?? publishedIn;
  const [attempts, metrics, published, rows, command, waits, marks] = await Promise.all([
    apiQueries.readAttempts(db, executedIn, taskId, mapIndex),
    apiQueries.readTaskRunMetrics(db, executedIn, taskId, mapIndex, MOST_METRIC_POINTS),
    apiQueries.readPublished(db, publishedIn, taskId, mapIndex),
    apiQueries.readTaskRuns(db, runId, MOST_SIBLINGS),
    describeAttempt(context, run, pipeline, task, row, mapIndex),
    apiQueries.readWaits(db, runId),
    context.store.marksOf([runId]),
  ]);
  return {
    ...(row
      ? toTaskRun(
          context,
          runId,
          row,
          waits.find((one) => one.taskId === taskId && one.mapIndex === mapIndex),
        )
      : notYet(taskId)),
    ...markedAs(marks, key),
    run: toRun(run),
    task: toGraphTask(task, pipeline ?? {}),
    attempts: attempts.map(({ replicas, ...attempt }) => ({
      ...attempt,
      ...(replicas === null ? {} : { replicas }),
      metrics: metrics
        .filter((point) => point.number === attempt.number)
        .map(({ name, value, step, at }) => ({ name, value, step, at })),
    })),
    ...command,
    inputs: (row?.inputs ?? []).map(({ name, versions }) => ({
      name,
      versions: versions.map(({ environment = run.environment, location, version, manifestHash }) => ({
        ...{ environment, location, version, manifestHash },
      })),
    })),
    published: published,
    outputs: { ...row?.outputs },
    summary: row?.summary ?? null,
    siblings: rows
      .filter((one) => one.taskId === taskId)
      .map((one) => ({ ...toTaskRun(context, runId, one), ...markedAs(marks, one) })),
  };
}

export function noSuchTask({ runId, taskId, mapIndex }: TaskRunKey): SluiceError {
  return new SluiceError('not_found', `Run ${runId} has no task run "${taskId}" with map index ${mapIndex}.`, {
    hint: `See \`sluice runs show ${runId}\`.`,
  });
}
