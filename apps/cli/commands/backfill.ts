import { Option, type Command } from 'commander';
import { REPROCESS, type Reprocess } from '#core';
import type { BackfillDetail, BackfillPlan, BackfillShape } from '#contracts';
import type { Cli } from '../cli.ts';
import { countArgument, isoInstantArgument, withEnvironment } from '../options.ts';
import { withOutput, type Column, type OutputOptions } from '../output/output.ts';
import { collectPages } from '../server/collect-pages.ts';
import { checkInterval } from './run.ts';

export function addBackfillCommands(program: Command, cli: Cli): void {
  const backfill = program.command('backfill').description('runs for intervals of the past');
  withOutput(withEnvironment(backfill.command('create')))
    .description(
      'a plan over the intervals of a range, each with the reason why it is in or out, that is then worked off',
    )
    .argument('<pipeline>')
    .addOption(
      new Option('--from <instant>', 'first interval starts here or later')
        .argParser(isoInstantArgument)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--to <instant>', 'last interval ends here or earlier')
        .argParser(isoInstantArgument)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--reprocess <which>', 'which intervals get a run; each takes in the ones before it')
        .choices(REPROCESS)
        .default('missing'),
    )
    .option('--max-active <n>', "how many of its runs at once (default: the pipeline's max_active_runs)", countArgument)
    .option('--newest-first', 'the newest interval first')
    .option('--release <release>', 'on this release (default: the one the environment points at, also when it moves)')
    .option('-n, --dry-run', 'only show the plan')
    .action((pipeline: string, options: CreateOptions) => createBackfill(cli, pipeline, options));

  withOutput(withEnvironment(backfill.command('list').alias('ls')))
    .description('backfills of an environment, newest first')
    .argument('[pipeline]', 'only those of this pipeline')
    .option('-l, --limit <n>', 'how many; 0: all', countArgument, 20)
    .action((pipeline: string | undefined, options: ListOptions) => listBackfills(cli, pipeline, options));

  withOutput(backfill.command('show'))
    .description('one backfill and what became of each interval')
    .argument('<backfill>')
    .action((id: string, options: OutputOptions) => showBackfill(cli, id, options));

  for (const [verb, description] of VERBS)
    withOutput(backfill.command(verb))
      .description(description)
      .argument('<backfill>')
      .action((id: string, options: OutputOptions) => moveBackfill(cli, verb, id, options));
}

const VERBS = [
  ['pause', 'no further run of it begins; what runs goes on'],
  ['resume', 'go on with a paused one'],
  ['cancel', 'end it and its runs'],
] as const;

interface CreateOptions extends OutputOptions {
  readonly env: string;
  readonly from: string;
  readonly to: string;
  readonly reprocess: Reprocess;
  readonly maxActive?: number;
  readonly newestFirst?: boolean;
  readonly release?: string;
  readonly dryRun?: boolean;
}

const PLAN_COLUMNS: readonly Column<BackfillPlan['intervals'][number]>[] = [
  { header: 'INTERVAL', cell: (row) => ({ kind: 'interval', interval: row.interval }) },
  { header: 'ACTION', cell: (row) => row.action },
  { header: 'REASON', cell: (row) => row.reason, shrinks: true },
  { header: 'RUN', cell: (row) => row.runId },
];

