import { createHistoryCommands, systemClock } from '#platform';
import { NOOP_MODULE, openBenchSystem, type BenchSystem } from './bench-system.ts';
import type { Benchmark } from './benchmark.ts';
import { fillHistory } from './fill-history.ts';
import { median } from './quantile.ts';

const TASK_RUNS = 300_000;
const CHAIN = 40;
const CHAINS = 10;

const files = {
  'noop.mjs': NOOP_MODULE,
  'chain.yaml': `name: chain\ntasks:\n${Array.from(
    { length: CHAIN },
    (_, i) => `  t${i}: { ${i > 0 ? `needs: [t${i - 1}], ` : ''}node: noop.mjs#stamp }\n`,
  ).join('')}`,
};

export const retention: Benchmark = {
  name: 'R3',
  title: `runs past their retention move into archives, with ${TASK_RUNS.toLocaleString('en')} task runs to move and chains that run beside it`,
  measure: async () => {
    const system = await openBenchSystem({ concurrency: 4, files });
    try {
      await gapsMs(system, 2);
      await fillHistory(system, TASK_RUNS, ['chain']);
      const floorGap = median(await gapsMs(system, CHAINS));
      const bare = await bareDeletesPerSecond(system);
      const started = performance.now();
      const pruning = prune(system);
      const gap = median(await gapsMs(system, CHAINS));
      const moved = await pruning;
      const seconds = (performance.now() - started) / 1000;
      return [
        {
          ...{ what: 'task runs moved', unit: '/s', value: moved / seconds, promise: 1000 },
          ...{ floor: bare, floorIs: 'bare deletes of the same rows, without archive and rest', promisedFloor: null },
        },
        {
          ...{
            what: 'gap of L1 meanwhile, p50',
            unit: 'ms',
            value: gap,
            promise: Number((1.5 * floorGap).toPrecision(3)),
          },
          ...{ floor: floorGap, floorIs: 'the same before', promisedFloor: null },
        },
      ];
    } finally {
      await system.close();
    }
  },
};

async function gapsMs(system: BenchSystem, chains: number): Promise<number[]> {
  const gaps: number[] = [];
  for (let i = 0; i < chains; i++) {
    await system.run(['chain']);
    const stamps = await system.takeStamps();
    gaps.push(...stamps.slice(1).map(({ startMs }, n) => startMs - (stamps[n]?.endMs ?? 0)));
  }
  return gaps;
}

/** Task runs moved in the time that one request takes. */
async function prune({ installation }: BenchSystem): Promise<number> {
  const dev = installation.environments.get('dev');
  if (dev === null) throw new Error('there is no environment dev');
  const retained = { ...dev, config: { ...dev.config, retentionDays: 30 } };
  const environments = { get: () => retained, all: () => [retained] };
  const { pruneHistory } = createHistoryCommands({ ...installation, environments, clock: systemClock });
  const report = await pruneHistory({ dryRun: false }, 'the benchmark');
  return report.environments.reduce((sum, { taskRuns }) => sum + taskRuns, 0);
}

/** Task runs a second that leave with their runs and attempts, in batches as large as ours; rolled back. */
async function bareDeletesPerSecond({ installation: { db } }: BenchSystem): Promise<number> {
  const rolledBack = new Error('rolled back');
  let perSecond = 0;
  await db
    .transaction(async (manager) => {
      const runs = 200;
      const ids = (
        await manager.query<{ id: string }[]>(
          `select id::text from run where pipeline = 'past2' order by run.id limit ${runs}`,
        )
      ).map(({ id }) => id);
      const started = performance.now();
      for (const [table, column] of [
        ['task_run', 'run_id'],
        ['attempt', 'run_id'],
        ['metric', 'run_id'],
        ['run', 'id'],
      ])
        await manager.query(`delete from ${table} where ${column} = any($1::bigint[])`, [ids]);
      perSecond = (runs * 10) / ((performance.now() - started) / 1000);
      throw rolledBack;
    })
    .catch((error: unknown) => {
      if (error !== rolledBack) throw error;
    });
  return perSecond;
}
