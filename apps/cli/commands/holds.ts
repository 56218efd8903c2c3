import { type Command } from 'commander';
import type { PromotionStand } from '#contracts';
import type { Cli } from '../cli.ts';
import { durationArgument, isoInstantArgument, releaseArgument } from '../options.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';

interface InEnvironment extends OutputOptions {
  readonly env: string;
}

interface FreezeOptions extends InEnvironment {
  readonly reason: string;
  readonly from?: string;
  readonly until?: string;
  readonly for?: number;
}

export function addHoldsCommands(program: Command, cli: Cli): void {
  const hold = program.command('hold').description('stop one release from coming into an environment');
  inOne(hold.command('list').alias('ls').description('releases on hold')).action((options: InEnvironment) =>
    printHolds(cli, options, (client) => client.promotionStand(options.env)),
  );
  inOne(hold.command('set').description('stop a release').argument('<release>', 'digest or alias', releaseArgument))
    .requiredOption('-m, --reason <text>', 'why')
    .action((release: string, options: InEnvironment & { reason: string }) =>
      printHolds(cli, options, (client) => client.setHold(options.env, release, options.reason)),
    );
  inOne(
    hold.command('lift').description('let it go on').argument('<release>', 'digest or alias', releaseArgument),
  ).action((release: string, options: InEnvironment) =>
    printHolds(cli, options, (client) => client.liftHold(options.env, release)),
  );

  const freeze = program
    .command('freeze')
    .description('times in which an environment changes its release for rollbacks only');
  inOne(freeze.command('list').alias('ls').description('freezes in force and to come')).action(
    (options: InEnvironment) => printFreezes(cli, options, (client) => client.promotionStand(options.env)),
  );
  inOne(freeze.command('add').description('freeze an environment'))
    .requiredOption('-m, --reason <text>', 'why')
    .option('--from <instant>', 'when it begins; now unless told', isoInstantArgument)
    .option('--until <instant>', 'when it ends', isoInstantArgument)
    .option('--for <duration>', 'how long it lasts, such as 12h, instead of --until', durationArgument)
    .action((options: FreezeOptions) =>
      printFreezes(cli, options, (client) => client.addFreeze(freezeOf(cli, options))),
    );
  inOne(freeze.command('remove').alias('rm').description('end a freeze').argument('<freeze>', 'its id')).action(
    (id: string, options: InEnvironment) => printFreezes(cli, options, (client) => client.liftFreeze(options.env, id)),
  );
}

function inOne(command: Command): Command {
  return withOutput(command.requiredOption('-e, --env <name>', 'environment'));
}

function freezeOf(cli: Cli, { env, reason, from, until, for: lasts }: FreezeOptions) {
  const startsAt = from === undefined ? null : new Date(from);
  const ends =
    until !== undefined ? new Date(until) : new Date((startsAt ?? cli.io.now()).getTime() + (lasts ?? DEFAULT_MS));
  return { environment: env, reason, startsAt: startsAt?.toISOString() ?? null, endsAt: ends.toISOString() };
}

const DEFAULT_MS = 24 * 3_600_000;

type Ask = (client: Awaited<ReturnType<Cli['connect']>>) => Promise<PromotionStand>;

async function printHolds(cli: Cli, options: InEnvironment, ask: Ask): Promise<void> {
  const { holds: rows } = await ask(await cli.connect());
  if (rows.length === 0) cli.say(`No release is on hold in ${options.env}.`);
  await cli.output(options).list({
    rows,
    name: (row) => row.release.digest,
    columns: [
      { header: 'RELEASE', cell: (row) => row.release.alias },
      { header: 'DIGEST', cell: (row) => row.release.digest.slice(0, 12) },
      { header: 'WHY', cell: (row) => row.reason, shrinks: true },
      { header: 'BY', cell: (row) => row.actor },
      { header: 'SINCE', cell: (row) => ({ kind: 'instant', at: row.at }) },
    ],
  });
}

async function printFreezes(cli: Cli, options: InEnvironment, ask: Ask): Promise<void> {
  const { freezes: rows } = await ask(await cli.connect());
  if (rows.length === 0) cli.say(`${options.env} has no freeze.`);
  await cli.output(options).list({
    rows,
    name: (row) => row.id,
    columns: [
      { header: 'ID', cell: (row) => row.id },
      { header: 'FROM', cell: (row) => ({ kind: 'instant', at: row.startsAt }) },
      { header: 'UNTIL', cell: (row) => ({ kind: 'instant', at: row.endsAt }) },
      { header: 'WHY', cell: (row) => row.reason, shrinks: true },
      { header: 'BY', cell: (row) => row.actor },
    ],
  });
}
