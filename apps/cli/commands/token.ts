import { InvalidArgumentError, Option, type Command } from 'commander';
import { RIGHTS, type GrantedRight, type Right } from '#core';
import type { Token } from '#contracts';
import type { Cli } from '../cli.ts';
import { durationArgument } from '../options.ts';
import { withOutput, type Column, type OutputOptions } from '../output/output.ts';

export function addTokenCommands(program: Command, cli: Cli): void {
  const tokens = program.command('token').description('named tokens: who may do what, in which environment');
  withOutput(tokens.command('create'))
    .description('make a token and print it, this once')
    .argument('<name>', 'what the audit trail will call whoever uses it')
    .addOption(
      new Option('--right <right:environment>', `may be repeated; environment *: all. Rights: ${RIGHTS.join(', ')}`)
        .argParser(rightArgument)
        .makeOptionMandatory(),
    )
    .addOption(new Option('--group <name>', 'may be repeated; for approvals that count by group').argParser(collect))
    .addOption(
      new Option('--expires <duration>', 'such as 12h or 90d; without it, it never does').argParser(durationArgument),
    )
    .action((name: string, options: CreateOptions) => createToken(cli, name, options));
  withOutput(tokens.command('list').alias('ls'))
    .description('the tokens that were not revoked')
    .action((options: OutputOptions) => listTokens(cli, options));
  tokens
    .command('revoke')
    .description('end a token, and every login made from it')
    .argument('<name>')
    .action((name: string) => revokeToken(cli, name));
}

interface CreateOptions extends OutputOptions {
  readonly right: readonly GrantedRight[];
  readonly group?: readonly string[];
  /** Milliseconds. */
  readonly expires?: number;
}

async function createToken(cli: Cli, name: string, options: CreateOptions): Promise<void> {
  const client = await cli.connect();
  const created = await client.createToken({
    name,
    groups: [...(options.group ?? [])],
    rights: [...options.right],
    expiresInMs: options.expires ?? null,
  });
  const output = cli.output(options);
  // Alone on its line, so that a script can take it: TOKEN=$(sluice token create …).
  if (output.isForPeople) output.lines([created.token]);
  else await output.one(created, created.name, [...fields(created), ['token', created.token]]);
  cli.say(
    `Token "${created.name}" may ${rightsText(created)}. It is shown this once: keep it where nobody else reads.`,
  );
  cli.next('use it', 'SLUICE_URL=… SLUICE_TOKEN=… sluice whoami');
}

async function listTokens(cli: Cli, options: OutputOptions): Promise<void> {
  const rows = await (await cli.connect()).tokens();
  if (rows.length === 0) cli.say('No named tokens yet; `sluice token create` makes one.');
  await cli.output(options).list({ rows, columns: COLUMNS, name: (row) => row.name });
}

async function revokeToken(cli: Cli, name: string): Promise<void> {
  await (await cli.connect()).revokeToken(name);
  cli.say(`Token "${name}" and the logins made from it are ended.`);
}

const COLUMNS: readonly Column<Token>[] = [
  { header: 'NAME', cell: (row) => row.name },
  { header: 'RIGHTS', cell: rightsText, shrinks: true },
  { header: 'GROUPS', cell: (row) => row.groups.join(' ') || null, shrinks: true },
  { header: 'EXPIRES', cell: (row) => ({ kind: 'instant', at: row.expiresAt }) },
  { header: 'LAST USED', cell: (row) => ({ kind: 'instant', at: row.lastUsedAt }) },
  { header: 'CREATED', cell: (row) => ({ kind: 'instant', at: row.createdAt }), wide: true },
  { header: 'CREATED BY', cell: (row) => row.createdBy, wide: true },
];

function fields(token: Token): [string, string][] {
  return [
    ['name', token.name],
    ['rights', rightsText(token)],
    ['groups', token.groups.join(' ')],
    ['expires', token.expiresAt ?? ''],
  ];
}

/** As they are given on the command line. */
export function rightsText({ rights }: { readonly rights: readonly GrantedRight[] }): string {
  return rights.map(({ right, environment }) => `${right}:${environment}`).join(' ');
}

function rightArgument(value: string, earlier: readonly GrantedRight[] = []): GrantedRight[] {
  const [, right, environment] = /^([a-z-]+):(.+)$/.exec(value) ?? [];
  if (right === undefined || environment === undefined)
    throw new InvalidArgumentError('Expected right:environment, such as promote:test or view:*.');
  if (!RIGHTS.includes(right as Right))
    throw new InvalidArgumentError(`"${right}" is no right; expected ${RIGHTS.join(', ')}.`);
  return [...earlier, { right: right as Right, environment }];
}

function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}
