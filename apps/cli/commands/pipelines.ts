import type { Command } from 'commander';
import type { PipelineDetail, PipelineSummary } from '#contracts';
import type { Cli } from '../cli.ts';
import { withEnvironment } from '../options.ts';
import type { Cell } from '../output/cell.ts';
import { withOutput, type Column, type OutputOptions } from '../output/output.ts';
import { stateSymbol } from '../output/state-mark.ts';
import type { Style } from '../output/style.ts';

interface EnvironmentOptions extends OutputOptions {
  readonly env: string;
}

export function addPipelinesCommands(program: Command, cli: Cli): void {
  const pipelines = program.command('pipelines').description('the pipelines of an environment');
  withOutput(withEnvironment(pipelines.command('list').alias('ls')))
    .description('pipelines with their schedule and last runs')
    .action((options: EnvironmentOptions) => listPipelines(cli, options));
  withOutput(withEnvironment(pipelines.command('show')))
    .description('one pipeline: schedule, parameters, tasks')
    .argument('<pipeline>')
    .action((name: string, options: EnvironmentOptions) => showPipeline(cli, name, options));
  for (const verb of ['pause', 'unpause'] as const) {
    withOutput(withEnvironment(program.command(verb)))
      .description(verb === 'pause' ? 'stop firing the schedule; running runs go on' : 'fire the schedule again')
      .argument('<pipeline>')
      .action((name: string, options: EnvironmentOptions) => setPaused(cli, verb, name, options));
  }
}

const LAST_RUNS = 10;

const COLUMNS: readonly Column<PipelineSummary>[] = [
  { header: 'PIPELINE', cell: (row) => row.name, shrinks: true },
  { header: 'STATUS', cell: status },
  { header: 'SCHEDULE', cell: (row) => row.schedule, shrinks: true },
  { header: 'NEXT', cell: (row) => ({ kind: 'instant', at: row.nextFireAt }) },
  { header: 'LAST RUNS', cell: lastRuns },
  { header: 'ACTIVE', cell: (row) => row.activeRuns, align: 'right' },
  { header: 'OWNER', cell: (row) => row.owner, wide: true },
  { header: 'TAGS', cell: (row) => row.tags.join(','), wide: true },
  { header: 'RELEASE', cell: (row) => row.release.slice(0, 12), wide: true },
];

function status(row: PipelineSummary): string {
  if (row.problems.length > 0) return 'broken';
  return row.paused ? 'paused' : 'active';
}

function lastRuns({ lastRuns: all }: PipelineSummary): Cell {
  const runs = all.slice(-LAST_RUNS);
  const marks = (style: Style): string => runs.map(({ state }) => stateSymbol(state, style)).join('');
  const text = runs.map(({ state }) => stateSymbol(state, PLAIN)).join('');
  return {
    kind: 'marks',
    text: text || '-',
    paint: (style) => marks(style) || '-',
    plain: runs.map(({ state }) => state).join(' '),
  };
}

const PLAIN = new Proxy({} as Style, { get: () => (text: string) => text });

async function listPipelines(cli: Cli, options: EnvironmentOptions): Promise<void> {
  const client = await cli.connect();
  const rows = await client.pipelines(options.env);
  if (rows.length === 0) cli.say(`No pipelines in ${options.env}.`);
  await cli.output(options).list({ rows, columns: COLUMNS, name: (row) => row.name });
  for (const { problems } of rows)
    for (const { file, line, column, message } of problems) cli.warn(`${file}:${line}:${column}: ${message}`);
}

async function showPipeline(cli: Cli, name: string, options: EnvironmentOptions): Promise<void> {
  const client = await cli.connect();
  const detail = await client.pipeline(name, options.env);
  const output = cli.output(options);
  const { layout: _layout, source: _source, ...shown } = detail;
  await output.one(shown, detail.name, fields(detail));
  if (!output.isForPeople) return;
  output.lines(['']);
  await output.list({
    rows: detail.tasks,
    name: (task) => task.id,
    columns: [
      { header: 'TASK', cell: (task) => task.id },
      { header: 'KIND', cell: (task) => task.kind },
      { header: 'AFTER', cell: (task) => task.upstream.join(' ') || null, shrinks: true },
      { header: 'READS', cell: (task) => task.reads.join(' ') || null, shrinks: true },
      { header: 'WRITES', cell: (task) => task.writes.join(' ') || null, shrinks: true },
      { header: 'WHEN', cell: (task) => (task.final ? 'finally' : task.when) },
    ],
  });
}

function fields(detail: PipelineDetail): (readonly [string, Cell])[] {
  return [
    ['pipeline', detail.name],
    ['file', detail.file],
    ['description', detail.description || null],
    ['owner', detail.owner || null],
    ['status', status(detail)],
    ...(detail.pausedReason === undefined ? [] : [['paused', detail.pausedReason] as const]),
    ['schedule', detail.schedule],
    ['catchup', detail.catchup],
    ['next fires', detail.nextFires.map(({ at }) => at).join(', ') || null],
    ['params', Object.keys(detail.params).join(', ') || null],
    ['max active runs', detail.maxActiveRuns],
    ['last runs', lastRuns(detail)],
    ['release', detail.release.slice(0, 12)],
  ];
}

async function setPaused(
  cli: Cli,
  verb: 'pause' | 'unpause',
  name: string,
  options: EnvironmentOptions,
): Promise<void> {
  const client = await cli.connect();
  const row = await client[verb](name, options.env);
  await cli.output(options).list({ rows: [row], columns: COLUMNS, name: (each) => each.name });
}
