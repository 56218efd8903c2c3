import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError, type LogKey, type LogStore } from '#core';
import type { LogPageShape } from '#contracts';
import { apiQueries } from '#store';
import type { ReadContext } from './read-context.ts';
import { findRun, pipelineOfRun } from './run-reads.ts';
import { noSuchTask, type TaskRunKey } from './task-run-reads.ts';

export interface AttemptKey extends TaskRunKey {
  /** Null: the newest. */
  readonly number: number | null;
}

const MOST_FOUND_LINES = 10_000;
const LOOK_MS = 500;

interface FoundAttempt {
  readonly key: LogKey;
  readonly environment: string;
  readonly logs: LogStore;
  readonly lines: number | null;
  /** It writes nothing more, also when it died and never closed its log. */
  readonly ended: boolean;
}

export async function readLog(
  context: ReadContext,
  key: AttemptKey,
  { fromLine, limit }: { fromLine: number; limit: number },
): Promise<LogPageShape> {
  const attempt = await findAttempt(context, key);
  if (attempt === null) return { lines: [], nextLine: fromLine, complete: false };
  const { lines, nextLine, complete } = await attempt.logs.read(attempt.key, { fromLine, limit });
  const total = attempt.lines === null ? {} : { total: attempt.lines };
  return { lines: [...lines], nextLine, complete: complete || (attempt.ended && lines.length < limit), ...total };
}

export async function searchLog(context: ReadContext, key: AttemptKey, text: string): Promise<number[]> {
  const attempt = await findAttempt(context, key);
  return attempt === null ? [] : [...(await attempt.logs.search(attempt.key, text, MOST_FOUND_LINES))];
}

/**
 * Tells the lines of an attempt until its log is complete or the attempt has ended without closing it. A task run that
 * was not tried yet is waited for; if it never will be, that is the end.
 */
export async function followLog(
  context: ReadContext,
  key: AttemptKey,
  fromLine: number,
  onLines: Parameters<LogStore['follow']>[2],
  signal: AbortSignal,
): Promise<void> {
  let attempt = await findAttempt(context, key);
  while (attempt === null && !signal.aborted && (await mayStillStart(context, key))) {
    await pause(signal);
    attempt = await findAttempt(context, key);
  }
  if (attempt === null || signal.aborted) return;
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const heard = { lately: false };
  const tell: typeof onLines = (lines) => {
    heard.lately = true;
    onLines(lines);
  };
  const following = attempt.logs.follow(attempt.key, fromLine, tell, either);
  const watching = endWithAttempt(context, { ...key, number: attempt.key.number }, heard, stop, either);
  await following.finally(() => stop.abort());
  await watching;
}

/**
 * Ends the following of a log that nobody will close: two looks after the end, so that the last lines come through. Of a long
 * log they may take longer than that: as long as lines come there is no end.
 */
async function endWithAttempt(
  context: ReadContext,
  key: AttemptKey,
  heard: { lately: boolean },
  stop: AbortController,
  signal: AbortSignal,
): Promise<void> {
  for (let endedLooks = 0; !signal.aborted && endedLooks < 3;) {
    await pause(signal);
    // A database that does not answer now is asked again; the log itself is still followed.
    const attempt = signal.aborted ? null : await findAttempt(context, key).catch(() => null);
    endedLooks = attempt?.ended && !heard.lately ? endedLooks + 1 : 0;
    heard.lately = false;
  }
  stop.abort();
}

async function mayStillStart({ db }: ReadContext, { runId, taskId, mapIndex }: AttemptKey): Promise<boolean> {
  const run = await apiQueries.readRun(db, runId);
  const row = await apiQueries.readTaskRun(db, runId, taskId, mapIndex);
  return run !== null && run.finishedAt === null && (row?.finishedAt ?? null) === null;
}

async function pause(signal: AbortSignal): Promise<void> {
  // Being told to stop is how it usually ends.
  await sleep(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined);
}

/** Null: the task run has not been tried yet. Throws `not_found` for a run, task run or try that does not exist. */
export async function findAttempt(
  context: ReadContext,
  { runId, taskId, mapIndex, number }: AttemptKey,
): Promise<FoundAttempt | null> {
  const run = await findRun(context, runId);
  const row = await apiQueries.readTaskRun(context.db, runId, taskId, mapIndex);
  if (row === null || row.tries === 0) {
    const known = (await pipelineOfRun(context, run))?.pipeline?.tasks.some((task) => task.id === taskId) ?? false;
    if ((known || row !== null) && number === null) return null;
    throw noSuchTask({ runId, taskId, mapIndex });
  }
  const executedIn = row.originRun ?? runId;
  const attempts = await apiQueries.readAttempts(context.db, executedIn, taskId, mapIndex);
  const attempt = number === null ? attempts.at(-1) : attempts.find((one) => one.number === number);
  if (!attempt && number === null) return null;
  if (!attempt)
    throw new SluiceError('not_found', `Task run ${runId}/${taskId}[${mapIndex}] has no try ${number ?? 1}.`, {
      hint: `It has tries ${attempts.map((one) => one.number).join(', ') || 'none'}.`,
    });
  const key = { runId: executedIn, taskId, mapIndex, number: attempt.number };
  const ended = attempt.finishedAt !== null;
  const { environment } = run;
  return { key, environment, logs: context.logsFor(environment), lines: attempt.logLines, ended };
}
