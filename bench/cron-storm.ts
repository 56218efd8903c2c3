import pg from 'pg';
import { type Benchmark, type Figure } from './benchmark.ts';
import { NOOP_MODULE, openBenchSystem } from './bench-system.ts';

const PIPELINES = 10_000;

/** Every pipeline is due at the beginning of each minute, and does next to nothing. */
function pipelineText(i: number): string {
  return `name: p${i}\nschedule: "* * * * *"\nmax_active_runs: 1\ntasks: { work: { node: noop.mjs#noop } }\n`;
}

export const cronStorm: Benchmark = {
  name: 'L11',
  title: `${PIPELINES.toLocaleString('en')} pipelines due at one second, the runs taken and executed meanwhile`,
  measure: async () => {
    const names = Array.from({ length: PIPELINES }, (_, i) => `p${i}`);
    const files = Object.fromEntries(names.map((name, i) => [`${name}.yaml`, pipelineText(i)]));
    const system = await openBenchSystem({
      files: { ...files, 'noop.mjs': NOOP_MODULE },
      concurrency: 2,
      firesSchedules: true,
    });
    try {
      const { db } = system.installation;
      const storm = await firstWholeStorm(db);
      const [figures] = (await db.query(
        `select count(*)::int as runs, count(distinct pipeline)::int as pipelines,
                percentile_cont(0.99) within group (order by extract(epoch from created_at - interval_end))::float8 as p99
         from run where interval_end = $1`,
        [storm],
      )) as { runs: number; pipelines: number; p99: number }[];
      if (figures?.runs !== PIPELINES || figures.pipelines !== PIPELINES)
        throw new Error(`${figures?.runs} runs of ${figures?.pipelines} pipelines: missed or doubled`);
      const floor = await insertFloorS(system.databaseUrl);
      const lag: Figure = {
        what: 'creation lag p99; none missed, none doubled',
        value: figures.p99,
        unit: 's',
        promise: 2,
        floor,
        floorIs: 'bare inserts of as many runs, 500 a commit',
        promisedFloor: null,
      };
      return [lag];
    } finally {
      await system.close();
    }
  },
};

/** The first minute that every pipeline was there for from its beginning, once all its runs are created. */
async function firstWholeStorm(db: { query(sql: string, values?: unknown[]): Promise<unknown> }): Promise<string> {
  for (;;) {
    const [row] = (await db.query(
      `select r.interval_end as at from run r
       where r.interval_end > (select max(activated_at) from schedule)
       group by r.interval_end having count(*) >= $1 order by 1 limit 1`,
      [PIPELINES],
    )) as { at: string }[];
    if (row) return row.at;
    const [{ slow } = { slow: false }] = (await db.query(
      `select (select max(activated_at) from schedule) < now() - interval '5 minutes' as slow`,
    )) as { slow: boolean }[];
    if (slow) throw new Error('not every pipeline had its run after five minutes');
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function insertFloorS(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('create table floor_run (like run including all)');
    const started = performance.now();
    for (let done = 0; done < PIPELINES; done += 500)
      await client.query(
        `insert into floor_run (environment, pipeline, release, config_hash, trigger, why, params, state, max_active_runs, queue_order)
         select 'dev', 'p' || i, 'r', 'c', 'schedule', 'w', '{}', 'queued', 1, i from generate_series(1, 500) i`,
      );
    return (performance.now() - started) / 1000;
  } finally {
    await client.end();
  }
}
