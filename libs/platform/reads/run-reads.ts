import { markOf, SluiceError, type RunState, type StoredMark } from '#core';
import type { RerunResult, Run, RunDetail, TaskRun, TaskWait } from '#contracts';
import { apiQueries, historyQueries } from '#store';
import { decodeCursor, toPage } from './cursor.ts';
import { readOutdated } from './outdated-tasks.ts';
import { layoutOf, graphTasksOf } from './pipeline-graph.ts';
import type { CatalogPipeline, ReadContext } from './read-context.ts';

export type RunRow = NonNullable<Awaited<ReturnType<typeof apiQueries.readRun>>>;
type TaskRunRow = Awaited<ReturnType<typeof apiQueries.readTaskRuns>>[number];

/** A run page shows so many task runs; a wider fan-out is told by its counts. */
const MOST_TASK_RUNS = 20_000;

export async function readRuns(
  { db }: ReadContext,
  options: {
    environment: string | null;
    among: readonly string[] | null;
    pipeline: string | null;
    states: readonly RunState[] | null;
    from?: string | null;
    to?: string | null;
    limit: number;
    cursor: string | null;
  },
): Promise<{ items: Run[]; next: string | null }> {
  const { limit, cursor, ...filter } = options;
  const before = decodeCursor(cursor);
  const rows = await apiQueries.readRuns(db, { ...filter, before, limit: limit + 1 });
  return toPage(rows, limit, toRun);
}

/** Throws `not_found`. */
export async function findRun({ db }: Pick<ReadContext, 'db'>, runId: string): Promise<RunRow> {
  const row = await apiQueries.readRun(db, runId);
  if (row !== null) return row;
  const archived = await historyQueries.archivedRun(db, runId);
  if (archived !== null)
    throw new SluiceError(
      'not_found',
      `Run ${runId} is past its retention: it was archived at ${archived.archivedAt}.`,
      {
        hint: `\`sluice history show ${runId}\` shows what is kept of it.`,
        details: { archivedAt: archived.archivedAt },
      },
    );
  throw new SluiceError('not_found', `There is no run ${JSON.stringify(runId)}.`, { hint: 'See `sluice runs list`.' });
}

/** Archived runs among them. Throws `not_found`. */
export async function environmentOfRun(context: Pick<ReadContext, 'db'>, runId: string): Promise<string> {
  const { db } = context;
  const known = (await apiQueries.readRun(db, runId)) ?? (await historyQueries.archivedRun(db, runId));
  return (known ?? (await findRun(context, runId))).environment;
}

export function toRun(row: RunRow): Run {
  const { intervalStart, intervalEnd, params, counts, marked, configHash: _hash, timeoutAt: _timeout, ...rest } = row;
  const interval = intervalStart === null || intervalEnd === null ? null : { start: intervalStart, end: intervalEnd };
  return {
    ...{ ...rest, interval, params: { ...params }, counts: { ...counts } },
    ...(marked === null ? {} : { marked: { ...marked, at: new Date(marked.at).toISOString() } }),
  };
}

