import { Option, type Command } from 'commander';
import { SluiceError } from '#core';
import type { TriggerRequest } from '#contracts/client';
import type { Cli } from '../cli.ts';
import { coerceParams } from '../coerce-params.ts';
import { isoInstantArgument, paramArgument, withEnvironment } from '../options.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';
import { awaitRun, withAwaiting, type AwaitOptions } from '../watch/await-run.ts';

export interface RunOptions extends OutputOptions, AwaitOptions {
  readonly env: string;
  readonly param: Readonly<Record<string, string>>;
  readonly at?: string;
  readonly from?: string;
  readonly to?: string;
  readonly cache: boolean;
  readonly local?: boolean;
}

export function addRunCommand(program: Command, cli: Cli): void {
  withAwaiting(withOutput(withEnvironment(program.command('run'))))
    .description('run a pipeline now')
    .argument('<pipeline>')
    .addOption(
      new Option('-p, --param <name=value>', 'a parameter; may be repeated')
        .argParser(paramArgument)
        .default({}, 'none'),
    )
    .addOption(
      new Option('--at <instant>', 'for the interval that holds this instant')
        .argParser(isoInstantArgument)
        .conflicts(['from', 'to']),
    )
    .addOption(new Option('--from <instant>', 'start of the interval; with --to').argParser(isoInstantArgument))
    .addOption(new Option('--to <instant>', 'end of the interval, not part of it').argParser(isoInstantArgument))
    .option('--no-cache', 'execute every task, also those whose result an earlier run has')
    .option('--local', 'here and now, without a server: everything lies under .sluice/local')
    .action(async (pipeline: string, options: RunOptions) => {
      checkInterval(options);
      if (!options.local) return triggerRun(cli, pipeline, options);
      const { runHere } = await import('../local/run-here.ts');
      return runHere(cli, pipeline, options);
    });
}

/** An interval has both ends, in order. */
export function checkInterval({ from, to }: { readonly from?: string; readonly to?: string }): void {
  if ((from === undefined) !== (to === undefined))
    throw new SluiceError(
      'bad_request',
      `--${from === undefined ? 'to' : 'from'} was given without --${from === undefined ? 'from' : 'to'}.`,
      {
        hint: 'Give both ends, or --at for one instant inside the interval.',
      },
    );
  if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to))
    throw new SluiceError('bad_request', `The interval is empty: --from ${from} is not before --to ${to}.`, {
      hint: 'The end is not part of the interval: one day is --from 2026-01-01 --to 2026-01-02.',
    });
}

async function triggerRun(cli: Cli, pipeline: string, options: RunOptions): Promise<void> {
  const client = await cli.connect();
  const hasParams = Object.keys(options.param).length > 0;
  // The declared types decide what `--param version=1.0` means, so they are asked for first.
  const declared = hasParams ? (await client.pipeline(pipeline, options.env)).params : {};
  const request: TriggerRequest = {
    environment: options.env,
    params: coerceParams(options.param, declared),
    ...(options.at === undefined ? {} : { at: options.at }),
    ...(options.from === undefined ? {} : { from: options.from, to: options.to }),
    ...(options.cache ? {} : { noCache: true }),
  };
  const run = await client.trigger(pipeline, request);
  await awaitRun(cli, client, run.id, options, run);
}
