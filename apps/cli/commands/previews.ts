import type { Command } from 'commander';
import type { Environment } from '#contracts';
import type { Cli } from '../cli.ts';
import { durationArgument, releaseArgument } from '../options.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';
import { takeSnapshot, withCommit, type CommitOptions } from '../release/commit-release.ts';

interface CreateOptions extends OutputOptions, CommitOptions {
  readonly release?: string;
  /** Milliseconds. */
  readonly expires: number;
}

const THREE_DAYS_MS = 3 * 86_400_000;

/** `env create` and `env remove`. */
export function addPreviewCommands(environments: Command, cli: Cli): void {
  withOutput(withCommit(environments.command('create')))
    .description('make a preview: the environment of a pull request, which ends by itself; the same again moves it')
    .argument('<preview>', 'its parent and its own name, such as dev/pr-123')
    .option(
      '--release <release>',
      'digest, at least six digits of it, or alias; without it the commit',
      releaseArgument,
    )
    .option('--expires <duration>', 'how long it lives from now on', durationArgument, THREE_DAYS_MS)
    .action((name: string, options: CreateOptions) => createPreview(cli, name, options));
  environments
    .command('remove')
    .alias('rm')
    .description('end a preview: its runs are cancelled, its data goes soon after')
    .argument('<preview>', 'its parent and its own name, such as dev/pr-123')
    .action((name: string) => removePreview(cli, name));
}

async function createPreview(cli: Cli, environment: string, options: CreateOptions): Promise<void> {
  const client = await cli.connect();
  const release = options.release ?? (await takeSnapshot(cli, options)).digest;
  const made = await client.createPreview({ environment, release, expiresInMs: options.expires });
  await cli.output(options).one(made, made.name, previewFields(made));
  cli.next('run something there', `sluice run PIPELINE --env ${made.name}`);
}

function previewFields({ name, release, storage, preview }: Environment) {
  return [
    ['preview', name],
    ['release', release?.slice(0, 12) ?? null],
    ['storage', storage],
    ['expires', { kind: 'instant', at: preview?.expiresAt ?? null }],
  ] as const;
}

async function removePreview(cli: Cli, name: string): Promise<void> {
  await (await cli.connect()).removePreview(name);
  cli.say(`${name} ends; its data goes within a minute or so.`);
}
