import type { RunState } from '#core';
import { apiQueries } from '#store';
import type { AlertDelivery, AuditRecordShape } from '#contracts';
import { decodeCursor, encodeCursor, toPage } from './cursor.ts';
import { readEnvironment, readEnvironments } from './environment-reads.ts';
import { readCheckSeries, readRunChecks } from './check-reads.ts';
import { readGrid } from './grid-read.ts';
import { readMetricSeries } from './metric-reads.ts';
import { readPath } from './path-reads.ts';
import { readPipeline, readPipelines, readPipelineSummary } from './pipeline-reads.ts';
import type { ReadContext } from './read-context.ts';
import { readSchedulePreview } from './schedule-reads.ts';
import { environmentOfRun, findRun, readRerun, readRunDetail, readRuns, toRun } from './run-reads.ts';
import { readSystem } from './system-reads.ts';
import { followLog, readLog, searchLog, type AttemptKey } from './log-reads.ts';
import { readNotebook } from './notebook-reads.ts';
import { readTaskRun, type TaskRunKey } from './task-run-reads.ts';
import { readWhyWaiting } from './why-waiting.ts';

/** Everything that the API answers, in the shapes of #contracts. What does not exist is a SluiceError `not_found`. */
export function createReads(context: ReadContext) {
  return {
    environments: () => readEnvironments(context),
    environment: (name: string) => readEnvironment(context, name),
    pipelines: (environment: string) => readPipelines(context, environment),
    pipelineSummary: (environment: string, name: string) => readPipelineSummary(context, environment, name),
    pipeline: (environment: string, name: string) => readPipeline(context, environment, name),
    grid: (environment: string, pipeline: string, options: { runs: number; before: string | null }) =>
      readGrid(context, environment, pipeline, options),
    metricSeries: (
      environment: string,
      pipeline: string,
      options: { task: string | null; name: string | null; runs: number },
    ) => readMetricSeries(context, environment, pipeline, options),
    runs: (options: {
      environment: string | null;
      among: readonly string[] | null;
      pipeline: string | null;
      states: readonly RunState[] | null;
      from?: string | null;
      to?: string | null;
      limit: number;
      cursor: string | null;
    }) => readRuns(context, options),
    run: async (runId: string) => toRun(await findRun(context, runId)),
    rerun: (runId: string) => readRerun(context, runId),
    environmentOfRun: (runId: string) => environmentOfRun(context, runId),
    schedulePreview: (environment: string, name: string) => readSchedulePreview(context, environment, name),
    runDetail: (runId: string) => readRunDetail(context, runId),
    checkSeries: (environment: string, pipeline: string, options: { task: string | null; runs: number }) =>
      readCheckSeries(context, environment, pipeline, options),
    runChecks: (runId: string) => readRunChecks(context, runId),
    whyWaiting: (runId: string) => readWhyWaiting(context, runId),
    taskRun: (key: TaskRunKey) => readTaskRun(context, key),
    log: (key: AttemptKey, options: { fromLine: number; limit: number }) => readLog(context, key, options),
    notebook: (key: AttemptKey) => readNotebook(context, key),
    searchLog: (key: AttemptKey, text: string) => searchLog(context, key, text),
    followLog: (
      key: AttemptKey,
      fromLine: number,
      onLines: Parameters<typeof followLog>[3],
      signal: AbortSignal,
    ): Promise<void> => followLog(context, key, fromLine, onLines, signal),
    alerts: async (options: {
      environment: string | null;
      among: readonly string[] | null;
      limit: number;
      cursor: string | null;
    }) => {
      const { environment, among, limit, cursor } = options;
      const before = decodeCursor(cursor);
      const rows = await apiQueries.readAlerts(context.db, { environment, among, before, limit: limit + 1 });
      return toPage(rows, limit, (row): AlertDelivery => row);
    },
    alertsByIds: (ids: readonly string[]): Promise<AlertDelivery[]> => apiQueries.readAlertsByIds(context.db, ids),
    path: (environment: string, pipeline: string, path: string, at: Date | null) =>
      readPath(context, environment, pipeline, path, at),
    system: (among: readonly string[] | null) => readSystem(context, among),
    audit: async (options: { environments: readonly string[] | null; limit: number; cursor: string | null }) => {
      const { environments, limit, cursor } = options;
      const before = decodeCursor(cursor);
      const rows = await apiQueries.readAudit(context.db, { environments, before, limit: limit + 1 });
      const items = rows.slice(0, limit).map((row): AuditRecordShape => row);
      const last = items.at(-1);
      return { items, next: rows.length > limit && last ? encodeCursor(String(last.seq)) : null };
    },
    verifyAudit: () => apiQueries.verifyAudit(context.db),
  };
}
