import type { Command } from 'commander';
import { SluiceError } from '#core';
import type { RunDetail, TaskRun } from '#contracts';
import type { AttemptAddress, SluiceClient } from '#contracts/client';
import type { Cli } from '../cli.ts';
import { INTERRUPTED } from '../exit-codes.ts';
import { LogPrinter } from '../logs/log-printer.ts';
import { followWholeRun } from '../logs/follow-whole-run.ts';
import { taskName } from '../output/task-name.ts';
import { countArgument, logReferenceArgument, type LogReference } from '../options.ts';

export interface LogsOptions {
  readonly follow?: boolean;
  readonly map?: number;
  readonly grep?: string;
  readonly tail?: number;
  readonly timestamps?: boolean;
  readonly output: 'text' | 'ndjson';
}

const PAGE = 5_000;

export function addLogsCommand(program: Command, cli: Cli): void {
  program
    .command('logs')
    .description('what task runs printed')
    .argument('<run[/task[#try]]>', 'a run: all its task runs, one after the other', logReferenceArgument)
    .option('-f, --follow', 'go on until it ends')
    .option('--map <n>', 'map index of a task that is fanned out', countArgument)
    .option('-g, --grep <text>', 'only lines that contain the text, whatever its case')
    .option('-n, --tail <n>', 'only the last lines', countArgument)
    .option('-t, --timestamps', 'the instant before each line')
    .option('-o, --output <format>', 'text or ndjson', logFormat, 'text')
    .action((reference: LogReference, options: LogsOptions) => printLogs(cli, reference, options));
}

function logFormat(value: string): 'text' | 'ndjson' {
  if (value === 'text' || value === 'ndjson') return value;
  throw new SluiceError('bad_request', `"${value}" is no format of logs; text or ndjson was expected.`);
}

async function printLogs(cli: Cli, { runId, task, try: number }: LogReference, options: LogsOptions): Promise<void> {
  const client = await cli.connect();
  const signal = cli.io.interrupt.take();
  const printer = new LogPrinter(cli.io, options);
  if (task !== null) {
    const at = await attemptAddress(client, runId, task, number, options.map);
    await printAttempt(client, at, printer, options, signal);
  } else if (options.follow) {
    await followWholeRun(cli, client, runId, printer, signal);
  } else {
    await printWholeRun(cli, client, await client.run(runId), printer, options, signal);
  }
  if (signal.aborted) cli.exitCode = INTERRUPTED;
}

/** Which attempt is meant; asks when several map indexes could be. */
async function attemptAddress(
  client: SluiceClient,
  runId: string,
  task: string,
  number: number | null,
  map: number | undefined,
): Promise<AttemptAddress> {
  const detail = await client.taskRun({ runId, task, map: map ?? 0 });
  if (map === undefined && detail.siblings.length > 1)
    throw new SluiceError('bad_request', `Task ${task} of run ${runId} has ${detail.siblings.length} task runs.`, {
      hint: `Choose one with --map: ${siblingList(detail.siblings)}.`,
    });
  const newest = detail.attempts.at(-1)?.number;
  if (newest === undefined)
    throw new SluiceError('not_found', `Task ${task} of run ${runId} has no try yet; it is ${detail.state}.`, {
      hint: detail.originRun
        ? `It was taken over: \`sluice logs ${detail.originRun}/${task}\`.`
        : `\`sluice runs why ${runId}\` says what it waits for.`,
    });
  if (number !== null && !detail.attempts.some((attempt) => attempt.number === number))
    throw new SluiceError('not_found', `Task ${task} of run ${runId} has no try ${number}; the newest is ${newest}.`);
  return { runId, task, map: map ?? 0, try: number ?? newest };
}

function siblingList(siblings: readonly TaskRun[]): string {
  const shown = siblings.slice(0, 8).map((row) => `${row.mapIndex} (${row.mapKey}, ${row.state})`);
  return shown.join(', ') + (siblings.length > shown.length ? ', …' : '');
}

async function printAttempt(
  client: SluiceClient,
  at: AttemptAddress,
  printer: LogPrinter,
  options: LogsOptions,
  signal: AbortSignal,
): Promise<void> {
  let from = options.tail === undefined ? 1 : await tailStart(client, at, options.tail);
  for (;;) {
    // Page by page, in order: a log may be far larger than memory.
    const page = await client.log(at, { from, limit: PAGE });
    printer.print(page.lines, at);
    from = page.nextLine;
    if (page.complete || signal.aborted) return;
    if (page.lines.length === 0) break;
  }
  if (!options.follow) return;
  for await (const lines of client.followLog(at, from, { signal })) printer.print(lines, at);
}

/** First of the last `count` lines. */
async function tailStart(client: SluiceClient, at: AttemptAddress, count: number): Promise<number> {
  const { total } = await client.log(at, { from: 1, limit: 1 });
  if (total !== undefined) return Math.max(1, total - count + 1);
  const detail = await client.taskRun(at);
  const lines = detail.attempts.find((attempt) => attempt.number === at.try)?.logLines;
  return lines == null ? 1 : Math.max(1, lines - count + 1);
}

/** Each task run's newest try, in the order they started. */
async function printWholeRun(
  cli: Cli,
  client: SluiceClient,
  run: RunDetail,
  printer: LogPrinter,
  options: LogsOptions,
  signal: AbortSignal,
): Promise<void> {
  const started = run.taskRuns
    .filter((row) => row.tries > 0 && row.originRun === null)
    .sort((a, b) => (a.startedAt ?? a.queuedAt ?? '').localeCompare(b.startedAt ?? b.queuedAt ?? ''));
  if (started.length === 0) cli.say(`No task of run ${run.id} has started; the run is ${run.state}.`);
  for (const row of started) {
    if (signal.aborted) return;
    const name = taskName(row);
    if (started.length > 1) cli.say(cli.errStyle.bold(`==> ${name} try ${row.tries}, ${row.state}`));
    const at = { runId: run.id, task: row.taskId, map: row.mapIndex, try: row.tries };
    await printAttempt(client, at, printer, { ...options, follow: false }, signal);
  }
}
