import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { packageRoot } from '#platform';
import { NOOP_MODULE, openBenchSystem, serveSystem, type BenchSystem } from './bench-system.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import { fillHistory } from './fill-history.ts';
import { quantile } from './quantile.ts';

const MILLIONS = 5;
/** Of the pipeline `big`. */
export const TASKS = 2000;
export const GRID_RUNS = 28;
const LOG_LINES = 5000;
const CONNECTIONS = 20;
const SECONDS = 15;

export const BIG_FILES = {
  'noop.mjs': NOOP_MODULE,
  'big.yaml': `name: big\nmax_active_tasks: 100000\ntasks:\n${Array.from({ length: TASKS }, (_, i) => `  t${i}: { node: noop.mjs#noop }\n`).join('')}`,
};

export const apiReads: Benchmark = {
  name: 'L14',
  title: `the API with ${MILLIONS} million task runs of history, ${CONNECTIONS} connections that each ask once a second, for ${SECONDS} s, from another process`,
  measure: async () => {
    const system = await openBenchSystem({ concurrency: 8, files: BIG_FILES });
    try {
      await fillHistory(system, MILLIONS * 1_000_000, ['big']);
      const runId = await bigRuns(system);
      const { db, logsFor } = system.installation;
      const writer = await logsFor('dev').open({ runId, taskId: 't0', mapIndex: 0, number: 1 });
      void writer.write(
        Array.from({ length: LOG_LINES }, (_, n) => ({ at: n, stream: 'out', text: `line ${n} of a log` })),
      );
      await writer.close();
      await db.query('vacuum analyze');
      return await readFigures(system, [
        LIST_OF_RUNS,
        { what: `a run with ${TASKS.toLocaleString('en')} tasks`, route: `/api/v1/runs/${runId}`, promise: 60 },
        gridRead('big', TASKS),
        {
          what: 'last 100 lines of a log',
          route: `/api/v1/runs/${runId}/tasks/t0/log?map=0&try=1&from=${LOG_LINES - 99}&limit=100`,
          promise: 50,
        },
      ]);
    } finally {
      await system.close();
    }
  },
};

/** What is asked for, and within how many milliseconds 99 of 100 answers are promised. */
export interface Read {
  readonly what: string;
  readonly route: string;
  readonly promise: number;
}

export const LIST_OF_RUNS: Read = { what: 'list of runs', route: '/api/v1/runs?env=dev&limit=50', promise: 60 };

export function gridRead(pipeline: string, tasks: number): Read {
  return {
    what: `grid of ${GRID_RUNS} × ${tasks.toLocaleString('en')}`,
    route: `/api/v1/pipelines/${pipeline}/grid?env=dev&runs=${GRID_RUNS}`,
    promise: 150,
  };
}

/** Serves the system's API and asks it for one thing after the other, each as the title of L14 says. */
export async function readFigures(system: BenchSystem, reads: readonly Read[]): Promise<Figure[]> {
  const { url, token, close } = await serveSystem(system);
  try {
    const p99 = async (route: string): Promise<number> => quantile(await askFor(`${url}${route}`, token), 0.99);
    const floor = await p99('/healthz');
    const figures: Figure[] = [];
    for (const { what, route, promise } of reads)
      figures.push({
        ...{ what: `${what}, p99`, unit: 'ms', value: await p99(route), promise },
        ...{ floor, floorIs: 'GET /healthz, p99', promisedFloor: null },
      });
    return figures;
  } finally {
    await close();
  }
}

/** As many runs of every task as the grid shows, by SQL like the rest of the history; the newest one's id. */
export async function bigRuns({ installation: { db } }: BenchSystem): Promise<string> {
  const [made] = await db.query<{ id: string }[]>(
    `with made as (
       insert into run (environment, pipeline, release, config_hash, trigger, why, params, state, counts, max_active_runs, queue_order,
                        created_at, started_at, finished_at)
       select 'dev', 'big', (select digest from release limit 1), 'h', 'manual', 'w', '{}', 'success', '{"success": ${TASKS}}', 16, i,
              now(), now(), now()
       from generate_series(1, ${GRID_RUNS}) i
       returning id, environment, pipeline
     ), filled as (
       insert into task_run (run_id, task_id, map_index, environment, pipeline, state, number, fence, pool, slots, priority,
                             ready_at, queued_at, started_at, finished_at)
       select id, 't' || t, 0, environment, pipeline, 'success', 1, 1, 'default', 1, 0, now(), now(), now(), now()
       from made, generate_series(0, ${TASKS - 1}) t
     )
     select max(id)::text as id from made`,
  );
  await db.query(
    `insert into attempt (run_id, task_id, map_index, number, fence, state, worker, queued_at, started_at, finished_at, exit_code)
     select run_id, task_id, 0, 1, 1, 'success', 'past', queued_at, started_at, finished_at, 0 from task_run where pipeline = 'big' and run_id > $1::bigint - ${GRID_RUNS}`,
    [made?.id],
  );
  return made?.id ?? '';
}

/** Milliseconds of each answer. The clients are a process of their own: in ours they would wait for the server's turn. */
async function askFor(url: string, token: string): Promise<number[]> {
  const client = spawn(
    process.execPath,
    [path.join(packageRoot(), 'bench', 'ask-again.mjs'), ...[url, String(CONNECTIONS), String(SECONDS)]],
    { env: { ...process.env, TOKEN: token }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let answer = '';
  client.stdout.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  const [code] = (await once(client, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${url}: the clients ended with ${code}`);
  return JSON.parse(answer) as number[];
}
