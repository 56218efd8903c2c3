import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { SluiceError } from '#core';
import { ciBuild } from '../ci/ci-build.ts';
import type { Cli } from '../cli.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { releaseArgument } from '../options.ts';
import { humanProblems } from '../problems/human.ts';
import { findProject } from '../project/project.ts';
import type { ProjectTests } from '../test/load-tests.ts';
import { isPassed, type TestedResult } from '../test/tested-result.ts';

interface TestOptions {
  readonly junit?: string;
  readonly update?: boolean;
  readonly json?: boolean;
  readonly record?: boolean;
  readonly release?: string;
}

export function addTestCommand(program: Command, cli: Cli): void {
  program
    .command('test')
    .description('run the tests of pipelines in dags/tests/; needs no server unless the result is recorded')
    .argument('[filter...]', 'only tests whose file, pipeline or name contains one of these texts')
    .option('--junit <file>', 'write the result as JUnit XML')
    .option('--update', 'write golden results anew instead of comparing with them')
    .option('--record', 'record the result with the release that dags/ is, for the gate `tests` of promotions')
    .option('--release <release>', 'which release dags/ has to be; with --record', releaseArgument)
    .option('--json', 'print the result as one JSON document')
    .action((filters: string[], options: TestOptions) => test(cli, filters, options));
}

async function test(cli: Cli, filters: readonly string[], options: TestOptions): Promise<void> {
  refuseOptions(filters, options);
  const [{ loadTests, selectTests }, { runTests }, report] = await Promise.all([
    import('../test/load-tests.ts'),
    import('../test/run-tests.ts'),
    import('../test/report.ts'),
  ]);
  const project = await findProject(cli.io.cwd);
  const loaded = await loadTests(project);
  refuseProblems(cli, loaded, options);
  const recording = options.record === true ? await recordingOf(cli, loaded.release, options) : null;
  const began = performance.now();
  const tests = selectTests(loaded.tests, filters);
  const results = await runTests(tests, {
    ...{ project, pipelines: loaded.pipelines, update: options.update ?? false },
    onResult: (result) => {
      if (options.json !== true && !(cli.isQuiet && isPassed(result)))
        cli.io.out.write(`${report.resultLines(result, cli.outStyle).join('\n')}\n`);
    },
  });
  if (options.json) cli.io.out.write(report.jsonReport(loaded.release, results));
  const junit = report.junitOfTests(results);
  if (options.junit !== undefined) await writeFile(resolve(cli.io.cwd, options.junit), junit);
  const ms = Math.round(performance.now() - began);
  cli.say(summary(results, ms));
  await recording?.({ results, junit, ms });
  if (!results.every(isPassed)) cli.exitCode = EXIT_CODES.run_failed;
}

/** What is recorded is all that the release was tested with, as it is. */
function refuseOptions(filters: readonly string[], { record, release, update }: TestOptions): void {
  const problem =
    record !== true
      ? release !== undefined && '--release says what is recorded with.'
      : (filters.length > 0 && `Only all tests are recorded, not those with "${filters.join(' ')}".`) ||
        (update === true && '--update changes what is tested, so its result is not recorded.');
  if (problem)
    throw new SluiceError('bad_request', problem, {
      hint: record === true ? 'Say `sluice test --record` alone.' : 'Add --record.',
    });
}

/** Asked for before anything is tested: a result that no release has is of no use. */
async function recordingOf(cli: Cli, digest: string, options: TestOptions) {
  const { recordTests, releaseUnderTest } = await import('../test/record-tests.ts');
  const client = await cli.connect();
  const release = await releaseUnderTest(client, digest, options.release);
  return async (tested: Parameters<typeof recordTests>[2]): Promise<void> => {
    await recordTests(client, release.digest, tested, ciBuild(cli.io.env).url);
    cli.say(`Recorded with release ${release.alias}.`);
  };
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
