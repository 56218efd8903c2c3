import { createStore } from '#store';
import { NOOP_MODULE, openBenchSystem, type BenchSystem } from './bench-system.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import { chain } from './chains.ts';
import { fillHistory, TASKS_OF_A_RUN } from './fill-history.ts';
import { median, quantile } from './quantile.ts';

const WIDTH = 10_000;
const CHAINS = 30;
const FANS = 3;
const CLAIMS = 30;
const CLAIMED = 100;
const SLOWER = 1.15;
const MILLION = 1_000_000;

const files = {
  'noop.mjs': NOOP_MODULE,
  'chain.yaml': chain('chain', 'node: noop.mjs#stamp'),
  'wide.yaml': `name: wide\nmax_active_tasks: 100000\ntasks:\n  each:\n    matrix: { n: [${Array.from({ length: WIDTH }, (_, i) => i).join(', ')}] }\n    max_fanout: ${WIDTH}\n    node: noop.mjs#noop\n`,
};

export const longHistory: Benchmark = {
  name: 'L13',
  title:
    'with 1 and 5 million ended task runs in the same tables, beside an empty system that does the same in turns: what L1, L5 and claiming cost',
  measure: async () => {
    const [empty, old] = [
      await openBenchSystem({ concurrency: 8, files }),
      await openBenchSystem({ concurrency: 8, files }),
    ];
    try {
      for (const system of [empty, old]) await measure(system, 1, 1, 2);
      const figures: Figure[] = [];
      for (const [millions, more] of [
        [1, MILLION],
        [5, 4 * MILLION],
      ] as const) {
        await fillHistory(old, more, ['chain', 'wide']);
        const floor = nothing();
        const value = nothing();
        // In turns: whatever else the machine does meets both.
        for (let turn = 0; turn < CHAINS; turn++)
          for (const [into, system] of [
            [floor, empty],
            [value, old],
          ] as const)
            add(into, await measure(system, 1, turn % Math.ceil(CHAINS / FANS) === 0 ? 1 : 0, CLAIMS / CHAINS));
        figures.push(...compare(millions, floor, value));
      }
      return figures;
    } finally {
      await empty.close();
      await old.close();
    }
  },
};

interface Measured {
  readonly gapsMs: number[];
  readonly perSecond: number[];
  readonly claimMs: number[];
}

const nothing = (): Measured => ({ gapsMs: [], perSecond: [], claimMs: [] });

function add(into: Measured, more: Measured): void {
  into.gapsMs.push(...more.gapsMs);
  into.perSecond.push(...more.perSecond);
  into.claimMs.push(...more.claimMs);
}

async function measure(system: BenchSystem, chains: number, fans: number, claims: number): Promise<Measured> {
  const measured = nothing();
  for (let i = 0; i < chains; i++) {
    await system.run(['chain']);
    const stamps = await system.takeStamps();
    measured.gapsMs.push(...stamps.slice(1).map(({ startMs }, n) => startMs - (stamps[n]?.endMs ?? 0)));
  }
  for (let i = 0; i < fans; i++) measured.perSecond.push(WIDTH / (await system.run(['wide'])));
  for (let i = 0; i < claims; i++) measured.claimMs.push(await claimMs(system));
  return measured;
}

/** Of runs that nobody owns, with their task runs; rolled back, so that the system's own scheduler never sees them. */
async function claimMs({ installation: { db } }: BenchSystem): Promise<number> {
  let took = 0;
  const rolledBack = new Error('rolled back');
  await db
    .transaction(async (manager) => {
      await manager.query(
        `with made as (
           insert into run (environment, pipeline, release, config_hash, trigger, why, params, state, max_active_runs, queue_order)
           select 'dev', 'chain', (select digest from release limit 1), 'h', 'manual', 'w', '{}', 'queued', ${CLAIMED}, i
           from generate_series(1, ${CLAIMED}) i
           returning id, environment, pipeline
         )
         insert into task_run (run_id, task_id, map_index, environment, pipeline, state, pool, slots, priority)
         select id, 't' || t, 0, environment, pipeline, 'ready', 'default', 1, 0
         from made, generate_series(0, ${TASKS_OF_A_RUN - 1}) t`,
      );
      const store = createStore(manager);
      let started = performance.now();
      // None while the system's own scheduler is at it.
      while ((await store.activateRuns(CLAIMED)) === 0) started = performance.now();
      const claimed = await store.claimRuns('the benchmark', CLAIMED);
      await store.loadTaskRuns(claimed.map(({ id }) => id));
      took = performance.now() - started;
      if (claimed.length !== CLAIMED) throw new Error(`claimed ${claimed.length} runs of ${CLAIMED}`);
      throw rolledBack;
    })
    .catch((error: unknown) => {
      if (error !== rolledBack) throw error;
    });
  return took;
}

function compare(millions: number, empty: Measured, old: Measured): Figure[] {
  const figure = (what: string, unit: 'ms' | '/s', value: number, floor: number): Figure => ({
    ...{ what: `${millions} M: ${what}`, unit, value, floor, floorIs: 'the empty system, in turns' },
    promise: Number((unit === '/s' ? floor / SLOWER : floor * SLOWER).toPrecision(3)),
    promisedFloor: null,
  });
  return [
    figure('gap of L1, p50', 'ms', median(old.gapsMs), median(empty.gapsMs)),
    figure('gap of L1, p99', 'ms', quantile(old.gapsMs, 0.99), quantile(empty.gapsMs, 0.99)),
    figure('task runs of L5', '/s', median(old.perSecond), median(empty.perSecond)),
    figure(`starting, claiming and loading ${CLAIMED} runs`, 'ms', median(old.claimMs), median(empty.claimMs)),
  ];
}
