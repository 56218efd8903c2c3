import { Option, type Command } from 'commander';
import { MARKED_STATES, SluiceError, type MarkedState } from '#core';
import type { Run } from '#contracts';
import type { RerunRequest } from '#contracts/client';
import type { Cli } from '../cli.ts';
import { countArgument } from '../options.ts';
import { withOutput, type OutputOptions } from '../output/output.ts';
import { awaitRun, withAwaiting, type AwaitOptions } from '../watch/await-run.ts';
import { runColumns } from './run-table.ts';
import { actOnFiltered, isFiltered, withFilter, type FilterOptions } from './runs-filter.ts';

const UNFINISHED = 'queued,running';
const UNSUCCESSFUL = 'failed,timed_out';

/** What changes the course of runs. */
export function addActingCommands(runs: Command, cli: Cli): void {
  withFilter(
    withOutput(runs.command('cancel').description('end runs that have not finished').argument('[run...]')),
  ).action((ids: readonly string[], options: FilterOptions) => cancelRuns(cli, ids, options));

  withAwaiting(
    withFilter(withOutput(runs.command('rerun')))
      .description('new runs for the same intervals; finished task runs are taken over where possible')
      .argument('[run...]')
      .addOption(new Option('--failed', 'failed tasks and what follows them (default)').conflicts(['all', 'from']))
      .addOption(new Option('--all', 'every task').conflicts(['failed', 'from']))
      .addOption(new Option('--from <task>', 'this task and what follows it').conflicts(['failed', 'all']))
      .option('--current-release', "on the environment's release of now, not the one of the old run")
      .option('--no-cache', 'execute every task that is not taken over, also those whose result an earlier run has'),
  ).action((ids: readonly string[], options: RerunOptions) => rerun(cli, ids, options));

  withAwaiting(
    withFilter(withOutput(runs.command('resume')))
      .description('go on where runs failed, on the release of now: the same as rerun --failed --current-release')
      .argument('[run...]'),
  ).action((ids: readonly string[], options: Omit<RerunOptions, 'cache'>) =>
    rerun(cli, ids, { ...options, currentRelease: true, cache: true }),
  );

  withFilter(withOutput(runs.command('mark')))
    .description('say what runs, or tasks of them, count as; what has ended keeps its state')
    .argument('[run...]')
    .addOption(new Option('--as <state>', 'what they count as').choices(MARKED_STATES).makeOptionMandatory())
    .requiredOption('--reason <text>', 'why; stands beside it for ever')
    .option('--task <task>', 'this task of them instead of the run')
    .option('--map <n>', 'one task run of a fan-out that has begun', countArgument)
    .action((ids: readonly string[], options: MarkOptions) => mark(cli, ids, options));
}

async function cancelRuns(cli: Cli, ids: readonly string[], options: FilterOptions): Promise<void> {
  if (isFiltered(ids, options)) return actOnFiltered(cli, options, UNFINISHED, { kind: 'cancel' }, 'cancel');
  const client = await cli.connect();
  await eachRun(cli, ids, options, (id) => client.cancel(id));
}

interface RerunOptions extends FilterOptions, AwaitOptions {
  readonly all?: boolean;
  readonly from?: string;
  readonly currentRelease?: boolean;
  readonly cache: boolean;
}

async function rerun(cli: Cli, ids: readonly string[], options: RerunOptions): Promise<void> {
  const mode = options.from === undefined ? (options.all ? 'all' : 'failed') : 'from';
  const release = options.currentRelease ? 'current' : 'same';
  const noCache = options.cache ? {} : { noCache: true };
  if (isFiltered(ids, options)) {
    if (mode === 'from')
      throw new SluiceError('bad_request', '--from names a task of one run.', { hint: 'Name the runs by their ids.' });
    const action = { kind: 'rerun', mode, release, ...noCache } as const;
    return actOnFiltered(cli, options, options.all ? undefined : UNSUCCESSFUL, action, 'rerun');
  }
  const request: RerunRequest = {
    mode,
    ...(options.from === undefined ? {} : { task: options.from }),
    release,
    ...noCache,
  };
  const client = await cli.connect();
  const again = async (id: string): Promise<Run> => {
    const run = await client.rerun(id, request);
    for (const { taskId, why } of run.outdated ?? [])
      cli.warn(
        `Task "${taskId}" is taken over from run ${id} although ${why}. \`--from ${taskId}\` executes it again.`,
      );
    return run;
  };
  const [only] = ids;
  if (ids.length > 1 || only === undefined) return eachRun(cli, ids, options, again);
  const run = await again(only);
  await awaitRun(cli, client, run.id, options, run);
}

interface MarkOptions extends FilterOptions {
  readonly as: MarkedState;
  readonly reason: string;
  readonly task?: string;
  readonly map?: number;
}

async function mark(cli: Cli, ids: readonly string[], options: MarkOptions): Promise<void> {
  const { as, reason, task, map } = options;
  const what = { as, reason, ...(task === undefined ? {} : { task }) };
  if (isFiltered(ids, options)) {
    if (map !== undefined)
      throw new SluiceError('bad_request', '--map names a task run of one run.', { hint: 'Name the run by its id.' });
    return actOnFiltered(cli, options, undefined, { kind: 'mark', ...what }, 'mark');
  }
  const client = await cli.connect();
  await eachRun(cli, ids, options, (id) => client.mark(id, { ...what, ...(map === undefined ? {} : { map }) }));
}

/** In the order given, so that the first refusal says exactly which were done before it. */
async function eachRun(
  cli: Cli,
  ids: readonly string[],
  options: OutputOptions,
  act: (id: string) => Promise<Run>,
): Promise<void> {
  const rows: Run[] = [];
  try {
    for (const id of ids) rows.push(await act(id));
  } finally {
    await cli.output(options).list({ rows, columns: runColumns(cli.io.now()), name: (run) => run.id });
  }
}
