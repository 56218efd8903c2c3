import type { Command } from 'commander';
import type { MetricSeries } from '#contracts';
import type { Cli } from '../cli.ts';
import { countArgument, withEnvironment } from '../options.ts';
import { withOutput, type Column, type OutputOptions } from '../output/output.ts';
import { sparkline } from '../output/sparkline.ts';

interface MetricsOptions extends OutputOptions {
  readonly env: string;
  readonly task?: string;
  readonly name?: string;
  readonly limit: number;
  readonly points?: boolean;
}

export function addMetricsCommands(program: Command, cli: Cli): void {
  const metrics = program.command('metrics').description('what task runs measured');
  withOutput(withEnvironment(metrics.command('show')))
    .description('metrics of a pipeline over its runs')
    .argument('<pipeline>')
    .option('-t, --task <task>', 'only of this task')
    .option('-n, --name <metric>', 'only this metric')
    .option('-l, --limit <n>', 'over how many runs', countArgument, 200)
    .option('--points', 'one row for each value instead of one for each metric')
    .action((pipeline: string, options: MetricsOptions) => showMetrics(cli, pipeline, options));
}

const TREND_WIDTH = 30;

const SERIES_COLUMNS: readonly Column<MetricSeries>[] = [
  { header: 'TASK', cell: (row) => row.task },
  { header: 'METRIC', cell: (row) => row.name },
  { header: 'MAP', cell: (row) => row.mapKey || null, shrinks: true },
  { header: 'LAST', cell: (row) => shortNumber(row.points.at(-1)?.value), align: 'right' },
  { header: 'MIN', cell: (row) => shortNumber(least(row)), align: 'right' },
  { header: 'MAX', cell: (row) => shortNumber(most(row)), align: 'right' },
  { header: 'RUNS', cell: (row) => row.points.length, align: 'right' },
  { header: 'AT', cell: (row) => ({ kind: 'instant', at: row.points.at(-1)?.at ?? null }) },
  {
    header: 'TREND',
    cell: (row) =>
      sparkline(
        row.points.map(({ value }) => value),
        TREND_WIDTH,
      ) || null,
  },
];

type Point = MetricSeries['points'][number] & Pick<MetricSeries, 'task' | 'name' | 'mapKey'>;

const POINT_COLUMNS: readonly Column<Point>[] = [
  { header: 'TASK', cell: (row) => row.task },
  { header: 'METRIC', cell: (row) => row.name },
  { header: 'MAP', cell: (row) => row.mapKey || null, shrinks: true },
  { header: 'INTERVAL START', cell: (row) => row.intervalStart },
  { header: 'VALUE', cell: (row) => row.value, align: 'right' },
  { header: 'AT', cell: (row) => ({ kind: 'instant', at: row.at }) },
  { header: 'RUN', cell: (row) => row.runId },
  { header: 'RELEASE', cell: (row) => row.release.slice(0, 12), wide: true },
];

async function showMetrics(cli: Cli, pipeline: string, options: MetricsOptions): Promise<void> {
  const client = await cli.connect();
  const { env, task, name, limit } = options;
  const series = await client.metrics(pipeline, { env, task, name, limit });
  if (series.length === 0) {
    cli.say(`No metrics of ${pipeline} in ${env} match.`);
    cli.next('a task writes them with', 'echo "::metric name=rows value=42::"');
  }
  const output = cli.output(options);
  if (!options.points)
    return output.list({ rows: series, columns: SERIES_COLUMNS, name: (row) => `${row.task}.${row.name}` });
  const rows = series.flatMap(({ points, ...about }) => points.map((point) => ({ ...about, ...point })));
  return output.list({ rows, columns: POINT_COLUMNS, name: (row) => `${row.task}.${row.name}` });
}

function least({ points }: MetricSeries): number | undefined {
  return points.reduce<number | undefined>(
    (low, { value }) => (low === undefined || value < low ? value : low),
    undefined,
  );
}

function most({ points }: MetricSeries): number | undefined {
  return points.reduce<number | undefined>(
    (high, { value }) => (high === undefined || value > high ? value : high),
    undefined,
  );
}

/** Five significant digits; whole numbers stay whole. */
function shortNumber(value: number | undefined): string | null {
  if (value === undefined) return null;
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
}
