import { Command } from 'commander';
import type { Cli } from './cli.ts';
import { addAlertsCommands } from './commands/alerts.ts';
import { addBackfillCommands } from './commands/backfill.ts';
import { addLogsCommand } from './commands/logs.ts';
import { addMetricsCommands } from './commands/metrics.ts';
import { addOpenCommand } from './commands/open.ts';
import { addPathCommand } from './commands/path.ts';
import { addPipelinesCommands } from './commands/pipelines.ts';
import { addRunCommand } from './commands/run.ts';
import { addRunsCommands } from './commands/runs.ts';
import { packageVersion } from './package-root.ts';

/** The whole command tree; nothing in it does anything before it is parsed. */
export function buildProgram(cli: Cli): Command {
  const program = new Command('sluice')
    .description('Runs pipelines that are files in git.')
    .version(packageVersion(), '-V, --version')
    .showSuggestionAfterError();
  addRunCommand(program, cli);
  addRunsCommands(program, cli);
  addLogsCommand(program, cli);
  addBackfillCommands(program, cli);
  addMetricsCommands(program, cli);
  addPathCommand(program, cli);
  addPipelinesCommands(program, cli);
  addAlertsCommands(program, cli);
  addOpenCommand(program, cli);
  for (const leaf of leavesOf(program)) leaf.option('-q, --quiet', 'no messages, only data and errors');
  for (const command of [program, ...descendantsOf(program)]) speakThrough(command, cli);
  program.hook('preAction', (_program, action) => {
    if (action.opts<{ quiet?: boolean }>().quiet) cli.beQuiet();
  });
  return program;
}

/** Every command below this one, in the order of the manual. */
export function descendantsOf(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...descendantsOf(child)]);
}

/** The commands that do something. */
export function leavesOf(command: Command): Command[] {
  return descendantsOf(command).filter((each) => each.commands.length === 0);
}

function speakThrough(command: Command, cli: Cli): void {
  const { out, err } = cli.io;
  command
    .exitOverride()
    .helpCommand(false)
    .configureOutput({
      writeOut: (text) => out.write(text),
      // Errors are thrown and written by `runCli` in the one form all errors have; help asked for by mistake goes to stderr.
      writeErr: (text) => err.write(text),
      outputError: () => undefined,
      getOutHelpWidth: () => (out.isTTY ? out.columns : 100),
      getErrHelpWidth: () => (err.isTTY ? err.columns : 100),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}
