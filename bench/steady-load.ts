import { setTimeout as pause } from 'node:timers/promises';
import type { BenchSystem } from './bench-system.ts';

/** Task runs of each run of the load. */
export const WIDTH = 500;

/** For `openBenchSystem`, which has the module `noop.mjs` besides. */
export const LOAD_FILE = `name: load\nmax_active_runs: 1000\nmax_active_tasks: 100000\ntasks:\n  each:\n    matrix: { n: [${Array.from({ length: WIDTH }, (_, n) => n).join(', ')}] }\n    max_fanout: ${WIDTH}\n    node: noop.mjs#noop\n`;

/** Task runs a second when each run follows the one before at once. */
export async function fullLoad(system: BenchSystem, runs: number): Promise<number> {
  let seconds = 0;
  for (let i = 0; i < runs; i++) seconds += await system.run(['load']);
  return (runs * WIDTH) / seconds;
}

/** Starts runs so that so many task runs a second are asked for, however slow they are; resolves when all have ended to how long each took, in the order of their start. */
export async function steadyLoad({ installation }: BenchSystem, perSecond: number, ms: number): Promise<number[]> {
  const { commands, db } = installation;
  const ids: string[] = [];
  const began = performance.now();
  for (let due = began; due < began + ms; due += (1000 * WIDTH) / perSecond) {
    await pause(Math.max(0, due - performance.now()));
    ids.push(await commands.trigger({ pipeline: 'load', environment: 'dev', params: {}, actor: 'the benchmark' }));
  }
  for (;;) {
    const [open] = await db.query<{ n: number }[]>(
      `select count(*)::int as n from run where state in ('queued', 'running')`,
    );
    if (open?.n === 0) break;
    await pause(50);
  }
  const rows = await db.query<{ state: string; ms: number }[]>(
    `select state, (extract(epoch from finished_at - created_at) * 1000)::float8 as ms
     from run where id = any($1::bigint[]) order by id`,
    [ids],
  );
  if (rows.some(({ state }) => state !== 'success')) throw new Error('a run of the load did not succeed');
  return rows.map((row) => row.ms);
}

/** Rows that no transaction sees any more and no vacuum has removed, in the tables that every task run writes to. */
export async function deadRows({ installation: { db } }: BenchSystem): Promise<number> {
  const [row] = await db.query<{ dead: number }[]>(
    `select coalesce(sum(n_dead_tup), 0)::int as dead from pg_stat_user_tables
     where relname = any('{run,task_run,attempt,pool,process,assignment,inbox}'::text[])`,
  );
  return row?.dead ?? 0;
}
