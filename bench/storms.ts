import { setTimeout as pause } from 'node:timers/promises';
import { gridRead, LIST_OF_RUNS, readFigures } from './api-reads.ts';
import { openBenchSystem, NOOP_MODULE, type BenchSystem } from './bench-system.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import { chain, FIBO } from './chains.ts';
import { driftOf } from './drift.ts';
import { fillHistory } from './fill-history.ts';
import { queueFloorPerSecond } from './floors.ts';
import { median } from './quantile.ts';

const PIPELINES = 500;
const TASKS = 30;
const HISTORY = 1_000_000;
const MINUTES = 30;
const CHAINS = 10;
const SLOWER = 1.15;

/** Three branches of ten in a row. */
const STORM_TASKS = Array.from(
  { length: TASKS },
  (_, n) => `  t${n}: { ${n < 3 ? '' : `needs: [t${n - 3}], `}node: noop.mjs#noop }\n`,
).join('');

/** Airflow is fine with this at the start and ten minutes late after half a day (its issue 54283). */
export const storms: Benchmark = {
  name: 'W11',
  title: `${PIPELINES} pipelines of ${TASKS} no-op tasks due each minute, for ${MINUTES} minutes (or \`--minutes\`), with a million ended task runs in the same tables; W2 before and after, the API after`,
  measure: async ({ minutes }) => {
    const names = Array.from({ length: PIPELINES }, (_, n) => `storm${n}`);
    const system = await openBenchSystem({
      concurrency: 8,
      files: {
        'noop.mjs': NOOP_MODULE,
        'fibo.py': FIBO,
        'w2.yaml': chain('w2', 'python: "fibo.py:main"'),
        ...Object.fromEntries(
          names.map((name) => [`${name}.yaml`, `name: ${name}\nschedule: "* * * * *"\ntasks:\n${STORM_TASKS}`]),
        ),
      },
      firesSchedules: true,
    });
    try {
      await lagsS(system, 1);
      const before = await chainS(system);
      await fillHistory(system, HISTORY, names);
      const lags = await lagsS(system, minutes ?? MINUTES);
      // Between two storms, all of it: the last one has just ended.
      const after = await chainS(system);
      const reads = await readFigures(system, [LIST_OF_RUNS, gridRead('storm0', TASKS)]);
      return [...(await lagFigures(system, lags)), chainFigure(before, after), ...reads];
    } finally {
      await system.close();
    }
  },
};

/** Of so many minutes from now on, once all is over: seconds from each one's beginning until its last run had ended. */
async function lagsS({ installation: { db } }: BenchSystem, minutes: number): Promise<number[]> {
  const [since] = await db.query<{ at: string }[]>('select now()::text as at');
  for (let looks = 0; ; looks++) {
    const rows = await db.query<{ runs: number; open: number; failed: number; lag: number }[]>(
      `select count(*)::int as runs, count(*) filter (where finished_at is null)::int as open,
              count(*) filter (where state not in ('queued', 'running', 'success'))::int as failed,
              max(extract(epoch from finished_at - interval_end))::float8 as lag
       from run where interval_end > $1::timestamptz and trigger = 'schedule'
       group by interval_end order by interval_end limit $2`,
      [since?.at, minutes],
    );
    if (rows.some(({ failed, runs }) => failed > 0 || runs > PIPELINES)) throw new Error('a run failed or was doubled');
    if (rows.length === minutes && rows.every(({ open, runs }) => open === 0 && runs === PIPELINES))
      return rows.map(({ lag }) => lag);
    if (looks > (minutes + 5) * 60)
      throw new Error(`after ${looks} s of ${minutes} min: ${JSON.stringify(rows.slice(-3))}`);
    await pause(1000);
  }
}

/** Seconds of each chain. */
async function chainS(system: BenchSystem): Promise<number[]> {
  await system.run(['w2']);
  const took: number[] = [];
  for (let i = 0; i < CHAINS; i++) took.push(await system.run(['w2']));
  return took;
}

async function lagFigures(system: BenchSystem, lags: readonly number[]): Promise<Figure[]> {
  const { percent, error } = driftOf(lags);
  return [
    {
      ...{ what: 'from a minute until its 15,000 task runs have ended, the slowest', unit: 's' },
      ...{ value: Math.max(...lags), promise: 60, promisedFloor: null },
      floor: (PIPELINES * TASKS) / (await queueFloorPerSecond(system.databaseUrl)),
      floorIs: 'a bare SKIP LOCKED queue, batches of 100',
    },
    {
      ...{ what: `the same: drift in ${lags.length} min`, unit: '%', value: percent, promise: 10 },
      ...{ floor: error, floorIs: 'standard error of this slope', promisedFloor: null },
    },
  ];
}

function chainFigure(before: readonly number[], after: readonly number[]): Figure {
  const floor = median(before);
  return {
    ...{
      what: '40 × fibo(10), p50',
      unit: 's',
      value: median(after),
      promise: Number((floor * SLOWER).toPrecision(3)),
    },
    ...{ floor, floorIs: 'the same before', promisedFloor: null },
  };
}
