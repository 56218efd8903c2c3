import { Command } from 'commander';
import type { Cli } from './cli.ts';
import { descendantsOf, leavesOf } from './command-tree.ts';
import { addAlertsCommands } from './commands/alerts.ts';
import { addAuditCommand } from './commands/audit.ts';
import { addBackfillCommands } from './commands/backfill.ts';
import { addChecksCommand } from './commands/checks.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addDiffCommand } from './commands/diff.ts';
import { addDriftCommand } from './commands/drift.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addEnvCommands } from './commands/env.ts';
import { addEventsCommands } from './commands/events.ts';
import { addGcCommand } from './commands/gc.ts';
import { addHistoryCommands } from './commands/history.ts';
import { addHoldsCommands } from './commands/holds.ts';
import { addImportCommands } from './commands/import.ts';
import { addInitCommand } from './commands/init.ts';
import { addLogsCommand } from './commands/logs.ts';
import { addMetricsCommands } from './commands/metrics.ts';
import { addOpenCommand } from './commands/open.ts';
import { addPathCommand } from './commands/path.ts';
import { addPipelinesCommands } from './commands/pipelines.ts';
import { addPlanCommand } from './commands/plan.ts';
import { addPluginsCommands } from './commands/plugins.ts';
import { addPromoteCommands } from './commands/promote.ts';
import { addPromotionsCommands } from './commands/promotions.ts';
import { addReleaseCommands } from './commands/release.ts';
import { addRenderCommand } from './commands/render.ts';
import { addRunCommand } from './commands/run.ts';
import { addReferenceCommand } from './commands/reference.ts';
import { addRunsCommands } from './commands/runs.ts';
import { addScheduleCommands } from './commands/schedule.ts';
import { addSchemaCommands } from './commands/schema.ts';
import { addTestCommand } from './commands/test.ts';
import { addTokenCommands } from './commands/token.ts';
import { addValidateCommand } from './commands/validate.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { addWhoamiCommand } from './commands/whoami.ts';
import { addWorkerCommand } from './commands/worker.ts';
import { packageVersion } from './package-root.ts';

/** The whole command tree; nothing in it does anything before it is parsed. */
export function buildProgram(cli: Cli): Command {
  const program = new Command('sluice')
    .description('Runs pipelines that are files in git.')
    .version(packageVersion(), '-V, --version')
    .showSuggestionAfterError();
  program.commandsGroup('Files (no server needed):');
  addInitCommand(program, cli);
  addValidateCommand(program, cli);
  addTestCommand(program, cli);
  addRenderCommand(program, cli);
  addScheduleCommands(program, cli);
  addSchemaCommands(program, cli);
  addImportCommands(program, cli);
  addPluginsCommands(program, cli);
  program.commandsGroup('Runs:');
  addRunCommand(program, cli);
  addRunsCommands(program, cli);
  addLogsCommand(program, cli);
  addVerifyCommand(program, cli);
  addDiffCommand(program, cli);
  addBackfillCommands(program, cli);
  addHistoryCommands(program, cli);
  addEventsCommands(program, cli);
  addMetricsCommands(program, cli);
  addChecksCommand(program, cli);
  addPathCommand(program, cli);
  program.commandsGroup('Environments:');
  addEnvCommands(program, cli);
  addDriftCommand(program, cli);
  addPipelinesCommands(program, cli);
  addAlertsCommands(program, cli);
  program.commandsGroup('Releases:');
  addReleaseCommands(program, cli);
  addPlanCommand(program, cli);
  addPromoteCommands(program, cli);
  addPromotionsCommands(program, cli);
  addHoldsCommands(program, cli);
  program.commandsGroup('Who may, and who did:');
  addTokenCommands(program, cli);
  addWhoamiCommand(program, cli);
  addAuditCommand(program, cli);
  program.commandsGroup('This machine:');
  addOpenCommand(program, cli);
  addWorkerCommand(program);
  addGcCommand(program, cli);
  addDoctorCommand(program, cli);
  addCompletionCommand(program, cli);
  addReferenceCommand(program, cli);
  for (const leaf of leavesOf(program)) leaf.option('-q, --quiet', 'no messages, only data and errors');
  for (const command of [program, ...descendantsOf(program)]) speakThrough(command, cli);
  program.hook('preAction', (_program, action) => {
    if (action.opts<{ quiet?: boolean }>().quiet) cli.beQuiet();
  });
  return program;
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
