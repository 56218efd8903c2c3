import type { MetricSeries } from '#contracts';
import { apiQueries } from '#store';
import type { ReadContext } from './read-context.ts';

const MOST_POINTS = 50_000;

/** Each metric of a pipeline's tasks over its newest `runs` runs, oldest point first. */
export async function readMetricSeries(
  { db }: Pick<ReadContext, 'db'>,
  environment: string,
  pipeline: string,
  options: { task: string | null; name: string | null; runs: number },
): Promise<MetricSeries[]> {
  const rows = await apiQueries.readMetricSeries(db, { environment, pipeline, ...options, limit: MOST_POINTS });
  const series: MetricSeries[] = [];
  for (const { task, name, mapKey, ...point } of rows) {
    const last = series.at(-1);
    // Rows come series by series.
    if (last && last.task === task && last.name === name && last.mapKey === mapKey) last.points.push(point);
    else series.push({ task, name, mapKey, points: [point] });
  }
  return series;
}