async function createBackfill(cli: Cli, pipeline: string, options: CreateOptions): Promise<void> {
  checkInterval(options);
  const client = await cli.connect();
  const { env: environment, from, to, reprocess, maxActive, newestFirst, release, dryRun = false } = options;
  const { backfill, intervals, nothing } = await client.backfill({
    ...{ environment, pipeline, from, to, reprocess, dryRun },
    ...(maxActive === undefined ? {} : { maxActive }),
    ...(newestFirst ? { order: 'newest_first' as const } : {}),
    ...(release === undefined ? {} : { release }),
  });
  await cli.output(options).list({
    rows: intervals,
    columns: PLAN_COLUMNS,
    name: (row) => row.runId ?? row.interval.start,
  });
  if (nothing !== undefined) {
    cli.say(`Nothing to do. ${nothing}`);
    return;
  }
  const runs = intervals.filter((row) => row.action === 'create').length;
  const counted = `${runs} ${runs === 1 ? 'run' : 'runs'}, leaves out ${intervals.length - runs} of ${intervals.length} intervals`;
  if (backfill === null) {
    cli.say(`Would create ${counted}.`);
    if (runs > 0) cli.next('do it', 'the same command without --dry-run');
    return;
  }
  cli.say(`Backfill ${backfill.id} creates ${counted}, ${backfill.maxActive} at once.`);
  cli.next('see how far it is', `sluice backfill show ${backfill.id}`);
}

interface ListOptions extends OutputOptions {
  readonly env: string;
  readonly limit: number;
}

const COLUMNS: readonly Column<BackfillShape>[] = [
  { header: 'BACKFILL', cell: (row) => row.id },
  { header: 'PIPELINE', cell: (row) => row.pipeline, shrinks: true },
  { header: 'STATE', cell: (row) => row.state },
  { header: 'PROGRESS', cell: progressOf },
  { header: 'FAILED', cell: (row) => failedOf(row), align: 'right' },
  { header: 'RANGE', cell: (row) => ({ kind: 'interval', interval: { start: row.rangeStart, end: row.rangeEnd } }) },
  { header: 'REPROCESS', cell: (row) => row.reprocess },
  { header: 'BY', cell: (row) => row.actor, wide: true },
  { header: 'REASON', cell: (row) => row.reason, shrinks: true },
];

/** `3 of 7`: runs that have ended, of those that it comes to. */
function progressOf({ runs, pending }: BackfillShape): string {
  const made = Object.values(runs).reduce((sum, count) => sum + count, 0);
  const live = (runs.queued ?? 0) + (runs.running ?? 0);
  return `${made - live} of ${made + pending}`;
}

function failedOf({ runs }: BackfillShape): number {
  return (runs.failed ?? 0) + (runs.timed_out ?? 0);
}

async function listBackfills(cli: Cli, pipeline: string | undefined, options: ListOptions): Promise<void> {
  const client = await cli.connect();
  const { env, limit } = options;
  const rows = await collectPages(limit, (page) => client.backfills({ env, pipeline, ...page }));
  if (rows.length === 0) cli.say(`No backfills in ${env} match.`);
  await cli.output(options).list({ rows, columns: COLUMNS, name: (row) => row.id });
}

const INTERVAL_COLUMNS: readonly Column<BackfillDetail['intervals'][number]>[] = [
  { header: 'INTERVAL', cell: (row) => ({ kind: 'interval', interval: row.interval }) },
  { header: 'RUN', cell: (row) => row.runId },
  { header: 'STATE', cell: (row) => row.runState ?? (row.state === 'left_out' ? 'left out' : row.state) },
  { header: 'REASON', cell: (row) => row.reason, shrinks: true },
];

async function showBackfill(cli: Cli, id: string, options: OutputOptions): Promise<void> {
  const client = await cli.connect();
  const detail = await client.backfillDetail(id);
  const output = cli.output(options);
  await output.one(detail, detail.id, fields(detail));
  if (!output.isForPeople) return;
  output.lines(['']);
  await output.list({ rows: detail.intervals, columns: INTERVAL_COLUMNS, name: (row) => row.interval.start });
}

function fields(row: BackfillShape) {
  return COLUMNS.filter(({ header }) => header !== 'BACKFILL').map(
    ({ header, cell }) => [header.toLowerCase(), cell(row)] as const,
  );
}

async function moveBackfill(
  cli: Cli,
  verb: (typeof VERBS)[number][0],
  id: string,
  options: OutputOptions,
): Promise<void> {
  const client = await cli.connect();
  const row = await client.moveBackfill(id, verb);
  await cli.output(options).list({ rows: [row], columns: COLUMNS, name: ({ id: name }) => name });
}
