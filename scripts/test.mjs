// `npm test`: format, lint, types, build, then every test. `npm test -- libs/dag` runs the tests that match, and nothing else.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { provideTools } from './find-tools.mjs';
import { reportNotRun, skippedTests } from './not-run.mjs';
import { bin, CHECKS, jest, red, ROOT, run, summarize } from './parts.mjs';

const REPORT = bin('.cache/jest-report.json');
const filter = process.argv.slice(2);
const inCi = ['true', '1'].includes(process.env.CI ?? '');

const startedAt = performance.now();
const results = [];
const { found, missing } = provideTools();
if (filter.length === 0) results.push(...(await Promise.all(CHECKS.map(run))));
if (filter.length === 0 || needsBuild(filter)) {
  results.push(await run({ name: 'build', args: [`${ROOT}scripts/build.mjs`], remedy: 'npm run build' }));
}
// Without a build the end-to-end tests could only test the build before; what else is broken still comes to light.
const built = results.every(({ name, code }) => name !== 'build' || code === 0);
const scope = built ? [] : ['--selectProjects', 'unit', 'db'];
mkdirSync(bin('.cache'), { recursive: true });
rmSync(REPORT, { force: true });
const tests = jest([...filter, '--json', '--outputFile', REPORT, ...scope]);
results.push(await run({ ...tests, env: found }));

reportNotRun(skippedTests(REPORT), missing);
let code = summarize(results, startedAt);
if (code === 0 && inCi && missing.length > 0) {
  process.stdout.write(red('CI=true: what is missing counts as a failure\n'));
  code = 1;
}
process.exitCode = code;

/** Whether a filter picks tests of the built program. */
function needsBuild(args) {
  const { stdout } = spawnSync(process.execPath, [...jest(['--listTests', ...args]).args], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return /\.e2e\.test\.tsx?$/m.test(stdout ?? '');
}
