import type { EngineStore, RunSide, TaskSide } from '#core';
import { diffRuns, mergeTools } from '#core';
import type { RunDiffShape, VerificationShape } from '#contracts';
import { apiQueries, type Db } from '#store';
import { filesOfVersion, type VersionStorage } from '../version-files.ts';
import type { ReadContext } from './read-context.ts';
import { findRun, pipelineOfRun, type RunRow } from './run-reads.ts';

export interface VerificationReadContext extends Pick<ReadContext, 'catalog'> {
  readonly db: Db;
  readonly store: Pick<EngineStore, 'loadTaskRuns'>;
  readonly storageFor: (environment: string) => VersionStorage;
}

/** What the API answers about runs that were executed again, and about two runs side by side. */
export function createVerificationReads(context: VerificationReadContext) {
  return {
    verification: (runId: string) => readVerification(context, runId),
    runDiff: (from: string, to: string) => readRunDiff(context, from, to),
  };
}

/** The newest of the run; null: it was never verified. Throws `not_found` for a run that there is not. */
export async function readVerification(
  { db }: Pick<VerificationReadContext, 'db'>,
  runId: string,
): Promise<VerificationShape | null> {
  await findRun({ db }, runId);
  const row = await apiQueries.latestVerification(db, runId);
  if (row === null) return null;
  const { result, ...about } = row;
  return {
    ...about,
    detail: result?.detail ?? null,
    files: result?.files ?? 0,
    drifted: result?.drifted ?? 0,
    // Field by field: the database keeps no order of keys.
    tasks: (result?.tasks ?? []).map(({ taskId, mapIndex, mapKey, verdict, reason, files, drifted }) => ({
      ...{ taskId, mapIndex, mapKey, verdict, reason, files, drifted },
    })),
    drifts: (result?.drifts ?? []).map(({ taskId, mapIndex, mapKey, output, file, change, before, after }) => ({
      ...{ taskId, mapIndex, mapKey, output, file, change, before, after },
    })),
    tools: result?.tools?.map(({ tool, before, after }) => ({ tool, before, after })) ?? null,
  };
}

async function readRunDiff(context: VerificationReadContext, from: string, to: string): Promise<RunDiffShape> {
  const [before, after] = [await findRun(context, from), await findRun(context, to)];
  const [old, now] = await Promise.all([sideOf(context, before), sideOf(context, after)]);
  return { from, to, ...(diffRuns(old, now) as Omit<RunDiffShape, 'from' | 'to'>) };
}

async function sideOf(context: VerificationReadContext, run: RunRow): Promise<RunSide> {
  const { db, store, storageFor } = context;
  const [entry, rows, shown, versions, metrics, tools] = await Promise.all([
    pipelineOfRun(context, run),
    store.loadTaskRuns([run.id]),
    apiQueries.readTaskRuns(db, run.id, 20_000),
    apiQueries.versionsOfRun(db, run.id),
    apiQueries.readRunMetrics(db, run.id),
    apiQueries.toolsOfRun(db, run.id, null),
  ]);
  const storage = storageFor(run.environment);
  const times = new Map(shown.map((row) => [`${row.taskId}/${row.mapIndex}`, row]));
  const tasks: TaskSide[] = [];
  for (const { taskId, mapIndex, mapKey, state, number, inputs } of rows) {
    const own = versions.filter((version) => version.taskId === taskId && version.mapIndex === mapIndex);
    const outputs = own.map(async ({ path, version, manifestHash }) => ({
      name: path,
      files: await filesOfVersion(storage, version, manifestHash),
    }));
    const values = metrics.filter((metric) => metric.taskId === taskId && metric.mapIndex === mapIndex);
    const { startedAt = null, finishedAt = null } = times.get(`${taskId}/${mapIndex}`) ?? {};
    tasks.push({
      ...{ taskId, mapIndex, mapKey, state, tries: number, durationMs: msBetween(startedAt, finishedAt) },
      inputs: inputs ?? [],
      outputs: await Promise.all(outputs),
      metrics: Object.fromEntries(values.map(({ name, value }) => [name, value])),
    });
  }
  return {
    facts: {
      pipeline: run.pipeline,
      environment: run.environment,
      release: run.release,
      configuration: run.configHash,
      trigger: run.trigger,
      state: run.state,
      tools: mergeTools(tools),
      interval: { start: run.intervalStart, end: run.intervalEnd },
    },
    params: run.params,
    pipeline: entry?.pipeline ?? null,
    durationMs: msBetween(run.startedAt, run.finishedAt),
    tasks,
  };
}

function msBetween(start: string | null, end: string | null): number | null {
  return start === null || end === null ? null : Date.parse(end) - Date.parse(start);
}