export async function readRunDetail(context: ReadContext, runId: string): Promise<RunDetail> {
  const { db, layouts, store } = context;
  const row = await findRun(context, runId);
  const [entry, rows, earlier, neighbours, starts, waits, marks] = await Promise.all([
    pipelineOfRun(context, row),
    apiQueries.readTaskRuns(db, runId, MOST_TASK_RUNS),
    apiQueries.readEarlierAttempts(db, runId),
    apiQueries.readNeighbours(db, row),
    apiQueries.readStarts(db, runId),
    apiQueries.readWaits(db, runId),
    store.marksOf([runId]),
  ]);
  const earlierOf = new Map<string, NonNullable<TaskRun['earlier']>>();
  for (const { taskId, mapIndex, ...attempt } of earlier) {
    const key = `${taskId}/${mapIndex}`;
    earlierOf.set(key, [...(earlierOf.get(key) ?? []), attempt]);
  }
  const waitOf = new Map(waits.map((wait) => [`${wait.taskId}/${wait.mapIndex}`, wait]));
  const pipeline = entry?.pipeline ?? null;
  const started = new Set(rows.map((one) => one.taskId));
  const taskRuns = [
    ...rows.map((one) => ({
      ...toTaskRun(context, runId, one, waitOf.get(`${one.taskId}/${one.mapIndex}`)),
      ...markedAs(marks, one),
      earlier: earlierOf.get(`${one.taskId}/${one.mapIndex}`) ?? [],
    })),
    ...(pipeline?.tasks ?? []).filter((task) => !started.has(task.id)).map((task) => notYet(task.id)),
  ];
  const outdated = await readOutdated(context, row, rows);
  return {
    ...toRun(row),
    ...(outdated.length === 0 ? {} : { outdated }),
    tasks: pipeline ? graphTasksOf(pipeline) : [],
    layout: pipeline ? await layoutOf(layouts, pipeline) : { width: 0, height: 0, nodes: [], groups: [], edges: [] },
    taskRuns,
    source: entry?.source ?? '',
    startedBy: [...starts.startedBy],
    event: starts.event,
    started: [...starts.started],
    previousRun: neighbours.previous,
    nextRun: neighbours.next,
  };
}

/** A run that was just made of another one, with what it took over although its release has it otherwise. */
export async function readRerun(context: ReadContext, runId: string): Promise<RerunResult> {
  const row = await findRun(context, runId);
  const outdated = await readOutdated(context, row, await apiQueries.readTaskRuns(context.db, runId, MOST_TASK_RUNS));
  return { ...toRun(row), ...(outdated.length === 0 ? {} : { outdated }) };
}

/** The pipeline as the run's release has it; null when that release is gone. */
export async function pipelineOfRun(
  context: Pick<ReadContext, 'catalog'>,
  run: RunRow,
): Promise<CatalogPipeline | null> {
  try {
    const pipelines = await context.catalog.pipelines(run.release);
    return pipelines.find((one) => one.name === run.pipeline) ?? null;
  } catch (error) {
    // Old releases are collected; what happened in their runs is still told.
    if (error instanceof SluiceError && error.code === 'not_found') return null;
    throw error;
  }
}

export function toTaskRun(
  context: ReadContext,
  runId: string,
  row: TaskRunRow,
  wait?: Awaited<ReturnType<typeof apiQueries.readWaits>>[number],
): TaskRun {
  const { taskId, mapIndex, mapKey, state, tries, readyAt, queuedAt, startedAt, finishedAt, reason, originRun } = row;
  const { cachedFrom, cacheWhy } = row;
  const progress = state === 'running' ? context.progress(runId, taskId, mapIndex) : null;
  return {
    taskId,
    mapIndex,
    mapKey,
    state,
    tries,
    readyAt,
    queuedAt,
    startedAt,
    finishedAt,
    reason,
    originRun,
    ...(cacheWhy === null ? {} : { cache: { from: cachedFrom, why: cacheWhy } }),
    progress,
    ...(state === 'waiting' && wait !== undefined ? { wait: toTaskWait(wait) } : {}),
  };
}

/** Its last mark. */
export function markedAs(
  marks: readonly StoredMark[],
  { taskId, mapIndex }: Pick<TaskRunRow, 'taskId' | 'mapIndex'>,
): Pick<TaskRun, 'marked'> {
  const mark = markOf(marks, taskId, mapIndex);
  return mark === null ? {} : { marked: { as: mark.state, by: mark.actor, reason: mark.reason, at: mark.at } };
}

function toTaskWait({
  taskId: _task,
  tasks: _tasks,
  groups,
  ...wait
}: Awaited<ReturnType<typeof apiQueries.readWaits>>[number]): TaskWait {
  return { ...wait, groups: [...groups] };
}

/** A task run that has no row yet. */
export function notYet(taskId: string, mapIndex = 0): TaskRun {
  const never = { readyAt: null, queuedAt: null, startedAt: null, finishedAt: null };
  return {
    taskId,
    mapIndex,
    mapKey: '',
    state: 'none',
    tries: 0,
    ...never,
    reason: null,
    originRun: null,
    progress: null,
  };
}
