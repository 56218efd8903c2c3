import { Option, type Command } from 'commander';
import { RUN_STATES, type RunState } from '#core';
import type { RunDetail, TaskRun } from '#contracts';
import type { WaitingReason } from '#contracts/client';
import type { Cli } from '../cli.ts';
import { countArgument, isoInstantArgument, withEnvironment } from '../options.ts';
import { withOutput, type Column, type OutputOptions } from '../output/output.ts';
import { collectPages } from '../server/collect-pages.ts';
import { awaitRun, withAwaiting, type AwaitOptions } from '../watch/await-run.ts';
import { taskName, taskWord } from '../output/task-name.ts';
import { relativeTime } from '../output/time.ts';
import { markedText, runColumns, runDuration, runFields, startFields } from './run-table.ts';
import { addActingCommands } from './runs-acting.ts';
import { addAnswerCommand } from './runs-answer.ts';

export function addRunsCommands(program: Command, cli: Cli): void {
  const runs = program.command('runs').description('what ran, runs and will run');
  withOutput(
    withEnvironment(runs.command('list').alias('ls'))
      .description('runs of an environment, newest first')
      .argument('[pipeline]', 'only runs of this pipeline')
      .addOption(new Option('--state <state>', 'only runs in this state').choices(RUN_STATES))
      .addOption(
        new Option('--since <instant>', 'only of intervals that start here or later').argParser(isoInstantArgument),
      )
      .addOption(
        new Option('--until <instant>', 'only of intervals that end here or earlier').argParser(isoInstantArgument),
      )
      .option('-l, --limit <n>', 'how many; 0: all', countArgument, 20),
  ).action((pipeline: string | undefined, options: ListOptions) => listRuns(cli, pipeline, options));

  withOutput(runs.command('show').description('one run and its task runs').argument('<run>')).action(
    (id: string, options: OutputOptions) => showRun(cli, id, options),
  );

  withAwaiting(withOutput(runs.command('watch').description('follow a run to its end').argument('<run>'))).action(
    async (id: string, options: OutputOptions & AwaitOptions) =>
      awaitRun(cli, await cli.connect(), id, { ...options, watch: !options.wait }),
  );

  addActingCommands(runs, cli);

  addAnswerCommand(runs, cli);

  withOutput(
    runs
      .command('why')
      .description('why something has not started yet, and why the cache was used or not')
      .argument('<run>'),
  ).action((id: string, options: OutputOptions) => explainWaiting(cli, id, options));
}

interface ListOptions extends OutputOptions {
  readonly env: string;
  readonly state?: RunState;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
}

async function listRuns(cli: Cli, pipeline: string | undefined, options: ListOptions): Promise<void> {
  const client = await cli.connect();
  const { env, state, since: from, until: to, limit } = options;
  const rows = await collectPages(limit, (page) => client.runs({ env, pipeline, state, from, to, ...page }));
  if (rows.length === 0) cli.say(`No runs in ${env} match.`);
  await cli.output(options).list({ rows, columns: runColumns(cli.io.now()), name: (run) => run.id });
}

async function showRun(cli: Cli, id: string, options: OutputOptions): Promise<void> {
  const client = await cli.connect();
  const detail = await client.run(id);
  const output = cli.output(options);
  // Where boxes are drawn and the file's text help no program that reads this.
  const { layout: _layout, source: _source, ...shown } = detail;
  await output.one(shown, detail.id, [...runFields(detail, cli.io.now()), ...startFields(detail)]);
  if (!output.isForPeople) return;
  output.lines(['']);
  await output.list({ rows: inGraphOrder(detail), columns: taskRunColumns(cli.io.now()), name: (row) => row.taskId });
  const asking = detail.taskRuns.find((row) => row.wait?.kind === 'approve');
  if (asking) cli.next('answer it', `sluice runs approve ${id} ${taskWord(asking)}`);
  const failed = detail.taskRuns.find((row) => row.state === 'failed');
  if (failed) cli.next('read its log', `sluice logs ${id}/${failed.taskId}${mapOption(failed)}`);
}

/** As the tasks follow each other, then by map index. */
function inGraphOrder({ tasks, taskRuns }: RunDetail): TaskRun[] {
  const place = new Map(tasks.map(({ id }, index) => [id, index]));
  const placeOf = ({ taskId }: TaskRun): number => place.get(taskId) ?? tasks.length;
  return [...taskRuns].sort((a, b) => placeOf(a) - placeOf(b) || a.mapIndex - b.mapIndex);
}

function taskRunColumns(now: Date): readonly Column<TaskRun>[] {
  return [
    { header: 'TASK', cell: (row) => row.taskId },
    { header: 'MAP', cell: (row) => row.mapKey || null, shrinks: true },
    { header: 'STATE', cell: (row) => ({ kind: 'state', state: row.state }) },
    { header: 'TRIES', cell: (row) => row.tries, align: 'right' },
    { header: 'STARTED', cell: (row) => ({ kind: 'instant', at: row.startedAt }) },
    { header: 'DURATION', cell: (row) => ({ kind: 'duration', ms: runDuration(row, now) }), align: 'right' },
    {
      header: 'REASON',
      cell: (row) => (row.marked === undefined ? (row.reason ?? whereFrom(row)) : markedText(row.marked)),
      shrinks: true,
    },
  ];
}

function whereFrom({ originRun, cache }: TaskRun): string | null {
  if (originRun !== null) return `taken over from ${originRun}`;
  return cache?.from == null ? null : `cached, from run ${cache.from}`;
}

function mapOption(row: TaskRun): string {
  return row.mapKey === '' ? '' : ` --map ${row.mapIndex}`;
}

async function explainWaiting(cli: Cli, id: string, options: OutputOptions): Promise<void> {
  const client = await cli.connect();
  const rows = await client.why(id);
  if (rows.length === 0) cli.say(`Nothing in run ${id} waits, and none of its tasks has a cache.`);
  await cli.output(options).list({
    rows,
    name: (row) => row.rule,
    columns: [
      { header: 'TASK', cell: taskLabel },
      { header: 'RULE', cell: (row) => row.rule },
      { header: 'WHY', cell: (row) => row.text, shrinks: true },
      { header: 'POSITION', cell: (row) => row.position, align: 'right' },
      { header: 'BEGINS', cell: (row) => (row.startsAt ? relativeTime(row.startsAt, cli.io.now()) : null) },
      { header: 'HELD BY', cell: (row) => row.holders.join(' ') || null, shrinks: true },
    ],
  });
}

function taskLabel({ taskId, mapIndex, mapKey }: WaitingReason): string {
  if (taskId === null) return '(run)';
  const item = mapKey ?? (mapIndex === null || mapIndex === 0 ? '' : String(mapIndex));
  return taskName({ taskId, mapKey: item });
}
