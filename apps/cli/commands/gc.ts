import { Option, type Command } from 'commander';
import type { GcReport } from '#contracts';
import type { Cli } from '../cli.ts';
import { countArgument, durationArgument } from '../options.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';

interface GcOptions extends OutputOptions {
  readonly dryRun?: boolean;
  readonly keep: number;
  /** Milliseconds. */
  readonly olderThan: number;
}

const WEEK_MS = 7 * 86_400_000;

export function addGcCommand(program: Command, cli: Cli): void {
  withOutput(program.command('gc'))
    .description(
      'remove data versions, releases and copies of git repositories that nothing needs any more; needs the right admin:*',
    )
    .option('--dry-run', 'only say what would be removed')
    .option('--keep <n>', 'versions of each location, and releases, that stay however old', countArgument, 3)
    .addOption(
      new Option('--older-than <duration>', 'nothing younger goes; runs of this time stay verifiable')
        .argParser(durationArgument)
        .default(WEEK_MS, '7d'),
    )
    .action((options: GcOptions) => collect(cli, options));
}

async function collect(cli: Cli, options: GcOptions): Promise<void> {
  const client = await cli.connect();
  const { dryRun = false, keep, olderThan } = options;
  const report = await client.collectGarbage({ dryRun, keep, olderThanMs: olderThan });
  const output = cli.output(options);
  if (output.format === 'json' || output.format === 'yaml' || output.format === 'ndjson')
    await output.one(report, 'gc', []);
  else
    await output.list({
      rows: rowsOf(report),
      columns: [
        { header: 'KIND', cell: (row) => row.kind },
        { header: 'ENVIRONMENT', cell: (row) => row.environment },
        { header: 'COUNT', cell: (row) => row.count, align: 'right' },
        { header: 'BYTES', cell: (row) => row.bytes, align: 'right' },
      ],
      name: (row) => row.kind,
    });
  for (const problem of report.problems) cli.warn(problem);
  const count = rowsOf(report).reduce((sum, row) => sum + row.count, 0);
  if (count === 0) cli.say('There is nothing that nothing needs.');
  else if (dryRun) cli.next('remove it', `sluice gc --keep ${keep} --older-than ${ageText(olderThan)}`);
}

/** As `--older-than` takes it. */
function ageText(ms: number): string {
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
  ] as const)
    if (ms % size === 0) return `${ms / size}${unit}`;
  return `${ms}ms`;
}

function rowsOf({ versions, releases, mirrors }: GcReport) {
  return [
    ...versions.map(({ environment, count, bytes }) => ({ kind: 'versions', environment, count, bytes })),
    ...(releases.count + releases.bytes > 0
      ? [{ kind: 'releases', environment: null, count: releases.count, bytes: releases.bytes }]
      : []),
    ...(mirrors.count > 0 ? [{ kind: 'mirrors', environment: null, ...mirrors }] : []),
  ];
}
