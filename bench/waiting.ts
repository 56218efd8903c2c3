import { setTimeout as pause } from 'node:timers/promises';
import { openBenchSystem, type BenchSystem } from './bench-system.ts';
import type { Benchmark } from './benchmark.ts';
import { usage } from './usage.ts';

const PIPELINES = 4;
const RUNS_EACH = 500;
const WAITS_EACH = 5;
const ALL = PIPELINES * RUNS_EACH * WAITS_EACH;
/** As long as `every`, so that each wait is looked at once. */
const LOOK_MS = 60_000;
const IDLE_MS = 30_000;

const waiting = (number: number): string => `name: p${number}
max_active_runs: ${RUNS_EACH}
tasks:
  a: { wait: { path: landing/x } }
  b: { wait: { dataset: other.raw } }
  c: { wait: { time: "2099-01-01T00:00:00Z" } }
  d: { wait: { expr: now < timestamp("2020-01-01T00:00:00Z") } }
  e: { approve: Go on? }
`;

export const waits: Benchmark = {
  name: 'W1',
  title: `${ALL.toLocaleString('en')} task runs that wait (a path, data, a time, an expression, a person; each looked at every minute), beside the same system idle`,
  measure: async () => {
    const files = Object.fromEntries(Array.from({ length: PIPELINES }, (_, n) => [`p${n}.yaml`, waiting(n)]));
    files['other.yaml'] = 'name: other\npaths: { raw: raw }\ntasks: { make: { run: "true", writes: [raw] } }\n';
    const system = await openBenchSystem({ files, concurrency: 2 });
    try {
      await pause(5_000);
      const idle = await usage(system, IDLE_MS);
      await startAll(system);
      await pause(5_000);
      const busy = await usage(system, LOOK_MS);
      return [
        {
          ...{ what: 'CPU a second, Sluice and Postgres', unit: 'ms', value: busy.cpuMs, promise: 100 },
          ...{ floor: idle.cpuMs, floorIs: 'the same system idle', promisedFloor: null },
        },
        {
          ...{ what: 'heap of Sluice', unit: 'MiB', value: busy.heapMiB, promise: 400 },
          ...{ floor: idle.heapMiB, floorIs: 'the same system idle', promisedFloor: null },
        },
      ];
    } finally {
      await system.close();
    }
  },
};

/** Resolves once every task run waits and no process owns a run. */
async function startAll({ installation }: BenchSystem): Promise<void> {
  for (let run = 0; run < RUNS_EACH; run++)
    await Promise.all(
      Array.from({ length: PIPELINES }, (_, n) =>
        installation.commands.trigger({ pipeline: `p${n}`, environment: 'dev', params: {}, actor: 'the benchmark' }),
      ),
    );
  for (;;) {
    const [row] = await installation.db.query<{ waits: number; parked: number }[]>(
      `select (select count(*)::int from task_run where state = 'waiting') as waits, (select count(*)::int from run where parked) as parked`,
    );
    if (row?.waits === ALL && row.parked === PIPELINES * RUNS_EACH) return;
    await pause(500);
  }
}
