import { LineCounter } from 'yaml';
import type { CompiledPipeline } from '#core';
import { compilePipeline } from '../libs/dag/compile/compile-pipeline.ts';
import { Compiling } from '../libs/dag/compile/compiling.ts';
import { ProblemList } from '../libs/dag/source/problem-list.ts';
import { SourceMap } from '../libs/dag/source/source-map.ts';
import type { Benchmark } from './benchmark.ts';
import { PROMISED_FLOORS } from './benchmark.ts';
import { NOOP_MODULE, openBenchSystem, type BenchSystem } from './bench-system.ts';
import { queueFloorPerSecond } from './floors.ts';
import { median } from './quantile.ts';

const CHILDREN = 10_000;

export const wideMap: Benchmark = {
  name: 'L9',
  title: `1 → ${CHILDREN.toLocaleString('en')} → 1: a list of items from one task, a task run for each, one that follows them all`,
  measure: async () => {
    const files = {
      'map.yaml': [
        'name: map',
        'max_active_tasks: 100000',
        'tasks:',
        '  list: { node: map.mjs#list }',
        '  each:',
        '    needs: list',
        '    matrix: { n: "${{ tasks.list.outputs.items }}" }',
        `    max_fanout: ${CHILDREN}`,
        '    node: map.mjs#noop',
        '  last: { needs: each, node: map.mjs#noop }',
        '',
      ].join('\n'),
      'map.mjs': `${NOOP_MODULE}
export function list(ctx) { ctx.output('items', Array.from({ length: ${CHILDREN} }, (_, i) => i)); }
`,
    };
    const system = await openBenchSystem({ concurrency: 8, files });
    try {
      const idle = mebibytes();
      await system.run(['map']);
      const started: number[] = [];
      const peaks: number[] = [];
      for (let i = 0; i < 3; i++) {
        let peak = 0;
        const sampling = setInterval(() => (peak = Math.max(peak, mebibytes())), 50);
        await system.run(['map']);
        clearInterval(sampling);
        started.push(await secondsUntilAllStarted(system.installation.db));
        peaks.push(peak);
      }
      const floor = CHILDREN / (await queueFloorPerSecond(system.databaseUrl));
      return [
        {
          what: 'all children started',
          value: median(started),
          unit: 's',
          promise: 5,
          floor,
          floorIs: 'a bare SKIP LOCKED queue, batches of 100',
          promisedFloor: CHILDREN / PROMISED_FLOORS.queuePerSecond,
        },
        {
          what: 'memory of the scheduler',
          value: median(peaks),
          unit: 'MiB',
          promise: 400,
          floor: idle,
          floorIs: 'the same process before the first run',
          promisedFloor: null,
        },
      ];
    } finally {
      await system.close();
    }
  },
};

/** From the creation of the newest run to the start of its last attempt, as the database has them. */
async function secondsUntilAllStarted(db: { query<T>(sql: string): Promise<T> }): Promise<number> {
  const [row] = await db.query<{ seconds: number; children: number }[]>(
    `select extract(epoch from max(a.started_at) - min(r.created_at))::float8 as seconds, count(*)::int as children
     from run r join attempt a on a.run_id = r.id and a.task_id = 'each'
     where r.id = (select max(id) from run) group by r.id`,
  );
  if (row?.children !== CHILDREN) throw new Error(`${row?.children} of ${CHILDREN} children started`);
  return row.seconds;
}

const TASKS = 100_000;

export const bigGraph: Benchmark = {
  name: 'L10',
  title: '100,000 tasks with 300,000 edges, from the values of its file (the text would be over the limit of a file)',
  measure: async () => {
    const placeholder = 'name: big\ntasks: { t0: { node: noop.mjs#noop } }\n';
    const files = { 'big.yaml': placeholder, 'noop.mjs': NOOP_MODULE };
    const value = bigValue();
    const bare = secondsOf(() => JSON.parse(JSON.stringify(value)));
    const compiled: { pipeline: CompiledPipeline | null } = { pipeline: null };
    const compiling = secondsOf(() => (compiled.pipeline = compile(value)));
    const pipeline = compiled.pipeline as CompiledPipeline;
    const system = await openBenchSystem({ concurrency: 8, files });
    try {
      putInPlace(system, pipeline);
      const seconds = await system.run(['big']);
      return [
        {
          what: 'check and compile',
          value: compiling,
          unit: 's',
          promise: 3,
          floor: bare,
          floorIs: 'the same values written and read as JSON',
          promisedFloor: null,
        },
        {
          what: 'run, no-op in a warm process',
          value: seconds,
          unit: 's',
          promise: 60,
          floor: TASKS / (await queueFloorPerSecond(system.databaseUrl)),
          floorIs: 'a bare SKIP LOCKED queue, batches of 100',
          promisedFloor: TASKS / PROMISED_FLOORS.queuePerSecond,
        },
      ];
    } finally {
      await system.close();
    }
  },
};

/** Each task needs three before it, at distances of 1,000, 1,001 and 2,000: a hundred layers of a thousand tasks. */
function bigValue(): Record<string, unknown> {
  const tasks: Record<string, unknown> = {};
  for (let i = 0; i < TASKS; i++) {
    const needs = [1000, 1001, 2000].filter((back) => i >= back).map((back) => `t${i - back}`);
    tasks[`t${i}`] = { ...(needs.length > 0 && { needs }), node: 'noop.mjs#noop' };
  }
  return { name: 'big', max_active_tasks: 100_000, tasks };
}

/** From the values of a file, whose text would be over its limit. */
export function compile(value: Record<string, unknown>): CompiledPipeline {
  const problems = new ProblemList('big.yaml');
  const pipeline = compilePipeline(
    value,
    new Compiling('big.yaml', new SourceMap('', new LineCounter(), null), problems),
  );
  const [first] = problems.toArray();
  if (first !== undefined) throw new Error(first.message);
  return pipeline;
}

/** In place of what its name stands for in every release. */
export function putInPlace({ installation: { pipelines } }: BenchSystem, pipeline: CompiledPipeline): void {
  const stored = pipelines.get.bind(pipelines);
  pipelines.get = (release, name) => (name === pipeline.name ? Promise.resolve(pipeline) : stored(release, name));
}

function secondsOf(work: () => unknown): number {
  const started = performance.now();
  work();
  return (performance.now() - started) / 1000;
}

function mebibytes(): number {
  return process.memoryUsage.rss() / 1_048_576;
}
