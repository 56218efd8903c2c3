import { readdirSync } from 'node:fs';
import { NOOP_MODULE, openBenchSystem, type BenchSystem } from './bench-system.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import { driftOf } from './drift.ts';
import { commitFloorMs } from './floors.ts';
import { quantile } from './quantile.ts';
import { deadRows, fullLoad, LOAD_FILE, steadyLoad } from './steady-load.ts';
import { keptMiB } from './usage.ts';

const SHARE = 0.6;
const HOURS = 6;
const WINDOWS = 12;
const MINUTES = { whole: 5, small: 0.5 };

interface Window {
  readonly p99Ms: number;
  readonly kept: { readonly sluice: number; readonly postgres: number };
  readonly deadRows: number;
  readonly fds: number;
}

export const soak: Benchmark = {
  name: 'L16',
  title: `task runs at ${SHARE * 100} % of the full rate for some minutes (\`--minutes\`), in ${WINDOWS} windows after a warm-up; the promise is about ${HOURS} hours`,
  hasSmallForm: true,
  measure: async ({ small, minutes: asked }) => {
    const minutes = asked ?? MINUTES[small ? 'small' : 'whole'];
    const files = { 'load.yaml': LOAD_FILE, 'noop.mjs': NOOP_MODULE };
    const system = await openBenchSystem({ concurrency: 8, files });
    try {
      await fullLoad(system, small ? 2 : 20);
      const perSecond = SHARE * (await fullLoad(system, small ? 2 : 10));
      const windowMs = (minutes * 60_000) / WINDOWS;
      // What memory and pages a new process needs is no drift.
      await steadyLoad(system, perSecond, 3 * windowMs);
      const windows: Window[] = [];
      for (let i = 0; i < WINDOWS; i++) {
        const window = await oneWindow(system, perSecond, windowMs);
        windows.push(window);
        process.stdout.write(`    ${i + 1} of ${WINDOWS}: ${await shown(window, system)}\n`);
      }
      return figures(windows, minutes);
    } finally {
      await system.close();
    }
  },
};

async function oneWindow(system: BenchSystem, perSecond: number, ms: number): Promise<Window> {
  const took = await steadyLoad(system, perSecond, ms);
  return {
    p99Ms: quantile(took, 0.99),
    kept: await keptMiB(system),
    deadRows: await deadRows(system),
    fds: readdirSync('/proc/self/fd').length,
  };
}

/** With what a commit takes just then: a machine that others slow down shows in all of it. */
async function shown({ p99Ms, kept, deadRows, fds }: Window, { databaseUrl }: BenchSystem): Promise<string> {
  const commitMs = await commitFloorMs(databaseUrl);
  return `p99 ${p99Ms.toFixed()} ms, ${kept.sluice.toFixed()} + ${kept.postgres.toFixed()} MiB, ${deadRows.toLocaleString('en')} dead rows, ${fds} files, a bare commit ${commitMs.toFixed(2)} ms`;
}

function figures(windows: readonly Window[], minutes: number): Figure[] {
  const drift = (what: string, of: (window: Window) => number, promise: number): Figure => {
    const { percent, error } = driftOf(windows.map(of));
    const longer = (HOURS * 60) / minutes;
    const shown = (value: number): string => Math.round(value).toLocaleString('en');
    return {
      what: `${what}: drift in ${minutes} min (at this slope ${shown(percent * longer)} ± ${shown(error * longer)} % in ${HOURS} h)`,
      ...{ unit: '%', value: percent, promise },
      ...{ floor: error, floorIs: 'standard error of this slope', promisedFloor: null },
    };
  };
  const most = (of: (window: Window) => number, from: number, to: number): number =>
    Math.max(...windows.slice(from, to).map(of));
  const half = windows.length / 2;
  const [files, dead] = [({ fds }: Window) => fds, (window: Window) => window.deadRows];
  // Of connections to Postgres some are open at one time and some at another.
  const before = most(files, 0, half);
  return [
    drift('p99 of a run', ({ p99Ms }) => p99Ms, 10),
    drift('memory that is kept after a collection, Sluice and Postgres', ({ kept }) => kept.sluice + kept.postgres, 5),
    {
      ...{ what: 'dead rows of hot tables, most', unit: 'rows', value: most(dead, 0, WINDOWS), promise: 50_000 },
      ...{ floor: most(dead, 0, 1), floorIs: 'in the first window', promisedFloor: null },
    },
    {
      ...{ what: 'open files of Sluice, most of the second half', unit: 'fds', value: most(files, half, WINDOWS) },
      ...{ promise: before, floor: before, floorIs: 'most of the first half', promisedFloor: null },
    },
  ];
}
