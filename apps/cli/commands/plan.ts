import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { SluiceError } from '#core';
import type { PromotionPlan } from '#contracts';
import type { SluiceClient } from '#contracts/client';
import type { Cli } from '../cli.ts';
import { DIFFERENT } from '../exit-codes.ts';
import { releaseArgument } from '../options.ts';
import { FORMATS, type Format, type OutputOptions } from '../output/output.ts';
import { PLAIN } from '../output/style.ts';
import { hasChanges, planLines, planMarkdown } from '../promotion/plan-text.ts';
import { takeSnapshot, withCommit, type CommitOptions } from '../release/commit-release.ts';

interface PlanOptions extends CommitOptions, Omit<OutputOptions, 'output'> {
  readonly to: string;
  readonly release?: string;
  readonly hotfix?: boolean;
  readonly rollback?: boolean;
  readonly output?: Format | 'markdown';
  readonly out?: string;
  readonly exitCode?: boolean;
}

export function addPlanCommand(program: Command, cli: Cli): void {
  withCommit(program.command('plan'))
    .description('what a promotion would change, and what it has to pass; changes nothing')
    .requiredOption('--to <environment>', 'environment')
    .option(
      '--release <release>',
      'digest, at least six digits of it, or alias; without it the commit',
      releaseArgument,
    )
    .option('--hotfix', 'as a hotfix: without provenance and soak')
    .addOption(
      new Option(
        '--rollback',
        'as `sluice rollback`, with the data that would be taken back; without --release to the one before',
      ).conflicts('hotfix'),
    )
    .addOption(new Option('-o, --output <format>', 'format').choices([...FORMATS, 'markdown']).default('table'))
    .option('--json', 'the same as -o json')
    .option('--out <file>', 'keep the plan, for `sluice promote --plan`')
    .option('--exit-code', 'end with 10 when something would change')
    .action((options: PlanOptions) => plan(cli, options));
}

async function plan(cli: Cli, options: PlanOptions): Promise<void> {
  const client = await cli.connect();
  const kind = options.rollback ? 'rollback' : options.hotfix ? 'hotfix' : 'promote';
  const candidate = await candidateOf(cli, client, options);
  const planned = await client.plan({ environment: options.to, kind, ...candidate });
  if (options.out !== undefined)
    await writeFile(resolve(cli.io.cwd, options.out), `${JSON.stringify(planned, null, 2)}\n`);
  await print(cli, planned, options);
  if (options.exitCode && hasChanges(planned)) cli.exitCode = DIFFERENT;
  if (planned.release === null) return;
  const { environment, release } = planned;
  const digest = release.digest.slice(0, 12);
  if (kind === 'rollback') cli.next('do it', `sluice rollback --env ${environment} --to ${digest}`);
  else cli.next('promote it', `sluice promote --to ${environment} --release ${digest}`);
}

async function candidateOf(cli: Cli, client: SluiceClient, options: PlanOptions) {
  if (options.release !== undefined) return { release: options.release };
  return options.rollback ? {} : ofCommit(cli, client, options);
}

/** The release of the commit if there is one; else its files, which need be no release to be planned with. */
async function ofCommit(cli: Cli, client: SluiceClient, options: CommitOptions) {
  const { digest, texts } = await takeSnapshot(cli, options);
  const known = await client.release(digest).catch((error: unknown) => {
    if (error instanceof SluiceError && error.code === 'not_found') return null;
    throw error;
  });
  if (known !== null) return { release: digest };
  return { files: [...texts].map(([path, text]) => ({ path, text })) };
}

async function print(cli: Cli, planned: PromotionPlan, options: PlanOptions): Promise<void> {
  if (options.output === 'markdown') return void cli.io.out.write(planMarkdown(planned, PLAIN));
  const { output: format, ...rest } = options;
  const output = cli.output({ ...rest, ...(format === undefined ? {} : { output: format }) });
  if (output.isForPeople) return output.lines(planLines(planned, cli.outStyle));
  await output.one(planned, planned.planHash ?? '', [
    ['to', planned.environment],
    ['release', planned.release?.digest ?? null],
    ['pipelines', planned.pipelines.length],
    ['risk', planned.risk.level],
  ]);
}
