import { openBenchSystem, NOOP_MODULE, type BenchSystem } from './bench-system.ts';
import type { Benchmark } from './benchmark.ts';
import { quantile } from './quantile.ts';

const BLOCKED = 5_000;
const RUNS = 1_500;

const files = {
  'noop.mjs': NOOP_MODULE,
  // One holds the only slot of its pool for as long as the benchmark lasts; the others are ready, and wait for it.
  'blocked.yaml': [
    'name: blocked',
    'tasks:',
    '  holder: { run: sleep 3600, pool: narrow, priority: 9 }',
    '  many:',
    `    matrix: { n: [${Array.from({ length: BLOCKED }, (_, n) => n).join(', ')}] }`,
    `    max_fanout: ${BLOCKED}`,
    '    node: noop.mjs#noop',
    '    pool: narrow',
    '',
  ].join('\n'),
  'one.yaml': 'name: one\ntasks: { a: { node: noop.mjs#noop } }\n',
  'chain.yaml': [
    'name: chain',
    'tasks:',
    '  a: { node: noop.mjs#noop }',
    '  b: { needs: a, node: noop.mjs#noop }',
    '  c: { needs: b, node: noop.mjs#noop }',
    '',
  ].join('\n'),
  'wide.yaml': [
    'name: wide',
    'tasks:',
    '  a: { node: noop.mjs#noop }',
    '  b: { needs: a, matrix: { n: [1, 2, 3, 4] }, node: noop.mjs#noop }',
    '  c: { needs: b, node: noop.mjs#noop }',
    '',
  ].join('\n'),
};
const MIXED = ['one', 'chain', 'wide'];

export const blockedBacklog: Benchmark = {
  name: 'L8',
  title: `${RUNS.toLocaleString('en')} small runs (one task, a chain, a fan-out) one after another beside ${BLOCKED.toLocaleString('en')} task runs that wait for a full pool`,
  measure: async () => {
    const system = await openBenchSystem({ concurrency: 4, files, pools: { narrow: 1 } });
    try {
      // As many as are measured: the first ones of an installation meet smaller tables than any later one.
      await runMixed(system, RUNS);
      const empty = await runMixed(system, RUNS);
      const { commands, db } = system.installation;
      await commands.trigger({ pipeline: 'blocked', environment: 'dev', params: {}, actor: 'the benchmark' });
      await untilBlocked(db);
      const beside = await runMixed(system, RUNS);
      return [0.5, 0.99].map((share) => {
        const floor = quantile(empty, share);
        return {
          ...{ what: `from the trigger to the end, p${share * 100}`, unit: 'ms', value: quantile(beside, share) },
          ...{
            promise: Number((1.2 * floor).toPrecision(3)),
            floor,
            floorIs: 'the same runs in the empty system',
            promisedFloor: null,
          },
        };
      });
    } finally {
      await system.close();
    }
  },
};

/** Milliseconds of each run. */
async function runMixed(system: BenchSystem, runs: number): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < runs; i++) took.push((await system.run([MIXED[i % MIXED.length] ?? ''])) * 1000);
  return took;
}

async function untilBlocked(db: BenchSystem['installation']['db']): Promise<void> {
  for (;;) {
    const [row] = await db.query<{ ready: number; running: number }[]>(
      `select count(*) filter (where state = 'ready')::int as ready,
              count(*) filter (where state = 'running')::int as running
       from task_run where pipeline = 'blocked'`,
    );
    if (row?.ready === BLOCKED && row.running === 1) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
