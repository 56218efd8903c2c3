import { mkdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PROGRAM_ROOT } from '../../apps/standalone/standalone-fixture.ts';
import { readArguments } from '../read-arguments.ts';
import { RULE_NAMES } from './check-history.ts';
import { exampleProject } from './example-project.ts';
import { runKills, type KillReport } from './kill-run.ts';

// `npm run fault -- kill`: the example pipelines catch up while the process is killed again and again.

const USAGE = 'npm run fault -- kill [--kills 20] [--seed N] [--days 181] [--all]';
const { values } = readArguments(USAGE, {
  allowPositionals: true,
  options: {
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    days: { type: 'string', default: '181' },
    all: { type: 'boolean', default: false },
  },
});
const [kills, seed, days] = [
  wholeNumber('kills', 0, 1000),
  wholeNumber('seed', 0, 2 ** 31),
  wholeNumber('days', 1, 181),
];

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const { project, expected, program } = await exampleProject({ days, all: values.all });
const intervals = Object.values(expected.intervals).flat().length;
say(
  `${intervals} intervals of ${Object.keys(expected.intervals).join(', ')}; kill -9 at ${kills} instants, seed ${seed}`,
);
try {
  const report = await runKills({
    project,
    storage: path.join(project.folder, '.sluice', 'storage', 'dev'),
    expected,
    kills,
    seed,
    say,
    timeoutMs: 45 * 60_000,
  });
  show(report);
  await store(report);
  process.exitCode = report.violations.length === 0 ? 0 : 1;
} finally {
  await project.destroy();
  await rm(program, { recursive: true, force: true });
}

function show(report: KillReport): void {
  const { storage, attempts } = report;
  const readies = report.kills.map(({ readyMs }) => readyMs ?? 0).sort((a, b) => a - b);
  const gone = report.kills.flatMap(({ childrenGoneMs }) => (childrenGoneMs === null ? [] : [childrenGoneMs]));
  const rows: [string, string][] = [
    ['caught up in', `${report.seconds} s, restarts included`],
    [
      'kills',
      `${report.kills.length}, ${report.kills.filter(({ during }) => during === 'starting').length} of them while starting`,
    ],
    ['ready again', `median ${readies[Math.floor(readies.length / 2)] ?? 0} ms, longest ${readies.at(-1) ?? 0} ms`],
    ['children gone', `longest ${Math.max(0, ...gone)} ms after the kill (${gone.length} times waited for)`],
    ['runs, task runs', `${report.runs}, ${report.taskRuns}`],
    [
      'attempts',
      Object.entries(attempts)
        .map(([state, count]) => `${count} ${state}`)
        .join(', '),
    ],
    ['most tries of one', String(report.mostTries)],
    [
      'published',
      `${storage.partitions} partitions, ${storage.files} files, ${(storage.bytes / 1e6).toFixed(1)} MB; all hashes compared`,
    ],
    [
      'looked at',
      `${RULE_NAMES.length} rules over ${report.toldStates} told states; processes ${report.processLooks} times`,
    ],
    ['violations', String(report.violations.length)],
  ];
  say('');
  for (const [name, value] of rows) say(`  ${name.padEnd(18)} ${value}`);
  for (const violation of report.violations.slice(0, 50)) say(`  - ${violation}`);
}

async function store(report: KillReport): Promise<void> {
  const folder = path.join(PROGRAM_ROOT, 'bench', 'results');
  const machine = {
    processors: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 1e9),
    node: process.version,
  };
  const pipelines = Object.fromEntries(Object.entries(expected.intervals).map(([name, all]) => [name, all.length]));
  await mkdir(folder, { recursive: true });
  await writeFile(
    path.join(folder, values.all ? 'fault-kill-all.json' : 'fault-kill.json'),
    `${JSON.stringify({ machine, seed, intervals: pipelines, ...report }, null, 2)}\n`,
  );
}

function wholeNumber(name: 'kills' | 'seed' | 'days', least: number, most: number): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  process.stderr.write(
    `error: --${name} ${values[name]}: expected a whole number from ${least} to ${most}\nhint: ${USAGE}\n`,
  );
  process.exit(2);
}
