import { SluiceError } from '#core';
import type { RunDetail } from '#contracts';
import type { AttemptAddress, LogLineShape } from '#contracts/client';
import type { Cli } from '../cli.ts';
import type { RunOptions } from '../commands/run.ts';
import { INTERRUPTED } from '../exit-codes.ts';
import { LogPrinter } from '../logs/log-printer.ts';
import { findProject } from '../project/project.ts';
import { finishRun } from '../watch/await-run.ts';
import { progressView } from '../watch/progress-view.ts';
import { hasEnded } from '../watch/watch-run.ts';

/** What `runLocal` of `#platform` is asked for. */
export interface LocalRequest {
  /** Absolute folder that holds `dags/` and `environments/`. */
  readonly repository: string;
  readonly pipeline: string;
  readonly environment: string;
  /** As typed; read in the types that the pipeline declares. */
  readonly params: Readonly<Record<string, string>>;
  readonly interval: { readonly at: string } | { readonly from: string; readonly to: string } | null;
  /** Ctrl-C: end the attempts, stop Postgres, resolve with the run as it is then. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: LocalEvent) => void;
}

export type LocalEvent =
  | { readonly kind: 'run'; readonly run: RunDetail }
  | {
      readonly kind: 'log';
      readonly at: AttemptAddress;
      readonly label: string;
      readonly lines: readonly LogLineShape[];
    };

type RunLocal = (request: LocalRequest) => Promise<RunDetail>;

/** `sluice run --local`: the whole engine in this process, on a Postgres under `.sluice/local`. */
export async function runHere(cli: Cli, pipeline: string, options: RunOptions): Promise<void> {
  const { root } = await findProject(cli.io.cwd);
  const runLocal = await loadRunLocal();
  const interrupted = cli.io.interrupt.take();
  // With --watch the frame is redrawn in place; log lines between would tear it apart.
  const view = options.watch && !cli.isQuiet ? progressView(cli.io) : null;
  const printer = new LogPrinter(cli.io, { output: 'text' }, cli.io.err);
  const onEvent = (event: LocalEvent): void => {
    if (event.kind === 'run') view?.update(event.run);
    else if (view === null && !cli.isQuiet) printer.print(event.lines, event.at, event.label);
  };
  let run: RunDetail;
  try {
    run = await runLocal({
      repository: root,
      pipeline,
      environment: options.env,
      params: options.param,
      interval: intervalOf(options),
      signal: interrupted,
      onEvent,
    });
  } finally {
    view?.close();
  }
  if (interrupted.aborted && !(hasEnded(run.state) && run.state !== 'cancelled')) {
    cli.exitCode = INTERRUPTED;
    return;
  }
  await finishRun(cli, options, run, { wasShown: view !== null, isLocal: true });
}

function intervalOf({ at, from, to }: RunOptions): LocalRequest['interval'] {
  if (at !== undefined) return { at };
  return from !== undefined && to !== undefined ? { from, to } : null;
}

async function loadRunLocal(): Promise<RunLocal> {
  const platform = (await import('#platform')) as { readonly runLocal?: RunLocal };
  if (platform.runLocal === undefined)
    throw new SluiceError('not_supported', '`run --local` is not part of this build.', {
      hint: '`npm start` starts a server; then the same command without --local.',
    });
  return platform.runLocal;
}
