import type { Command } from 'commander';
import type { ArchivedRun, ArchivedRunDetail, PruneReport } from '#contracts';
import type { Cli } from '../cli.ts';
import { countArgument, withEnvironment } from '../options.ts';
import type { Cell } from '../output/cell.ts';
import { withOutput, type Column, type OutputOptions } from '../output/output.ts';
import { collectPages } from '../server/collect-pages.ts';

export function addHistoryCommands(program: Command, cli: Cli): void {
  const history = program.command('history').description('runs past the retention of their environment');
  withOutput(withEnvironment(history.command('list').alias('ls')))
    .description('archived runs of an environment, newest first')
    .argument('[pipeline]', 'only those of this pipeline')
    .option('-l, --limit <n>', 'how many; 0: all', countArgument, 20)
    .action((pipeline: string | undefined, options: ListOptions) => listArchived(cli, pipeline, options));

  withOutput(history.command('show'))
    .description('what the archive holds of a run')
    .argument('<run>')
    .action((id: string, options: OutputOptions) => showArchived(cli, id, options));

  withOutput(history.command('prune'))
    .description('archive now what is past its retention, as every hour; needs the right admin:*')
    .option('-e, --env <name>', 'only this environment (default: all that have a retention)')
    .option('-n, --dry-run', 'only say what would go, what stays, and why')
    .action((options: PruneOptions) => prune(cli, options));
}

interface ListOptions extends OutputOptions {
  readonly env: string;
  readonly limit: number;
}

const COLUMNS: readonly Column<ArchivedRun>[] = [
  { header: 'RUN', cell: (row) => row.id },
  { header: 'PIPELINE', cell: (row) => row.pipeline, shrinks: true },
  { header: 'STATE', cell: (row) => ({ kind: 'state', state: row.state }) },
  { header: 'INTERVAL', cell: (row) => ({ kind: 'interval', interval: row.interval }) },
  { header: 'FINISHED', cell: (row) => ({ kind: 'instant', at: row.finishedAt }) },
  { header: 'RELEASE', cell: (row) => row.release.slice(0, 12), wide: true },
  { header: 'ARCHIVE', cell: (row) => row.archive, wide: true },
];

async function listArchived(cli: Cli, pipeline: string | undefined, options: ListOptions): Promise<void> {
  const client = await cli.connect();
  const { env, limit } = options;
  const rows = await collectPages(limit, (page) => client.archivedRuns({ env, pipeline, ...page }));
  if (rows.length === 0) cli.say(`No archived runs in ${env} match.`);
  await cli.output(options).list({ rows, columns: COLUMNS, name: (row) => row.id });
}

const TASK_RUNS: readonly Column<ArchivedRunDetail['taskRuns'][number]>[] = [
  { header: 'TASK', cell: (row) => row.taskId },
  { header: 'MAP', cell: (row) => row.mapKey || null, shrinks: true },
  { header: 'STATE', cell: (row) => ({ kind: 'state', state: row.state }) },
  { header: 'TRIES', cell: (row) => row.tries, align: 'right' },
  { header: 'STARTED', cell: (row) => ({ kind: 'instant', at: row.startedAt }) },
  {
    header: 'DURATION',
    cell: (row) => ({ kind: 'duration', ms: between(row.startedAt, row.finishedAt) }),
    align: 'right',
  },
  { header: 'REASON', cell: (row) => row.reason, shrinks: true },
];

async function showArchived(cli: Cli, id: string, options: OutputOptions): Promise<void> {
  const client = await cli.connect();
  const detail = await client.archivedRun(id);
  const output = cli.output(options);
  await output.one(detail, detail.id, fieldsOf(detail));
  if (!output.isForPeople) return;
  output.lines(['']);
  await output.list({ rows: detail.taskRuns, columns: TASK_RUNS, name: (row) => row.taskId });
}

function fieldsOf(run: ArchivedRunDetail): (readonly [string, Cell])[] {
  return [
    ['id', run.id],
    ['pipeline', run.pipeline],
    ['environment', run.environment],
    ['state', { kind: 'state', state: run.state }],
    ...(run.reason === null ? [] : [['reason', run.reason] as const]),
    ['why', run.why],
    ['interval', { kind: 'interval', interval: run.interval }],
    ['params', Object.keys(run.params).length === 0 ? null : JSON.stringify(run.params)],
    ['release', `${run.releaseAlias} ${run.release.slice(0, 12)}`],
    ...(run.originRun === null ? [] : [['rerun of', run.originRun] as const]),
    ['finished', { kind: 'instant', at: run.finishedAt }],
    ['duration', { kind: 'duration', ms: between(run.startedAt, run.finishedAt) }],
    ['archived', { kind: 'instant', at: run.archivedAt }],
    ['archive', run.archive],
  ];
}

function between(start: string | null, end: string | null): number | null {
  return start === null || end === null ? null : Date.parse(end) - Date.parse(start);
}

interface PruneOptions extends OutputOptions {
  readonly env?: string;
  readonly dryRun?: boolean;
}

type Pruned = PruneReport['environments'][number];

async function prune(cli: Cli, options: PruneOptions): Promise<void> {
  const client = await cli.connect();
  const { env, dryRun = false } = options;
  const request = { dryRun, ...(env === undefined ? {} : { environment: env }) };
  let report = await client.pruneHistory(request);
  // The server answers before its time is up; the rest is another request.
  for (let more = report; !more.isComplete && more.environments.some(({ runs }) => runs > 0);) {
    more = await client.pruneHistory(request);
    report = { ...more, environments: added(report.environments, more.environments) };
  }
  await cli.output(options).list({
    rows: report.environments,
    columns: [
      { header: 'ENVIRONMENT', cell: (row) => row.environment },
      { header: 'RETENTION', cell: (row) => `${row.retentionDays}d` },
      { header: dryRun ? 'WOULD GO' : 'ARCHIVED', cell: (row) => row.runs, align: 'right' },
      { header: 'TASK RUNS', cell: (row) => row.taskRuns, align: 'right' },
      { header: 'KEPT', cell: keptOf, shrinks: true },
    ],
    name: (row) => row.environment,
  });
  if (report.environments.length === 0) cli.say('No environment has a `retention`: everything is kept for ever.');
  else if (dryRun && report.environments.some(({ runs }) => runs > 0)) cli.next('archive it', 'sluice history prune');
}

function added(before: readonly Pruned[], more: readonly Pruned[]): Pruned[] {
  return more.map((one) => {
    const known = before.find(({ environment }) => environment === one.environment);
    return { ...one, runs: one.runs + (known?.runs ?? 0), taskRuns: one.taskRuns + (known?.taskRuns ?? 0) };
  });
}

/** `2 newest, 1 origin` */
function keptOf({ kept }: Pruned): string | null {
  return kept.length === 0 ? null : kept.map(({ reason, runs }) => `${runs} ${reason}`).join(', ');
}
