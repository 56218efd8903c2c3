import { Option, type Command } from 'commander';
import type { BackfillPlan } from '#contracts/client';
import type { Cli } from '../cli.ts';
import { isoInstantArgument, withEnvironment } from '../options.ts';
import { withOutput, type Column, type OutputOptions } from '../output/output.ts';
import { checkInterval } from './run.ts';

const REPROCESS = ['missing', 'failed', 'all'] as const;

interface BackfillOptions extends OutputOptions {
  readonly env: string;
  readonly from: string;
  readonly to: string;
  readonly reprocess: (typeof REPROCESS)[number];
  readonly dryRun?: boolean;
}

export function addBackfillCommands(program: Command, cli: Cli): void {
  const backfill = program.command('backfill').description('runs for intervals of the past');
  withOutput(withEnvironment(backfill.command('create')))
    .description("one run for each of the schedule's intervals in a range, each with the reason why it is in or out")
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
    .addOption(new Option('--reprocess <which>', 'which intervals get a run').choices(REPROCESS).default('missing'))
    .option('-n, --dry-run', 'only show the plan')
    .action((pipeline: string, options: BackfillOptions) => createBackfill(cli, pipeline, options));
}

type PlannedRun = BackfillPlan['runs'][number];

const COLUMNS: readonly Column<PlannedRun>[] = [
  { header: 'INTERVAL', cell: (row) => ({ kind: 'interval', interval: row.interval }) },
  { header: 'ACTION', cell: (row) => row.action },
  { header: 'REASON', cell: (row) => row.reason, shrinks: true },
  { header: 'RUN', cell: (row) => row.runId },
];

async function createBackfill(cli: Cli, pipeline: string, options: BackfillOptions): Promise<void> {
  checkInterval(options);
  const client = await cli.connect();
  const { env: environment, from, to, reprocess } = options;
  const plan = await client.backfill({ environment, pipeline, from, to, reprocess, dryRun: options.dryRun ?? false });
  const rows = plan.runs;
  await cli.output(options).list({ rows, columns: COLUMNS, name: (row) => row.runId ?? row.interval.start });
  const created = rows.filter((row) => row.action === 'create').length;
  cli.say(
    `${options.dryRun ? 'Would create' : 'Created'} ${created} ${created === 1 ? 'run' : 'runs'}, left out ${rows.length - created} of ${rows.length} intervals.`,
  );
  if (options.dryRun && created > 0) cli.next('do it', 'the same command without --dry-run');
}
