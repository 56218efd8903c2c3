import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import type { Cli } from '../cli.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { packageVersion } from '../package-root.ts';
import { humanProblems } from '../problems/human.ts';
import { MACHINE_FORMATS, machineReport, type MachineFormat } from '../problems/machine.ts';
import { checkProject, type CheckedFile } from '../project/check-project.ts';
import { findProject, pathInProject } from '../project/project.ts';

interface ValidateOptions {
  readonly format: 'human' | MachineFormat;
  readonly json?: boolean;
}

export function addValidateCommand(program: Command, cli: Cli): void {
  program
    .command('validate')
    .description('check every pipeline and environment file; needs no server')
    .argument('[path]', 'a file or folder of the project: only its problems are shown')
    .addOption(
      new Option('--format <format>', 'how problems are printed')
        .choices(['human', ...MACHINE_FORMATS])
        .default('human'),
    )
    .option('--json', 'the same as --format json')
    .action((path: string | undefined, options: ValidateOptions) => validate(cli, path, options));
}

async function validate(cli: Cli, path: string | undefined, options: ValidateOptions): Promise<void> {
  const started = cli.io.now().getTime();
  const files =
    path === undefined
      ? await checkProject(await findProject(cli.io.cwd))
      : await filesBelow(resolve(cli.io.cwd, path));
  const count = files.reduce((sum, { problems }) => sum + problems.length, 0);
  const format = options.json ? 'json' : options.format;
  if (format === 'human') {
    const lines = humanProblems(files, cli.outStyle, { excerpt: cli.io.out.isTTY });
    if (lines.length > 0) cli.io.out.write(`${lines.join('\n')}\n`);
    cli.say(summary(files, count, cli.io.now().getTime() - started));
  } else {
    cli.io.out.write(machineReport(files, format, packageVersion()));
  }
  if (count > 0) cli.exitCode = EXIT_CODES.invalid_config;
}

/** All files are compiled, because pipelines refer to each other; those below `path` are reported. */
async function filesBelow(path: string): Promise<CheckedFile[]> {
  const info = await stat(path);
  const project = await findProject(info.isDirectory() ? path : dirname(path));
  const wanted = pathInProject(project, path);
  const files = await checkProject(project);
  // A folder above the project, or the project itself: everything.
  if (wanted === '' || wanted.startsWith('..')) return files;
  return files.filter((file) => file.path === wanted || file.path.startsWith(`${wanted}/`));
}

function summary(files: readonly CheckedFile[], count: number, ms: number): string {
  const broken = files.filter(({ problems }) => problems.length > 0).length;
  const checked = `${files.length} ${files.length === 1 ? 'file' : 'files'} checked in ${ms} ms`;
  if (files.length === 0) return 'No pipeline or environment files there.';
  return count === 0
    ? `${checked}, no problems.`
    : `${checked}: ${count} ${count === 1 ? 'problem' : 'problems'} in ${broken} ${broken === 1 ? 'file' : 'files'}.`;
}
