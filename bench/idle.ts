import { setTimeout as pause } from 'node:timers/promises';
import { openBenchSystem } from './bench-system.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import { median } from './quantile.ts';
import { usage, type Usage } from './usage.ts';

const PIPELINES = 10_000;
/** Reading ten thousand files leaves garbage and dirty pages behind, which are not what idling costs. */
const SETTLE_MS = 20_000;
/**
 * V8 collects that garbage at a time of its choice, up to a minute and a half later, for 300 to 800 ms and only once: the window
 * in which it does costs several times as much as the others, and the median is what idling costs.
 */
const WINDOW_MS = 15_000;
const WINDOWS = 7;

const pipeline = (name: string): string => `name: ${name}
schedule: { cron: "0 3 1 1 *", start: 2026-01-01 }
tasks:
  a: { run: "true" }
  b: { needs: a, run: "true" }
`;

export const idle: Benchmark = {
  name: 'L17',
  title: `${PIPELINES.toLocaleString('en')} pipelines with schedules of which none is due, in all processes, beside one such pipeline`,
  measure: async () => {
    const [one, many] = [await idleWith(1), await idleWith(PIPELINES)];
    const figure = (what: string, unit: Figure['unit'], of: (usage: Usage) => number, promise: number): Figure => ({
      ...{ what, unit, value: of(many), promise },
      ...{ floor: of(one), floorIs: 'one pipeline', promisedFloor: null },
    });
    return [
      figure('CPU a second, Sluice and Postgres, median of seven windows of 15 s', 'ms', ({ cpuMs }) => cpuMs, 10),
      figure('memory, Sluice and Postgres', 'MiB', ({ memoryMiB }) => memoryMiB, 500),
      figure('transactions a minute', 'tx', ({ commits }) => commits * 60, 1200),
    ];
  },
};

async function idleWith(pipelines: number): Promise<Usage> {
  const names = Array.from({ length: pipelines }, (_, n) => `p${n}`);
  const system = await openBenchSystem({
    files: Object.fromEntries(names.map((name) => [`${name}.yaml`, pipeline(name)])),
    ...{ concurrency: 2, firesSchedules: true },
  });
  try {
    await pause(SETTLE_MS);
    const windows: Usage[] = [];
    for (let i = 0; i < WINDOWS; i += 1) windows.push(await usage(system, WINDOW_MS));
    return {
      ...windows.at(-1)!,
      cpuMs: median(windows.map(({ cpuMs }) => cpuMs)),
      commits: median(windows.map(({ commits }) => commits)),
    };
  } finally {
    await system.close();
  }
}
