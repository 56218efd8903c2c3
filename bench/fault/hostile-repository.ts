import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PROGRAM_ROOT } from '../../apps/standalone/standalone-fixture.ts';
import { HOSTILE_TREES, makeHostile, type HostileTree } from './hostile-trees.ts';
import { PeakMemory } from './peak-memory.ts';

// `npm run fault -- hostile-repository`: repositories made to exhaust whoever reads them are refused by name, in bounded
// time and memory. Needs some minutes and a GB of disk.

const MOST_MS = 10_000;
const MOST_BYTES = 300e6;
const INVALID = 3;

interface Outcome {
  readonly name: string;
  readonly refused: boolean;
  readonly ms: number;
  readonly peakMb: number;
  readonly said: string;
}

const outcomes: Outcome[] = [];
for (const tree of HOSTILE_TREES) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'sluice-hostile-'));
  try {
    const started = performance.now();
    await makeHostile(folder, tree);
    const made = ((performance.now() - started) / 1000).toFixed(0);
    const outcome = await refuse(folder, tree);
    outcomes.push(outcome);
    const { name, refused, ms, peakMb, said } = outcome;
    process.stdout.write(
      `${refused ? 'refused' : 'FAILED '}  ${name} (made in ${made} s): ${ms} ms, ${peakMb} MB\n         ${said}\n`,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}
const machine = {
  processors: os.availableParallelism(),
  memoryGb: Math.round(os.totalmem() / 1e9),
  node: process.version,
};
const results = path.join(PROGRAM_ROOT, 'bench', 'results');
await mkdir(results, { recursive: true });
await writeFile(
  path.join(results, 'fault-hostile-repository.json'),
  `${JSON.stringify({ machine, promise: { ms: MOST_MS, mb: MOST_BYTES / 1e6, exitCode: INVALID }, outcomes }, null, 2)}\n`,
);
process.exitCode = outcomes.every(({ refused }) => refused) ? 0 : 1;

/** By the built command line, as a CI would run it; git's memory counts too. */
async function refuse(folder: string, { name, refusal }: HostileTree): Promise<Outcome> {
  const bin = path.join(PROGRAM_ROOT, 'bin', 'sluice.mjs');
  const started = performance.now();
  const child = spawn(process.execPath, [bin, 'release', 'digest', '--repo', folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const memory = new PeakMemory(child.pid ?? 0);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const ms = Math.round(performance.now() - started);
  const bytes = memory.stop();
  const [first = ''] = said.split('\n');
  return {
    name,
    refused: code === INVALID && refusal.test(said) && ms <= MOST_MS && bytes <= MOST_BYTES,
    ...{ ms, peakMb: Math.round(bytes / 1e6), said: first },
  };
}
