import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '#platform';
import type { Benchmark, Figure } from './benchmark.ts';
import { NOOP_MODULE } from './bench-system.ts';
import { Cluster } from './fault/worker-cluster.ts';

const PIPELINES = 20;
const TASKS = 40;
/** Attempts at once, of all schedulers together. */
const SLOTS = 8;
const LOOK_MS = 20;
/** One session at every moment: with more they stand in line. */
const MOST_WAITS_MS = 1000;
/** One is measured before and after the others: what else the machine does meets it as it meets them. */
const SIZES = { whole: { runs: 200, counts: [1, 2, 4, 8, 1] }, small: { runs: 20, counts: [1, 2] } };

/** Chains of four side by side, so that readiness, admission and completion all have their part. */
const pipeline = (name: string): string =>
  `name: ${name}\ntasks:\n${Array.from(
    { length: TASKS },
    (_, i) => `  t${i}: { ${i % 4 === 0 ? '' : `needs: [t${i - 1}], `}pool: wide, node: noop.mjs#noop }\n`,
  ).join('')}`;

interface Measured {
  readonly schedulers: number;
  readonly perSecond: number;
  /** Milliseconds that sessions waited for rows that others had locked, in each second, all together. The audit trail's own lock is the API's. */
  readonly lockMs: number;
}

export const severalSchedulers: Benchmark = {
  name: 'L20',
  title: `${SIZES.whole.runs} runs of ${TASKS} no-op tasks by 2, 4 and 8 schedulers, each a process, ${SLOTS} task runs at once in all of them together`,
  hasSmallForm: true,
  measure: async ({ small }) => {
    const { runs, counts } = SIZES[small ? 'small' : 'whole'];
    const measured: Measured[] = [];
    for (const schedulers of counts) measured.push(await withSchedulers(schedulers, runs));
    const alone = measured.filter(({ schedulers }) => schedulers === 1);
    const mean = (of: (one: Measured) => number): number => alone.reduce((sum, one) => sum + of(one), 0) / alone.length;
    const [perSecond, lockMs] = [mean((one) => one.perSecond), mean((one) => one.lockMs)];
    return measured
      .filter(({ schedulers }) => schedulers > 1)
      .flatMap((one): Figure[] => [
        {
          ...{ what: `${one.schedulers} schedulers: task runs`, unit: '/s', value: one.perSecond },
          ...{ promise: Number(perSecond.toPrecision(3)), floor: perSecond, floorIs: 'one scheduler' },
          promisedFloor: null,
        },
        {
          ...{ what: `${one.schedulers} schedulers: waits for rows in a second, of all sessions`, unit: 'ms' },
          ...{
            value: one.lockMs,
            promise: MOST_WAITS_MS,
            floor: lockMs,
            floorIs: 'one scheduler',
            promisedFloor: null,
          },
        },
      ]);
  },
};

/** On a database of its own, so that each begins with the same. */
async function withSchedulers(schedulers: number, runs: number): Promise<Measured> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
  const postgres = await startEmbeddedPostgres({ dataFolder: path.join(folder, 'postgres'), connections: 150 });
  const names = Array.from({ length: PIPELINES }, (_, n) => `p${n}`);
  const files = Object.fromEntries(names.map((name) => [`dags/${name}.yaml`, pipeline(name)]));
  const project = await Cluster.project({ ...files, 'dags/noop.mjs': NOOP_MODULE });
  const cluster = await Cluster.startOn(
    project,
    { SLUICE_CONCURRENCY: String(SLOTS / schedulers) },
    { databaseUrl: postgres.url, schedulers },
  );
  const observer = new pg.Client({ connectionString: postgres.url });
  try {
    await observer.connect();
    // Each starts its warm processes and learns its plans.
    await runAll(cluster, names);
    const looks = new LockLooks(observer);
    const seconds = await runAll(
      cluster,
      Array.from({ length: runs }, (_, n) => names[n % PIPELINES] ?? ''),
    );
    return { schedulers, perSecond: (runs * TASKS) / seconds, lockMs: await looks.end() };
  } finally {
    await observer.end();
    await cluster.close();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Seconds from the first run's creation to the last one's end, by the database's clock. */
async function runAll(cluster: Cluster, pipelines: readonly string[]): Promise<number> {
  const ids = await Promise.all(pipelines.map(async (name) => (await cluster.trigger(name)).id));
  for (const id of ids) {
    const { state } = await cluster.server.endOf(id, 300_000);
    if (state !== 'success') throw new Error(`run ${id} ended as ${state}`);
  }
  const { rows } = await cluster.db.query<{ seconds: number }>(
    'select extract(epoch from max(finished_at) - min(created_at))::float8 as seconds from run where id = any($1::bigint[])',
    [ids],
  );
  return rows[0]?.seconds ?? NaN;
}

/** Looks every so often how many sessions wait for a row. */
class LockLooks {
  #looks = 0;
  #waiting = 0;
  #ended = false;
  readonly #looking: Promise<void>;

  constructor(private readonly observer: pg.Client) {
    this.#looking = this.#look();
  }

  /** Milliseconds of waiting in each second. */
  async end(): Promise<number> {
    this.#ended = true;
    await this.#looking;
    return (1000 * this.#waiting) / this.#looks;
  }

  async #look(): Promise<void> {
    while (!this.#ended) {
      const { rows } = await this.observer.query<{ n: number }>(
        `select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and wait_event <> 'advisory'`,
      );
      this.#looks += 1;
      this.#waiting += rows[0]?.n ?? 0;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}
