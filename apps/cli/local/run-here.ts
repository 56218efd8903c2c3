import type { RunDetail } from '#contracts';
import type { LocalRunEvent, LocalRunRequest } from '#platform';
import type { Cli } from '../cli.ts';
import { coerceParams } from '../coerce-params.ts';
import type { RunOptions } from '../commands/run.ts';
import { INTERRUPTED } from '../exit-codes.ts';
import { LogPrinter } from '../logs/log-printer.ts';
import { loadEnvironment, loadPipeline } from '../project/load-pipeline.ts';
import { findProject } from '../project/project.ts';
import { finishRun } from '../watch/await-run.ts';
import { lineView, progressView } from '../watch/progress-view.ts';
import { hasEnded } from '../watch/watch-run.ts';

/** `sluice run --local`: the whole engine in this process, on a Postgres under `.sluice/local`. */
export async function runHere(cli: Cli, name: string, options: RunOptions): Promise<void> {
  const project = await findProject(cli.io.cwd);
  // Before anything is started: a mistake in the file or in a name should cost no second.
  const { pipeline } = await loadPipeline(project, name);
  await loadEnvironment(project, options.env);
  const { runLocal } = await import('#platform');
  const interrupted = cli.io.interrupt.take();
  const view = cli.isQuiet ? null : options.watch ? progressView(cli.io) : lineView(cli.io);
  const printer = new LogPrinter(cli.io, { output: 'text' }, cli.io.err);
  const onEvent = (event: LocalRunEvent): void => {
    if (event.kind === 'run') view?.update(event.run);
    // A frame that is redrawn in place would be torn apart by log lines.
    else if (view?.mayBeMixed) printer.print(event.lines, event.at, event.label);
  };
  cli.say('Starting the engine, with a Postgres under .sluice/local …');
  let run: RunDetail;
  try {
    run = await runLocal({
      repository: project.root,
      pipeline: name,
      environment: options.env,
      params: coerceParams(options.param, pipeline.params),
      interval: intervalOf(options),
      noCache: !options.cache,
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
  await finishRun(cli, options, run, { wasShown: options.watch === true && view !== null, isLocal: true });
}

function intervalOf({ at, from, to }: RunOptions): LocalRunRequest['interval'] {
  if (at !== undefined) return { at };
  return from !== undefined && to !== undefined ? { from, to } : null;
}
