import type { Command } from 'commander';
import { SluiceError } from '#core';
import type { CheckSeries, RunCheck } from '#contracts';
import type { Cli } from '../cli.ts';
import { countArgument, withEnvironment } from '../options.ts';
import { withOutput, type Column, type OutputOptions } from '../output/output.ts';

interface ChecksOptions extends OutputOptions {
  readonly env: string;
  readonly task?: string;
  readonly run?: string;
  readonly limit: number;
}

export function addChecksCommand(program: Command, cli: Cli): void {
  withOutput(withEnvironment(program.command('checks')))
    .description('what checks of a pipeline came to over its runs, or those of one run')
    .argument('[pipeline]')
    .option('-t, --task <task>', 'only of this task')
    .option('--run <run>', 'instead of a pipeline: the checks of this run, with some of the bad rows')
    .option('-l, --limit <n>', 'over how many runs', countArgument, 200)
    .action((pipeline: string | undefined, options: ChecksOptions) => {
      if ((pipeline === undefined) === (options.run === undefined))
        throw new SluiceError('bad_request', 'Either a pipeline or --run is needed, and not both.', {
          hint: '`sluice checks flight-delays`, or `sluice checks --run 12`.',
        });
      return pipeline === undefined ? showRun(cli, options.run ?? '', options) : showSeries(cli, pipeline, options);
    });
}

const COURSE_RUNS = 30;
/** A shape for each state, as in the web view. */
const SHAPES = { passed: '·', warned: '▲', quarantined: '◆', failed: '✗' } as const;

const SERIES_COLUMNS: readonly Column<CheckSeries>[] = [
  { header: 'TASK', cell: (row) => row.task },
  { header: 'CHECK', cell: (row) => row.name, shrinks: true },
  { header: 'MAP', cell: (row) => row.mapKey || null, shrinks: true },
  { header: 'LAST', cell: (row) => row.points.at(-1)?.state ?? null },
  { header: 'BAD', cell: (row) => row.points.at(-1)?.bad ?? null, align: 'right' },
  { header: 'ROWS', cell: (row) => row.points.at(-1)?.rows ?? null, align: 'right' },
  { header: 'NOT PASSED', cell: (row) => notPassed(row), align: 'right' },
  { header: 'RUNS', cell: (row) => row.points.length, align: 'right' },
  {
    header: 'COURSE',
    cell: (row) =>
      row.points
        .slice(-COURSE_RUNS)
        .map(({ state }) => SHAPES[state])
        .join(''),
  },
];

async function showSeries(cli: Cli, pipeline: string, options: ChecksOptions): Promise<void> {
  const client = await cli.connect();
  const { env, task, limit } = options;
  const rows = await client.checks(pipeline, { env, task, limit });
  if (rows.length === 0) cli.say(`No checks of ${pipeline} in ${env} match.`);
  await cli.output(options).list({ rows, columns: SERIES_COLUMNS, name: (row) => `${row.task}.${row.name}` });
  const last = rows.find((row) => row.points.at(-1)?.state !== 'passed')?.points.at(-1);
  if (last) cli.next('see some of the bad rows', `sluice checks --run ${last.runId}`);
}

function notPassed({ points }: CheckSeries): number {
  return points.filter(({ state }) => state !== 'passed').length;
}

const RUN_COLUMNS: readonly Column<RunCheck>[] = [
  { header: 'TASK', cell: (row) => row.taskId },
  { header: 'MAP', cell: (row) => row.mapKey || null, shrinks: true },
  { header: 'CHECK', cell: (row) => row.name, shrinks: true },
  { header: 'STATE', cell: (row) => `${SHAPES[row.state]} ${row.state}` },
  { header: 'BAD', cell: (row) => row.bad, align: 'right' },
  { header: 'ROWS', cell: (row) => row.rows, align: 'right' },
  { header: 'DETAIL', cell: (row) => row.detail, shrinks: true },
  {
    header: 'SAMPLE',
    cell: (row) => (row.sample[0] === undefined ? null : JSON.stringify(row.sample[0])),
    shrinks: true,
  },
];

async function showRun(cli: Cli, run: string, options: ChecksOptions): Promise<void> {
  const client = await cli.connect();
  const rows = await client.runChecks(run);
  if (rows.length === 0) cli.say(`Run ${run} has no results of checks.`);
  await cli.output(options).list({ rows, columns: RUN_COLUMNS, name: (row) => `${row.taskId}.${row.name}` });
}
