import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { openBenchSystem, type BenchSystem } from './bench-system.ts';
import type { Benchmark } from './benchmark.ts';

const PIPELINES = 4;
const RUNS_EACH = 500;
const WAITS_EACH = 5;
const ALL = PIPELINES * RUNS_EACH * WAITS_EACH;
/** As long as `every`, so that each wait is looked at once. */
const LOOK_MS = 60_000;
const IDLE_MS = 30_000;
/** Of the clock of /proc. */
const TICK_MS = 10;

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

interface Usage {
  /** Of this process and of Postgres with its children, in each second. */
  readonly cpuMs: number;
  readonly heapMiB: number;
}

async function usage({ installation }: BenchSystem, ms: number): Promise<Usage> {
  const [row] = await installation.db.query<{ pid: number }[]>('select pg_backend_pid() as pid');
  const postmaster = (await statOf(String(row?.pid)))[1] ?? '';
  const [own, postgres] = [process.cpuUsage(), await postgresCpuMs(postmaster)];
  await pause(ms);
  const spent = process.cpuUsage(own);
  const cpuMs = (spent.user + spent.system) / 1000 + (await postgresCpuMs(postmaster)) - postgres;
  const { heapUsed, external } = process.memoryUsage();
  return { cpuMs: (cpuMs * 1000) / ms, heapMiB: (heapUsed + external) / 1024 ** 2 };
}

/** Of the postmaster, of what it started, and of what ended meanwhile. */
async function postgresCpuMs(postmaster: string): Promise<number> {
  let ticks = 0;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const fields = await statOf(pid);
    if (pid !== postmaster && fields[1] !== postmaster) continue;
    const times = fields.slice(11, pid === postmaster ? 15 : 13);
    ticks += times.reduce((sum, time) => sum + Number(time), 0);
  }
  return ticks * TICK_MS;
}

/** State, parent, …, user and system time, those of ended children: what stands behind the name, which may hold blanks. */
async function statOf(pid: string): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
