import { InvalidArgumentError, type Command } from 'commander';
import { SluiceError } from '#core';
import type { Cli } from '../cli.ts';
import { isoInstantArgument, withEnvironment } from '../options.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';

interface PathOptions extends OutputOptions {
  readonly env: string;
  readonly at?: string;
  readonly quarantine?: boolean;
}

export function addPathCommand(program: Command, cli: Cli): void {
  withOutput(withEnvironment(program.command('path')))
    .description('where the data of a path lies; only the location, so that $(sluice path …) works')
    .argument('<pipeline.path>', 'such as flight-delays.features', pathReference)
    .option('--at <instant>', 'of the interval that holds this instant', isoInstantArgument)
    .option('--quarantine', 'the rows that checks put aside, instead of those that were published')
    .action((ref: string, options: PathOptions) => printPath(cli, ref, options));
}

async function printPath(cli: Cli, ref: string, options: PathOptions): Promise<void> {
  const client = await cli.connect();
  const found = await client.path(ref, options.env, options.at, options.quarantine ? 'true' : undefined);
  if (found.folder === null || found.version === null)
    throw new SluiceError('not_found', `Nothing was published at ${found.location} in ${options.env} yet.`, {
      hint: `\`sluice run ${ref.split('.')[0]} --env ${options.env}${options.at ? ` --at ${options.at}` : ''}\` publishes it.`,
    });
  const output = cli.output(options);
  if (output.isForPeople) return output.lines([found.folder]);
  return output.one(found, found.folder, [
    ['location', found.location],
    ['folder', found.folder],
    ['version', found.version],
    ['manifest_hash', found.manifestHash],
    ['run_id', found.runId],
    ['published_at', { kind: 'instant', at: found.publishedAt }],
  ]);
}

function pathReference(value: string): string {
  if (!/^[A-Za-z][A-Za-z0-9_-]*\.[a-z][a-z0-9_]{0,62}$/.test(value))
    throw new InvalidArgumentError('Expected PIPELINE.PATH, such as flight-delays.features.');
  return value;
}
