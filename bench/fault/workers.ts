import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '#platform';
import { PROGRAM_ROOT } from '../../apps/standalone/standalone-fixture.ts';
import { runWorkerFaults, WORKER_FAULTS, type WorkerFault } from './worker-faults.ts';

// `npm run fault -- F1`: a pipeline catches up on three workers while faults happen to them, or to their Redis.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    times: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '12' },
    days: { type: 'string', default: '40' },
    schedulers: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
  },
});
const fault = positionals[0] as WorkerFault;
const usage = `npm run fault -- ${Object.keys(WORKER_FAULTS).join('|')} [--times 5] [--seconds 12] [--days 40] [--schedulers 1] [--seed N]`;
const [times, seconds, days, schedulers, seed] = [
  wholeNumber('times', 0, 1000),
  wholeNumber('seconds', 1, 600),
  wholeNumber('days', 1, 2000),
  wholeNumber('schedulers', 1, 5),
  wholeNumber('seed', 0, 2 ** 31),
];
const redisProgram = process.env.SLUICE_TEST_REDIS;
if (!redisProgram) fail('no Redis server was found', 'install redis ≥ 6.2, or set SLUICE_TEST_REDIS to its executable');

const say = (line: string): void => void process.stdout.write(`${line}\n`);
say(`${fault}: ${WORKER_FAULTS[fault]}; ${times} times in ${days} days, seed ${seed}`);
const folder = await mkdtemp(path.join(os.tmpdir(), 'sluice-fault-'));
const postgres = await startEmbeddedPostgres({ dataFolder: path.join(folder, 'postgres') });
try {
  const report = await runWorkerFaults({
    ...{ fault, times, days, seed, schedulers, say, redisProgram, databaseUrl: postgres.url },
    awayMs: seconds * 1000,
    timeoutMs: 45 * 60_000,
  });
  const { violations, attempts, longestDetectionMs } = report;
  say('');
  say(`  caught up in     ${report.seconds} s, ${report.runs} runs`);
  say(
    `  attempts         ${Object.entries(attempts)
      .map(([state, count]) => `${count} ${state}`)
      .join(', ')}`,
  );
  if (longestDetectionMs !== null) say(`  found after      ${longestDetectionMs} ms at the longest`);
  say(`  violations       ${violations.length}`);
  for (const violation of violations.slice(0, 50)) say(`  - ${violation}`);
  const machine = {
    processors: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 1e9),
    node: process.version,
  };
  const results = path.join(PROGRAM_ROOT, 'bench', 'results');
  await mkdir(results, { recursive: true });
  await writeFile(
    path.join(results, `fault-${fault}.json`),
    `${JSON.stringify({ machine, seed, days, schedulers, ...report }, null, 2)}\n`,
  );
  process.exitCode = violations.length === 0 ? 0 : 1;
} finally {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}

function wholeNumber(name: keyof typeof values, least: number, most: number): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  return fail(`--${name} ${values[name]}: expected a whole number from ${least} to ${most}`, usage);
}

function fail(message: string, hint: string): never {
  process.stderr.write(`error: ${message}\nhint: ${hint}\n`);
  process.exit(2);
}
