import type { JunitCase } from '../output/junit.ts';
import { junitReport } from '../output/junit.ts';
import { cleanLine } from '../output/clean-text.ts';
import type { Style } from '../output/style.ts';
import { isPassed, type TestedResult } from './tested-result.ts';

export function resultLines(result: TestedResult, style: Style): string[] {
  const { test, failures, ms } = result;
  const mark = isPassed(result) ? style.green('✓') : style.red('✗');
  const time = ms >= 100 ? style.dim(` (${ms} ms)`) : '';
  const line = `${mark} ${style.bold(cleanLine(test.pipeline.name))} ${cleanLine(test.name)}${time}`;
  return [
    line,
    ...failures.map(
      ({ line: row, column, message }) =>
        `  ${style.bold(`dags/${cleanLine(test.file)}:${row}:${column}:`)} ${cleanLine(message)}`,
    ),
  ];
}

/** `{ passed, failed, tests: […] }`, one JSON document. */
export function jsonReport(release: string, results: readonly TestedResult[]): string {
  const tests = results.map((result) => ({
    file: `dags/${result.test.file}`,
    pipeline: result.test.pipeline.name,
    name: result.test.name,
    state: isPassed(result) ? 'passed' : 'failed',
    ms: result.ms,
    failures: result.failures,
  }));
  const passed = results.filter(isPassed).length;
  return `${JSON.stringify({ release, passed, failed: results.length - passed, tests }, null, 2)}\n`;
}

/** Says nothing that differs between two runs of the same tests: its digest is recorded. */
export function junitOfTests(results: readonly TestedResult[]): string {
  return junitReport(
    'sluice test',
    results.map((result): JunitCase => {
      const { test, failures } = result;
      const file = `dags/${test.file}`;
      const about = { classname: `sluice.test.${test.pipeline.name}`, name: test.name, file };
      const text = failures.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`).join('\n');
      const [first] = failures;
      return first === undefined ? about : { ...about, failure: { message: first.message, type: 'test_failed', text } };
    }),
  );
}
