// `npm test`: format, lint, types, build, then every test. `npm test -- libs/dag` runs the tests that match, and nothing else.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideTools } from './find-tools.mjs';
import { reportNotRun, skippedTests } from './not-run.mjs';
import { CHECKS, jest, ROOT, run, summarize } from './parts.mjs';

const filter = process.argv.slice(2);
const inCi = ['true', '1'].includes(process.env.CI ?? '');

const startedAt = performance.now();
const results = [];
const { found, missing } = provideTools();
if (filter.length === 0) results.push(...(await Promise.all(CHECKS.map(run))));
if (filter.length === 0 || needsBuild(filter)) {
  results.push(await run({ name: 'build', args: [`${ROOT}scripts/build.mjs`], remedy: 'npm run build' }));
}
const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
const reports = [];
for (const { name, args } of passes(filter)) {
  const report = join(folder, `${name}.json`);
  reports.push(report);
  results.push(await run({ ...jest([...args, '--json', '--outputFile', report]), name, env: found }));
}

// With `-t` most tests are left out on purpose.
const byTitle = filter.some((argument) => /^(-t|--testNamePattern)/.test(argument));
reportNotRun(byTitle ? [] : reports.flatMap(skippedTests), missing);
rmSync(folder, { recursive: true });
// Where nobody reads the list above, a test that cannot run is a test that fails.
if (inCi && missing.some(({ optional }) => optional !== true)) results.push({ name: 'tools', code: 1, ms: 0 });
process.exitCode = summarize(results, startedAt);

/**
 * Tests of single processes use every core; those of the built program start many processes and wait for them half of the
 * time, so two go side by side however many cores there are. Without a build the latter could only test the build before;
 * what else is broken still comes to light.
 */
function passes(picked) {
  const built = results.every(({ name, code }) => name !== 'build' || code === 0);
  const inner = { name: 'tests', args: [...picked, '--selectProjects', 'unit', 'db', '--maxWorkers', '100%'] };
  if (!built) return [inner];
  if (picked.length > 0) return [{ name: 'tests', args: picked }];
  return [inner, { name: 'end to end', args: ['--selectProjects', 'e2e', '--maxWorkers', '2'] }];
}

/** Whether a filter picks tests of the built program. */
function needsBuild(args) {
  const { stdout } = spawnSync(process.execPath, [...jest(['--listTests', ...args]).args], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return /\.e2e\.test\.tsx?$/m.test(stdout ?? '');
}
