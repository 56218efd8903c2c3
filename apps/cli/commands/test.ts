import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { SluiceError } from '#core';
import type { Cli } from '../cli.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { humanProblems } from '../problems/human.ts';
import { findProject } from '../project/project.ts';
import type { ProjectTests } from '../test/load-tests.ts';
import { isPassed, type TestedResult } from '../test/tested-result.ts';

interface TestOptions {
  readonly junit?: string;
  readonly update?: boolean;
  readonly json?: boolean;
}

export function addTestCommand(program: Command, cli: Cli): void {
  program
    .command('test')
    .description('run the tests of pipelines in dags/tests/; needs no server')
    .argument('[filter...]', 'only tests whose file, pipeline or name contains one of these texts')
    .option('--junit <file>', 'write the result as JUnit XML')
    .option('--update', 'write golden results anew instead of comparing with them')
    .option('--json', 'print the result as one JSON document')
    .action((filters: string[], options: TestOptions) => test(cli, filters, options));
}

async function test(cli: Cli, filters: readonly string[], options: TestOptions): Promise<void> {
  const began = performance.now();
  const [{ loadTests, selectTests }, { runTests }, report] = await Promise.all([
    import('../test/load-tests.ts'),
    import('../test/run-tests.ts'),
    import('../test/report.ts'),
  ]);
  const project = await findProject(cli.io.cwd);
  const loaded = await loadTests(project);
  refuseProblems(cli, loaded, options);
  const tests = selectTests(loaded.tests, filters);
  const results = await runTests(tests, {
    ...{ project, pipelines: loaded.pipelines, update: options.update ?? false },
    onResult: (result) => {
      if (options.json !== true && !(cli.isQuiet && isPassed(result)))
        cli.io.out.write(`${report.resultLines(result, cli.outStyle).join('\n')}\n`);
    },
  });
  if (options.json) cli.io.out.write(report.jsonReport(loaded.release, results));
  if (options.junit !== undefined) await writeFile(resolve(cli.io.cwd, options.junit), report.junitOfTests(results));
  cli.say(summary(results, Math.round(performance.now() - began)));
  if (!results.every(isPassed)) cli.exitCode = EXIT_CODES.run_failed;
}

/** A file with problems tests nothing; what is left to test would look like a success. */
function refuseProblems(cli: Cli, { files }: ProjectTests, { json }: TestOptions): void {
  const problems = files.flatMap((file) => file.problems);
  if (problems.length === 0) return;
  if (json !== true)
    cli.io.err.write(
      humanProblems(files, cli.errStyle, { excerpt: cli.io.err.isTTY })
        .map((line) => `${line}\n`)
        .join(''),
    );
  const count = `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`;
  throw new SluiceError('invalid_config', `The files in dags/tests/ have ${count}; nothing was tested.`, {
    details: json === true ? { problems } : {},
  });
}

function summary(results: readonly TestedResult[], ms: number): string {
  const passed = results.filter(isPassed).length;
  if (results.length === 0) return 'There are no tests in dags/tests/.';
  const count = `${results.length} ${results.length === 1 ? 'test' : 'tests'} in ${ms} ms`;
  return passed === results.length ? `${count}, all passed.` : `${count}: ${results.length - passed} failed.`;
}
