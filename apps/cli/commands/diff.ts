import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { DIFFERENT } from '../exit-codes.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';
import { runDiffLines, runDiffRows } from '../verify/run-diff-text.ts';
import { runArgument } from './verify.ts';

export function addDiffCommand(program: Command, cli: Cli): void {
  withOutput(program.command('diff'))
    .description('what one run differs in from another: release, parameters, inputs, files, metrics, timing')
    .argument('<from>', 'id of a run', runArgument)
    .argument('<to>', 'id of another run', runArgument)
    .option('--exit-code', 'end with 10 when they differ in more than timing')
    .action((from: string, to: string, options: OutputOptions & { exitCode?: boolean }) =>
      diffRuns(cli, from, to, options),
    );
}

async function diffRuns(
  cli: Cli,
  from: string,
  to: string,
  options: OutputOptions & { exitCode?: boolean },
): Promise<void> {
  const diff = await (await cli.connect()).runDiff(from, to);
  const output = cli.output(options);
  const columns = (['what', 'name', 'change', 'before', 'after'] as const).map((key) => ({
    header: key.toUpperCase(),
    cell: (row: ReturnType<typeof runDiffRows>[number]) => row[key],
  }));
  if (output.isForPeople) output.lines(runDiffLines(diff, cli.outStyle));
  else if (output.format === 'csv' || output.format === 'name')
    await output.list({ rows: runDiffRows(diff), columns, name: (row) => row.name });
  else await output.one(diff, to, []);
  if (!diff.complete) cli.say('Some of it was left out: there are more than 1000 differences of one kind.');
  if (diff.same) cli.say(`Runs ${from} and ${to} differ in timing only.`);
  else if (options.exitCode) cli.exitCode = DIFFERENT;
}
