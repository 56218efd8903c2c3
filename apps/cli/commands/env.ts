import { Option, type Command } from 'commander';
import { SluiceError } from '#core';
import type { Environment } from '#contracts';
import type { SluiceClient } from '#contracts/client';
import type { Cli } from '../cli.ts';
import type { Cell } from '../output/cell.ts';
import { cleanLine } from '../output/clean-text.ts';
import { withOutput, type Column, type OutputOptions } from '../output/output.ts';
import { watchRecord } from '../watch/watch-record.ts';
import { addEnvDiffCommand, showHistory } from './drift.ts';
import { addPreviewCommands } from './previews.ts';

export function addEnvCommands(program: Command, cli: Cli): void {
  const environments = program.command('env').description('environments: what each runs, and what decides that');
  withOutput(environments.command('list').alias('ls'))
    .description('the environments and their releases')
    .action((options: OutputOptions) => listEnvironments(cli, options));
  withOutput(environments.command('show'))
    .description('one environment')
    .argument('<environment>')
    .option('--history', 'its configurations as they were applied, newest first')
    .action((name: string, options: OutputOptions & { history?: boolean }) =>
      options.history ? showHistory(cli, name, options) : showEnvironment(cli, name, options),
    );
  withOutput(environments.command('set'))
    .description('choose what decides its release')
    .argument('<environment>')
    .option('--follow <repo#ref>', 'a branch or tag of a git repository: its commits run by themselves')
    .addOption(new Option('--no-follow', 'follow nothing; what runs goes on'))
    .action((name: string, options: SetOptions) => setEnvironment(cli, name, options));
  addEnvDiffCommand(environments, cli);
  addPreviewCommands(environments, cli);
}

interface SetOptions extends OutputOptions {
  /** False: nothing. */
  readonly follow?: string | false;
}

/** How long the server may take for its first look at a remote. */
const FIRST_LOOK_MS = 30_000;

async function listEnvironments(cli: Cli, options: OutputOptions): Promise<void> {
  const rows = await (await cli.connect()).environments();
  if (rows.length === 0) cli.say('No environments in environments/.');
  await cli.output(options).list({ rows, columns: COLUMNS, name: ({ name }) => name });
  for (const row of rows) warnOf(cli, row);
}

async function showEnvironment(cli: Cli, name: string, options: OutputOptions): Promise<void> {
  await print(cli, await find(await cli.connect(), name), options);
}

async function setEnvironment(cli: Cli, name: string, { follow, ...options }: SetOptions): Promise<void> {
  if (follow === undefined)
    throw new SluiceError('bad_request', 'Nothing to set.', { hint: 'Use --follow REPO#REF or --no-follow.' });
  const client = await cli.connect();
  const set = follow === false ? await client.unfollow(name) : await client.follow(name, follow);
  await print(cli, await afterFirstLook(cli, client, set), options);
}

/** A mistyped address shows at once, not in somebody's web view. */
async function afterFirstLook(cli: Cli, client: SluiceClient, set: Environment): Promise<Environment> {
  const hasEnded = ({ follow }: Environment): boolean =>
    follow === null || follow.commit !== null || follow.problem !== null;
  if (hasEnded(set)) return set;
  const watched = {
    fetch: () => find(client, set.name),
    hasEnded,
    topic: `env:${set.name}`,
    isAbout: ({ kind }: { kind: string }) => kind === 'release',
  };
  const signal = AbortSignal.any([cli.io.interrupt.take(), AbortSignal.timeout(FIRST_LOOK_MS)]);
  let last = set;
  for await (const seen of watchRecord(client, watched, { signal })) last = seen;
  if (!hasEnded(last)) cli.warn('No scheduler has looked at the repository yet.');
  return last;
}

async function find(client: SluiceClient, name: string): Promise<Environment> {
  const all = await client.environments();
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new SluiceError('not_found', `There is no environment "${name}".`, {
    hint: `Known: ${all.map((one) => one.name).join(', ') || 'none yet'}.`,
  });
}

async function print(cli: Cli, environment: Environment, options: OutputOptions): Promise<void> {
  const output = cli.output(options);
  await output.one(environment, environment.name, fields(environment));
  if (!output.isForPeople) return warnOf(cli, environment);
  const { problems, follow } = environment;
  output.lines(
    [...problems, ...(follow?.problems ?? [])].flatMap(({ file, line, column, message, hint }) => [
      cleanLine(`${file}:${line}:${column}: error: ${message}`),
      ...(hint === undefined ? [] : [cleanLine(`  hint: ${hint}`)]),
    ]),
  );
}

function warnOf(cli: Cli, { name, follow }: Environment): void {
  if (follow?.problem) cli.warn(`${name}: ${problemOf(follow)}`);
}

const COLUMNS: readonly Column<Environment>[] = [
  { header: 'ENVIRONMENT', cell: ({ name }) => name },
  { header: 'RELEASE', cell: releaseOf },
  { header: 'SINCE', cell: ({ releasedAt }) => ({ kind: 'instant', at: releasedAt }) },
  { header: 'SCHEDULES', cell: ({ schedules }) => schedules },
  { header: 'FOLLOWS', cell: ({ follow }) => sourceOf(follow), shrinks: true },
  { header: 'EXPIRES', cell: expiryOf },
  { header: 'STORAGE', cell: ({ storage }) => storage, wide: true },
];

function fields(environment: Environment): (readonly [string, Cell])[] {
  const { name, schedules, storage, releasedAt, follow } = environment;
  return [
    ['environment', name],
    ['release', releaseOf(environment)],
    ['since', { kind: 'instant', at: releasedAt }],
    ['schedules', schedules],
    ['storage', storage],
    ...(environment.preview === null ? [] : [['expires', expiryOf(environment)] as const]),
    ['follows', sourceOf(follow)],
    ...(follow === null ? [] : followFields(follow)),
  ];
}

type Follow = NonNullable<Environment['follow']>;

function followFields(follow: Follow): (readonly [string, Cell])[] {
  return [
    ['commit', follow.commit?.slice(0, 12) ?? null],
    ['looked at', { kind: 'instant', at: follow.at }],
    ...(follow.problem === null ? [] : [['problem', problemOf(follow)] as const]),
  ];
}

function releaseOf({ release, dirty }: Environment): string | null {
  return release === null ? null : `${release.slice(0, 12)}${dirty ? ' (uncommitted files)' : ''}`;
}

function expiryOf({ preview }: Environment): Cell {
  if (preview === null) return null;
  return preview.closing ? 'is being removed' : { kind: 'instant', at: preview.expiresAt };
}

function sourceOf(follow: Environment['follow']): string | null {
  return follow === null ? null : `${follow.remote}#${follow.ref}`;
}

/** The last good release goes on meanwhile. */
function problemOf({ commit, problem, problems: [first] }: Follow): string {
  const place = first === undefined ? '' : ` ${first.file}:${first.line}:${first.column}: ${first.message}`;
  return `${commit === null ? '' : `commit ${commit.slice(0, 12)}: `}${problem}${place}`;
}
