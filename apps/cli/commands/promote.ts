import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { SluiceError } from '#core';
import type { Cli } from '../cli.ts';
import { ciBuild } from '../ci/ci-build.ts';
import { releaseArgument, withEnvironment } from '../options.ts';
import { withOutput } from '../output/output.ts';
import { takeSnapshot, withCommit, type CommitOptions } from '../release/commit-release.ts';
import { awaitPromotion, withAwaitingPromotion, type AwaitPromotionOptions } from '../watch/await-promotion.ts';

interface Asked extends AwaitPromotionOptions {
  readonly reason?: string;
  readonly buildUrl?: string;
  readonly inFlight: 'finish' | 'cancel';
}

interface PromoteOptions extends Asked, CommitOptions {
  readonly to?: string;
  readonly release?: string;
  readonly plan?: string;
  readonly hotfix?: boolean;
  readonly override?: readonly string[];
  readonly approver?: string;
  readonly input?: string;
}

export function addPromoteCommands(program: Command, cli: Cli): void {
  withAsking(withCommit(program.command('promote')))
    .description('point an environment at a release, through its gates; the same again is the same promotion')
    .option('--to <environment>', 'environment')
    .option(
      '--release <release>',
      'digest, at least six digits of it, or alias; without it the commit',
      releaseArgument,
    )
    .addOption(
      new Option('--plan <file>', 'what `sluice plan --out` kept; refused when it is stale').conflicts([
        'to',
        'release',
      ]),
    )
    .option('--hotfix', 'without provenance and soak; needs the right to override, and a reason')
    .option('--override <gate...>', 'pass over these gates; needs the right to override, and a reason')
    .option('--approver <name>', 'who approved, as the token vouches; needs the right approve-on-behalf')
    .option('--input <id>', 'at which the Jenkins build waits for this promotion, or with --approver waited')
    .action((options: PromoteOptions) => promote(cli, options));
  withAsking(withEnvironment(program.command('rollback')))
    .description('return to a release that was verified there before; needs no build, no soak, no approval')
    .option('--to <release>', 'without it the one that was verified before the present one', releaseArgument)
    .action((options: Asked & { env: string; to?: string }) => rollBack(cli, options));
}

function withAsking(command: Command): Command {
  return withAwaitingPromotion(withOutput(command))
    .option('-m, --reason <text>', 'why; shown for ever')
    .option('--build-url <url>', 'recorded with it; without it that of the CI build')
    .addOption(
      new Option('--in-flight <what>', 'runs on other releases, at the switch')
        .choices(['finish', 'cancel'])
        .default('finish'),
    );
}

async function promote(cli: Cli, options: PromoteOptions): Promise<void> {
  const client = await cli.connect();
  const { environment, release, planHash, kind } = await candidate(cli, options);
  const created = await client.promote({
    ...{ environment, release, planHash, kind },
    ...asked(cli, options),
    overrides: [...(options.override ?? [])],
    approver: options.approver ?? null,
    input: options.input ?? null,
  });
  await awaitPromotion(cli, client, created, options);
}

async function candidate(cli: Cli, options: PromoteOptions): Promise<Candidate> {
  const kind = options.hotfix ? 'hotfix' : 'promote';
  if (options.plan !== undefined) return readPlan(resolve(cli.io.cwd, options.plan));
  if (options.to === undefined)
    throw new SluiceError('bad_request', 'Where to?', {
      hint: 'Name the environment with --to, or a plan with --plan.',
    });
  const release = options.release ?? (await takeSnapshot(cli, options)).digest;
  return { environment: options.to, release, planHash: null, kind };
}

interface Candidate {
  readonly environment: string;
  readonly release: string;
  /** Null: not held to a plan. */
  readonly planHash: string | null;
  readonly kind: 'promote' | 'hotfix';
}

async function readPlan(file: string): Promise<Candidate> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new SluiceError('bad_request', `${file} cannot be read.`, {
      hint: 'Make it with `sluice plan --out`.',
      cause,
    });
  });
  const bad = (): never => {
    throw new SluiceError('bad_request', `${file} is not a plan of a release.`, {
      hint: 'Make it with `sluice plan --to ENVIRONMENT --release RELEASE --out FILE`.',
    });
  };
  const plan = parsed(text);
  const { environment, planHash, kind } = plan;
  const release = (plan.release as { digest?: unknown } | null | undefined)?.digest;
  if (typeof environment !== 'string' || typeof planHash !== 'string' || typeof release !== 'string') return bad();
  if (kind !== 'promote' && kind !== 'hotfix') return bad();
  return { environment, release, planHash, kind };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return { ...(JSON.parse(text) as object) };
  } catch {
    return {};
  }
}

async function rollBack(cli: Cli, options: Asked & { env: string; to?: string }): Promise<void> {
  const client = await cli.connect();
  const created = await client.rollBack({ environment: options.env, to: options.to ?? null, ...asked(cli, options) });
  await awaitPromotion(cli, client, created, options);
}

function asked(cli: Cli, { reason, buildUrl, inFlight }: Asked) {
  return { reason: reason ?? null, buildUrl: buildUrl ?? ciBuild(cli.io.env).url, inFlight };
}
