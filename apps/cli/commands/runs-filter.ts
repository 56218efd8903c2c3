import { InvalidArgumentError, Option, type Command } from 'commander';
import { RUN_STATES, SluiceError } from '#core';
import type { BulkOutcome, Run } from '#contracts';
import type { BulkRequest, SluiceClient } from '#contracts/client';
import type { Cli } from '../cli.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { countArgument, isoInstantArgument, withEnvironment } from '../options.ts';
import type { OutputOptions } from '../output/output.ts';
import { collectPages } from '../server/collect-pages.ts';
import { runColumns } from './run-table.ts';

/** One request of the API acts on so many. */
const MOST = 500;

export interface FilterOptions extends OutputOptions {
  readonly env: string;
  readonly pipeline?: string;
  readonly state?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
  readonly yes?: boolean;
}

/** Adds what chooses runs by what they are instead of by their ids. */
export function withFilter(command: Command): Command {
  return withEnvironment(command)
    .addOption(new Option('--pipeline <name>', 'instead of ids: runs of this pipeline'))
    .addOption(new Option('--state <states>', 'runs in this state, or in several: failed,timed_out').argParser(states))
    .addOption(
      new Option('--since <instant>', 'runs whose interval starts here or later').argParser(isoInstantArgument),
    )
    .addOption(
      new Option('--until <instant>', 'runs whose interval ends here or earlier').argParser(isoInstantArgument),
    )
    .option('-l, --limit <n>', `at most so many runs, the newest; at most ${MOST}`, countArgument, 100)
    .option('-y, --yes', 'do it; without this the runs are only listed');
}

function states(value: string): string {
  const unknown = value.split(',').find((one) => !RUN_STATES.some((state) => state === one));
  if (unknown === undefined) return value;
  throw new InvalidArgumentError(`"${unknown}" is no state of a run. Expected ${RUN_STATES.join(', ')}.`);
}

/** True: runs are chosen by what they are. Throws when it is said both ways, or neither. */
export function isFiltered(ids: readonly string[], { pipeline, state, since, until }: FilterOptions): boolean {
  const filters = Object.entries({ pipeline, state, since, until }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`],
  );
  if (ids.length > 0 && filters.length === 0) return false;
  if (ids.length === 0 && filters.length > 0) return true;
  throw new SluiceError(
    'bad_request',
    ids.length === 0 ? 'No run is named.' : `Runs are named, and ${filters.join(', ')} given, too.`,
    { hint: 'Name runs by their ids, or choose them by --pipeline, --state, --since and --until.' },
  );
}

/**
 * Lists the runs that the filter finds, and acts on exactly those when told `--yes`. `usual`: the states that it makes
 * sense for. Exit code 6 when one was refused.
 */
export async function actOnFiltered(
  cli: Cli,
  options: FilterOptions,
  usual: string | undefined,
  action: BulkRequest['action'],
  verb: string,
): Promise<void> {
  const client = await cli.connect();
  const { rows, areMore } = await findRuns(client, options, usual);
  if (areMore)
    cli.warn(
      `More runs match; ${rows.length === 1 ? 'this is the newest' : `these are the newest ${rows.length}`} (--limit, at most ${MOST}).`,
    );
  if (rows.length === 0) return cli.say(`No runs in ${options.env} match; nothing was done.`);
  if (options.yes !== true) {
    await cli.output(options).list({ rows, columns: runColumns(cli.io.now()), name: (run) => run.id });
    return cli.say(
      `Nothing was done. Add --yes to ${verb} ${rows.length === 1 ? 'this run' : `these ${rows.length} runs`}.`,
    );
  }
  const outcomes = await client.actOnRuns({ environment: options.env, runs: rows.map(({ id }) => id), action });
  await printOutcomes(cli, options, outcomes);
}

async function findRuns(
  client: SluiceClient,
  options: FilterOptions,
  usual: string | undefined,
): Promise<{ readonly rows: readonly Run[]; readonly areMore: boolean }> {
  const { env, pipeline, state = usual, since: from, until: to, limit } = options;
  const most = Math.min(limit === 0 ? MOST : limit, MOST);
  let areMore = false;
  const rows = await collectPages(most, async (asked) => {
    const page = await client.runs({ env, pipeline, state, from, to, ...asked });
    areMore = page.next !== null;
    return page;
  });
  return { rows, areMore };
}

async function printOutcomes(cli: Cli, options: OutputOptions, rows: readonly BulkOutcome[]): Promise<void> {
  await cli.output(options).list({
    rows,
    name: (row) => row.created ?? row.runId,
    columns: [
      { header: 'RUN', cell: (row) => row.runId },
      { header: 'PIPELINE', cell: (row) => row.pipeline, shrinks: true },
      { header: 'INTERVAL', cell: (row) => ({ kind: 'interval', interval: row.interval }), shrinks: true },
      { header: 'OUTCOME', cell: (row) => row.outcome },
      { header: 'NEW RUN', cell: (row) => row.created },
      { header: 'MESSAGE', cell: (row) => row.message, shrinks: true },
    ],
  });
  const refused = rows.filter(({ outcome }) => outcome === 'refused').length;
  if (refused === 0) return;
  cli.exitCode = EXIT_CODES.conflict;
  cli.warn(`${refused} of ${rows.length} runs were refused; the others were done.`);
}
