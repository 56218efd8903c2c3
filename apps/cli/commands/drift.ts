import type { Command } from 'commander';
import type { AppliedConfiguration, EnvironmentDiff, EnvironmentDrift } from '#contracts';
import type { Cli } from '../cli.ts';
import { DIFFERENT } from '../exit-codes.ts';
import { withEnvironment } from '../options.ts';
import { cleanLine } from '../output/clean-text.ts';
import { withOutput, type Column, type OutputOptions } from '../output/output.ts';
import { fieldLine, valueText } from '../release/diff-lines.ts';

interface ComparingOptions extends OutputOptions {
  readonly exitCode?: boolean;
}

export function addDriftCommand(program: Command, cli: Cli): void {
  withOutput(withEnvironment(program.command('drift')))
    .description('what an environment has become beside git, releases and its file')
    .option('--exit-code', 'end with 10 when there is any')
    .action((options: ComparingOptions & { env: string }) => showDrift(cli, options));
}

/** `env diff`. */
export function addEnvDiffCommand(environments: Command, cli: Cli): void {
  withOutput(environments.command('diff'))
    .description('what the configuration of one environment has that of another has not; storage roots apart')
    .argument('<from>', 'environment')
    .argument('<to>', 'environment')
    .option('--exit-code', 'end with 10 when they differ')
    .action((from: string, to: string, options: ComparingOptions) => diffEnvironments(cli, from, to, options));
}

async function showDrift(cli: Cli, options: ComparingOptions & { env: string }): Promise<void> {
  const drift = await (await cli.connect()).drift(options.env);
  const output = cli.output(options);
  if (output.format === 'csv' || output.format === 'name')
    await output.list({ rows: drift.items, columns: DRIFT_COLUMNS, name: ({ subject }) => subject });
  else if (output.isForPeople)
    output.lines(
      drift.items.flatMap(({ text, remedy }) => [cleanLine(text), `  ${cli.outStyle.dim(cleanLine(remedy))}`]),
    );
  else await output.one(drift, drift.environment, []);
  if (drift.items.length === 0) cli.say(`${options.env} is what it should be.`);
  else if (options.exitCode) cli.exitCode = DIFFERENT;
}

const DRIFT_COLUMNS: readonly Column<EnvironmentDrift['items'][number]>[] = [
  { header: 'KIND', cell: ({ kind }) => kind },
  { header: 'SUBJECT', cell: ({ subject }) => subject },
  { header: 'TEXT', cell: ({ text }) => text },
  { header: 'REMEDY', cell: ({ remedy }) => remedy },
];

async function diffEnvironments(cli: Cli, from: string, to: string, options: ComparingOptions): Promise<void> {
  const diff = await (await cli.connect()).environmentDiff(from, to);
  const output = cli.output(options);
  if (output.format === 'csv' || output.format === 'name')
    await output.list({ rows: diff.fields, columns: FIELD_COLUMNS, name: ({ field }) => field });
  else if (output.isForPeople) output.lines(diff.fields.map((field) => fieldLine(cli.outStyle, field)));
  else await output.one(diff, to, []);
  if (diff.fields.length === 0) cli.say(`${from} and ${to} are configured alike.`);
  else if (options.exitCode) cli.exitCode = DIFFERENT;
}

const FIELD_COLUMNS: readonly Column<EnvironmentDiff['fields'][number]>[] = [
  { header: 'FIELD', cell: ({ field }) => field },
  { header: 'BEFORE', cell: ({ before }) => valueText(before) },
  { header: 'AFTER', cell: ({ after }) => valueText(after) },
];

/** Configurations of an environment as they were applied, newest first: `env show --history`. */
export async function showHistory(cli: Cli, name: string, options: OutputOptions): Promise<void> {
  const rows = await (await cli.connect()).configurations(name, 200);
  await cli.output(options).list({ rows, columns: HISTORY_COLUMNS, name: ({ hash }) => hash });
}

const HISTORY_COLUMNS: readonly Column<AppliedConfiguration>[] = [
  { header: 'SEQ', cell: ({ seq }) => seq, align: 'right' },
  { header: 'HASH', cell: ({ hash }) => hash.slice(0, 12) },
  { header: 'APPLIED', cell: ({ at }) => ({ kind: 'instant', at }) },
  { header: 'ACTOR', cell: ({ actor }) => actor },
  { header: 'CHANGED', cell: ({ fields }) => fields.map(({ field }) => field).join(' ') || null, shrinks: true },
];
