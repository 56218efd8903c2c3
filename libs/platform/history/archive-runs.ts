import type { DataSource } from 'typeorm';
import { type Clock, declaredEnvironment, type ObjectStore } from '#core';
import type { EnvironmentStorage } from '#storage';
import { appendAudit, historyQueries, type ExpiredRun } from '#store';
import { writeArchive } from './archive-file.ts';

export interface HistoryParts {
  readonly db: DataSource;
  readonly clock: Clock;
  readonly storageFor: (environment: string) => Pick<EnvironmentStorage, 'forgetRun'>;
  readonly objectsFor: (environment: string) => ObjectStore;
}

export interface ArchivedRuns {
  readonly runs: number;
  readonly taskRuns: number;
}

/** Bounds of one archive, and of the transaction that removes what it holds. */
const MOST_RUNS = 200;
const MOST_TASK_RUNS = 5000;
/** Longest rest after a batch, which is as long as the batch took. */
const MOST_REST_MS = 2000;

/**
 * Moves what ended before `before` and nothing needs into archives, then removes logs and evidence of it; until `isOver`
 * says that it is enough. What came before then to start runs, and will not, is forgotten, and so is what executed attempts
 * that are all gone. May be killed anywhere: an archive whose runs are still there is written again, logs that are still there
 * are removed the next time.
 */
export async function archiveRuns(
  parts: HistoryParts,
  environment: string,
  before: Date,
  actor: string,
  isOver: () => boolean,
): Promise<ArchivedRuns> {
  let [runs, taskRuns] = [0, 0];
  await eraseLogs(parts, environment);
  await historyQueries.forgetStarts(parts.db, environment, before);
  // Again as long as some went: what they were made from may go now.
  for (let some = true; some && !isOver();) {
    some = false;
    for (let after: ExpiredRun | null = null; !isOver();) {
      const expired: ExpiredRun[] = await historyQueries.expiredRuns(parts.db, environment, before, after, MOST_RUNS);
      for (const batch of batchesOf(expired.filter(({ pin }) => pin === null))) {
        const started = parts.clock.now().getTime();
        const removed = await archiveBatch(parts, environment, batch);
        [runs, taskRuns] = [runs + removed.runs, taskRuns + removed.taskRuns];
        some ||= removed.runs > 0;
        await rest(parts.clock, parts.clock.now().getTime() - started);
        if (isOver()) break;
      }
      after = expired.at(-1) ?? null;
      if (expired.length < MOST_RUNS) break;
    }
  }
  if (runs > 0) {
    await historyQueries.forgetWorkers(parts.db);
    const detail = { before: before.toISOString(), runs, taskRuns };
    await parts.db.transaction((manager) =>
      appendAudit(manager, [{ actor, action: 'history.prune', environment, subject: 'runs', detail }]),
    );
  }
  return { runs, taskRuns };
}

/** Runs of one day each, in their order, with a bounded number of task runs; one run may have more alone. */
export function batchesOf(expired: readonly ExpiredRun[]): ExpiredRun[][] {
  const batches: ExpiredRun[][] = [];
  let taskRuns = 0;
  for (const run of expired) {
    const last = batches.at(-1);
    taskRuns += run.taskRuns;
    if (last !== undefined && last[0]?.day === run.day && taskRuns <= MOST_TASK_RUNS) last.push(run);
    else {
      batches.push([run]);
      taskRuns = run.taskRuns;
    }
  }
  return batches;
}

async function archiveBatch(
  parts: HistoryParts,
  environment: string,
  batch: readonly ExpiredRun[],
): Promise<ArchivedRuns> {
  const ids = batch.map(({ id }) => id);
  const archives = await historyQueries.readRunArchives(parts.db, ids);
  // Another process may have been faster: its lock went with its connection.
  if (archives.length === 0) return { runs: 0, taskRuns: 0 };
  // The storage of a preview goes with the preview, and its history is to stay.
  const objects = parts.objectsFor(declaredEnvironment(environment));
  const archive = await writeArchive(objects, environment, batch[0]?.day ?? '', archives);
  const removed = await historyQueries.removeRuns(parts.db, archive, ids);
  await eraseLogs(parts, environment);
  return removed;
}

/** Of every archived run of the environment that still has some. */
async function eraseLogs({ db, storageFor }: HistoryParts, environment: string): Promise<void> {
  for (;;) {
    const ids = await historyQueries.archivedRunsToErase(db, environment, MOST_RUNS);
    for (const id of ids) await storageFor(environment).forgetRun(id);
    await historyQueries.markRunsErased(db, ids);
    if (ids.length < MOST_RUNS) return;
  }
}

/** Leaves the database to others as long as it was busy with us. */
function rest(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.schedule(Math.min(ms, MOST_REST_MS), resolve));
}
