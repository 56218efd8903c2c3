import { readArguments } from '../read-arguments.ts';
import { FAULTS } from './faults.ts';
import { Namespaces } from './namespaces.ts';
import { runRound, type RoundReport } from './round.ts';
import { codeHash, readResults, storeResults, thisMachine } from './results.ts';
import { summarize } from './series.ts';

// `npm run fault -- F2`: a pipeline catches up on a cluster while a fault happens to it so many times, in rounds of a cluster each.

const usage = `npm run fault -- ${Object.keys(FAULTS).join('|')} [--times 5 | --minutes N] [--seed N] [--seconds 12] [--again]`;
const { values, positionals } = readArguments(usage, {
  allowPositionals: true,
  options: {
    times: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    seconds: { type: 'string', default: '12' },
    again: { type: 'boolean', default: false },
  },
});
const name = positionals[0] ?? '';
const fault = FAULTS[name] ?? fail(`there is no fault ${JSON.stringify(name)}`, usage);
const minutes = values.minutes === undefined ? null : wholeNumber('minutes', 1, 100_000);
const [times, seconds, seed] = [
  minutes === null ? wholeNumber('times', 0, 10_000) : Infinity,
  wholeNumber('seconds', 1, 600),
  wholeNumber('seed', 0, 2 ** 31),
];
// `scripts/fault.mjs` sees to it.
const redisProgram = process.env.SLUICE_TEST_REDIS ?? 'redis-server';
if (fault.layout?.(0).network === 'namespaces') {
  const problem = await Namespaces.problem();
  if (problem !== null)
    fail(`NOT RUN: no network namespaces can be made here: ${problem}`, 'run it as root on Linux, with iproute2');
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const code = await codeHash();
const known = values.again ? null : await readResults<{ rounds: RoundReport[] }>(name, { seed, code });
const rounds: RoundReport[] = [...(known?.rounds ?? [])];
const done = (): number => rounds.reduce((sum, round) => sum + round.times, 0);
say(`${name}: ${fault.does}`);
say(`  ${fault.promises}`);
const spent = (): number => rounds.reduce((sum, round) => sum + round.seconds, 0);
say(
  `  ${minutes === null ? `${times} times` : `for ${minutes} minutes`}, seed ${seed}` +
    (done() > 0 ? `; ${done()} times in ${Math.round(spent())} s are stored already` : ''),
);
while (minutes === null ? done() < times : spent() < minutes * 60) {
  const report = await runRound({
    ...{ name, fault, seed, redisProgram, say, round: rounds.length, before: done() },
    times: Math.min(fault.perRound, times - done()),
    awayMs: seconds * 1000,
    timeoutMs: 20 * 60_000,
  });
  rounds.push(report);
  const about = { fault: name, does: fault.does, promises: fault.promises, seed, code, machine: thisMachine() };
  await storeResults(name, { ...about, ...summarize(rounds), rounds });
  say(`  round ${report.round}: ${report.runs} runs in ${report.seconds} s, ${report.violations.length} violations`);
}
const { violations, attempts, figures } = summarize(rounds);
say('');
say(`  times            ${done()} in ${rounds.length} rounds`);
say(
  `  attempts         ${Object.entries(attempts)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ')}`,
);
for (const [figure, { count, median, most }] of Object.entries(figures))
  say(`  ${figure.padEnd(16)} median ${median}, most ${most} (${count} measured)`);
say(`  violations       ${violations.length}`);
for (const violation of violations.slice(0, 50)) say(`  - ${violation}`);
process.exit(violations.length === 0 ? 0 : 1);

function wholeNumber(option: 'times' | 'minutes' | 'seconds' | 'seed', least: number, most: number): number {
  const number = Number(values[option]);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  return fail(`--${option} ${values[option]}: expected a whole number from ${least} to ${most}`, usage);
}

function fail(message: string, hint: string): never {
  process.stderr.write(`error: ${message}\nhint: ${hint}\n`);
  process.exit(2);
}
