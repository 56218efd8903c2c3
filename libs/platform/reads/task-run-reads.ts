import { SluiceError, type LogKey, type LogStore } from '#core';
import type { LogPageShape, TaskRunDetail } from '#contracts';
import { apiQueries } from '#store';
import { describeAttempt } from './describe-attempt.ts';
import { toGraphTask } from './pipeline-graph.ts';
import type { ReadContext } from './read-context.ts';
import { findRun, notYet, pipelineOfRun, toRun, toTaskRun } from './run-reads.ts';

export interface TaskRunKey {
  readonly runId: string;
  readonly taskId: string;
  readonly mapIndex: number;
}
export interface AttemptKey extends TaskRunKey {
  /** Null: the newest. */
  readonly number: number | null;
}

const MOST_SIBLINGS = 10_000;
const MOST_METRIC_POINTS = 10_000;
const MOST_FOUND_LINES = 10_000;

export async function readTaskRun(context: ReadContext, key: TaskRunKey): Promise<TaskRunDetail> {
  const { db } = context;
  const { runId, taskId, mapIndex } = key;
  const run = await findRun(context, runId);
  const pipeline = (await pipelineOfRun(context, run))?.pipeline ?? null;
  const task = pipeline?.tasks.find((one) => one.id === taskId);
  const row = await apiQueries.readTaskRun(db, runId, taskId, mapIndex);
  if (!task) throw noSuchTask(key);
  if (row === null && mapIndex > 0) throw noSuchTask(key);
  // A task run that was taken over was executed, and published, by another run.
  const executedIn = row?.originRun ?? runId;
  const [attempts, metrics, published, rows, command] = await Promise.all([
    apiQueries.readAttempts(db, executedIn, taskId, mapIndex),
    apiQueries.readTaskRunMetrics(db, executedIn, taskId, mapIndex, MOST_METRIC_POINTS),
    apiQueries.readPublished(db, executedIn, taskId, mapIndex),
    apiQueries.readTaskRuns(db, runId, MOST_SIBLINGS),
    describeAttempt(context, run, pipeline, task, row, mapIndex),
  ]);
  return {
    ...(row ? toTaskRun(context, runId, row) : notYet(taskId)),
    run: toRun(run),
    task: toGraphTask(task),
    attempts: attempts.map((attempt) => ({
      ...attempt,
      metrics: metrics
        .filter((point) => point.number === attempt.number)
        .map(({ name, value, step, at }) => ({ name, value, step, at })),
    })),
    ...command,
    inputs: (row?.inputs ?? []).map(({ name, versions }) => ({
      name,
      versions: versions.map(({ location, version, manifestHash }) => ({ location, version, manifestHash })),
    })),
    published: published,
    outputs: { ...row?.outputs },
    summary: row?.summary ?? null,
    siblings: rows.filter((one) => one.taskId === taskId).map((one) => toTaskRun(context, runId, one)),
  };
}

export async function readLog(
  context: ReadContext,
  key: AttemptKey,
  { fromLine, limit }: { fromLine: number; limit: number },
): Promise<LogPageShape> {
  const attempt = await findAttempt(context, key);
  if (attempt === null) return { lines: [], nextLine: fromLine, complete: false };
  const page = await attempt.logs.read(attempt.key, { fromLine, limit });
  return {
    lines: [...page.lines],
    nextLine: page.nextLine,
    complete: page.complete,
    ...(attempt.logLines === null ? {} : { total: attempt.logLines }),
  };
}

export async function searchLog(context: ReadContext, key: AttemptKey, text: string): Promise<number[]> {
  const attempt = await findAttempt(context, key);
  return attempt === null ? [] : [...(await attempt.logs.search(attempt.key, text, MOST_FOUND_LINES))];
}

export async function followLog(
  context: ReadContext,
  key: AttemptKey,
  fromLine: number,
  onLines: Parameters<LogStore['follow']>[2],
  signal: AbortSignal,
): Promise<void> {
  const attempt = await findAttempt(context, key);
  if (attempt !== null) await attempt.logs.follow(attempt.key, fromLine, onLines, signal);
}

/** Null: the task run has not been tried yet. Throws `not_found` for a run, task run or try that does not exist. */
async function findAttempt(
  context: ReadContext,
  { runId, taskId, mapIndex, number }: AttemptKey,
): Promise<{ key: LogKey; logs: LogStore; logLines: number | null } | null> {
  const run = await findRun(context, runId);
  const row = await apiQueries.readTaskRun(context.db, runId, taskId, mapIndex);
  if (row === null || row.tries === 0) {
    const known = (await pipelineOfRun(context, run))?.pipeline?.tasks.some((task) => task.id === taskId) ?? false;
    if (known && number === null) return null;
    throw noSuchTask({ runId, taskId, mapIndex });
  }
  const executedIn = row.originRun ?? runId;
  const attempts = await apiQueries.readAttempts(context.db, executedIn, taskId, mapIndex);
  const attempt = number === null ? attempts.at(-1) : attempts.find((one) => one.number === number);
  if (!attempt)
    throw new SluiceError('not_found', `Task run ${runId}/${taskId}[${mapIndex}] has no try ${number ?? 1}.`, {
      hint: `It has tries ${attempts.map((one) => one.number).join(', ') || 'none'}.`,
    });
  const key = { runId: executedIn, taskId, mapIndex, number: attempt.number };
  return { key, logs: context.logsFor(run.environment), logLines: attempt.logLines };
}

function noSuchTask({ runId, taskId, mapIndex }: TaskRunKey): SluiceError {
  return new SluiceError('not_found', `Run ${runId} has no task run "${taskId}" with map index ${mapIndex}.`, {
    hint: `See \`sluice runs show ${runId}\`.`,
  });
}
