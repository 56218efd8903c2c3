import type { CheckSeries, RunCheck } from '#contracts';
import { apiQueries } from '#store';
import type { ReadContext } from './read-context.ts';
import { findRun } from './run-reads.ts';

const MOST_POINTS = 50_000;
const MOST_CHECKS = 5_000;

/** Each check of a pipeline's tasks over its newest `runs` runs, oldest result first. */
export async function readCheckSeries(
  { db }: Pick<ReadContext, 'db'>,
  environment: string,
  pipeline: string,
  options: { task: string | null; runs: number },
): Promise<CheckSeries[]> {
  const rows = await apiQueries.readCheckSeries(db, { environment, pipeline, ...options, limit: MOST_POINTS });
  const series: CheckSeries[] = [];
  for (const { taskId: task, name, mapKey, path, ...point } of rows) {
    const last = series.at(-1);
    // Rows come series by series.
    if (last && last.task === task && last.name === name && last.mapKey === mapKey) last.points.push(point);
    else series.push({ task, name, mapKey, path, points: [point] });
  }
  return series;
}

export async function readRunChecks(context: ReadContext, runId: string): Promise<RunCheck[]> {
  await findRun(context, runId);
  const rows = await apiQueries.readRunChecks(context.db, runId, MOST_CHECKS);
  return rows.map((row) => ({ ...row, sample: row.sample.map((one) => ({ ...one })) }));
}
