import { Option, type Command } from 'commander';
import { SluiceError } from '#core';
import type { Run, RunDetail } from '#contracts';
import type { SluiceClient } from '#contracts/client';
import type { Cli } from '../cli.ts';
import { INTERRUPTED } from '../exit-codes.ts';
import { runColumns } from '../commands/run-table.ts';
import { durationArgument } from '../options.ts';
import type { OutputOptions } from '../output/output.ts';
import { durationText } from '../output/time.ts';
import { progressView, type ProgressView } from './progress-view.ts';
import { hasEnded, watchRun } from './watch-run.ts';

export interface AwaitOptions {
  readonly watch?: boolean;
  readonly wait?: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
}

/** Adds `--watch`, `--wait` and `--timeout`. */
export function withAwaiting(command: Command): Command {
  return command
    .addOption(new Option('-w, --watch', 'show its course until it ends').conflicts('wait'))
    .addOption(new Option('--wait', 'wait for its end without showing its course').conflicts('watch'))
    .addOption(new Option('--timeout <duration>', 'stop waiting after this long (exit 8)').argParser(durationArgument));
}

/**
 * Prints the run, at once or when it has ended if the options say so. Throws `run_failed` when it ended in another
 * state than success and `timeout` when it did not end in time. Ctrl-C ends the waiting, not the run.
 */
export async function awaitRun(
  cli: Cli,
  client: SluiceClient,
  runId: string,
  options: AwaitOptions & OutputOptions,
  created?: Run,
): Promise<void> {
  if (!options.watch && !options.wait) {
    await printRun(cli, options, created ?? (await client.run(runId)));
    cli.next('follow it', `sluice runs watch ${runId}`);
    return;
  }
  const interrupted = cli.io.interrupt.take();
  const limit = options.timeout === undefined ? null : AbortSignal.timeout(options.timeout);
  const view = options.watch && !cli.isQuiet ? progressView(cli.io) : null;
  const last = await follow(cli, client, runId, limit ? AbortSignal.any([interrupted, limit]) : interrupted, view);
  if (last !== null && hasEnded(last.state)) return finishRun(cli, options, last, { wasShown: view !== null });
  if (interrupted.aborted) {
    cli.exitCode = INTERRUPTED;
    cli.say(`Run ${runId} goes on.`);
    return cli.next('end it', `sluice runs cancel ${runId}`);
  }
  throw new SluiceError(
    'timeout',
    `Run ${runId} was still ${last?.state ?? 'pending'} after ${durationText(options.timeout ?? 0)}.`,
    {
      hint: `It goes on; \`sluice runs watch ${runId}\` follows it.`,
    },
  );
}

async function follow(
  cli: Cli,
  client: SluiceClient,
  runId: string,
  signal: AbortSignal,
  view: ProgressView | null,
): Promise<RunDetail | null> {
  let last: RunDetail | null = null;
  try {
    const onLost = (): void => cli.say('The server does not answer; waiting for it.');
    for await (const detail of watchRun(client, runId, { signal, onLost })) {
      last = detail;
      view?.update(detail);
    }
  } finally {
    view?.close();
  }
  return last;
}

/** Prints a run that has ended; throws `run_failed` with what to do next unless it succeeded. */
export async function finishRun(
  cli: Cli,
  options: OutputOptions,
  detail: RunDetail,
  about: { readonly wasShown: boolean; readonly isLocal?: boolean },
): Promise<void> {
  // On a terminal the last frame says it all; a pipe and any other format get the record.
  if (!(about.wasShown && cli.io.out.isTTY && cli.output(options).isForPeople))
    await printRun(cli, options, withoutDetail(detail));
  if (detail.state === 'success') return;
  throw new SluiceError(
    'run_failed',
    `Run ${detail.id} of ${detail.pipeline} ended ${detail.state}${reasonText(detail)}`,
    {
      hint: about.isLocal ? 'Run it again with --local after a fix.' : nextStep(detail),
      details: { runId: detail.id },
    },
  );
}

/** The run's reason and, where that only names the task, the task's own. */
function reasonText({ reason, taskRuns }: RunDetail): string {
  const why = taskRuns.find((row) => row.state === 'failed')?.reason;
  const parts = [reason, why != null && !reason?.includes(why) ? why : null].filter((part) => part !== null);
  return parts.length === 0 ? '.' : `: ${parts.join(': ')}`;
}

function nextStep({ id, taskRuns }: RunDetail): string {
  const failed = taskRuns.find((row) => row.state === 'failed');
  if (failed === undefined) return `\`sluice runs show ${id}\` shows its task runs.`;
  const map = failed.mapKey === '' ? '' : ` --map ${failed.mapIndex}`;
  return `\`sluice logs ${id}/${failed.taskId}${map}\` shows why; \`sluice runs rerun ${id}\` continues after a fix.`;
}

/** The record that `run` prints is the same whether it waited or not. */
function withoutDetail(detail: RunDetail): Run {
  const { layout: _l, source: _s, tasks: _t, taskRuns: _r, previousRun: _p, nextRun: _n, ...run } = detail;
  return run;
}

async function printRun(cli: Cli, options: OutputOptions, run: Run): Promise<void> {
  const output = cli.output(options);
  if (output.isForPeople || output.format === 'csv')
    return output.list({ rows: [run], columns: runColumns(cli.io.now()), name: ({ id }) => id });
  return output.one(run, run.id, []);
}
