import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { startEmbeddedPostgres } from '#platform';
import type { Benchmark } from './benchmark.ts';
import { NOOP_MODULE } from './bench-system.ts';
import { Cluster } from './fault/worker-cluster.ts';
import { median } from './quantile.ts';

const WIDTH = 2000;
const ITEMS = Array.from({ length: WIDTH }, (_, i) => i).join(', ');
const PIPELINE = `name: wide\nmax_active_tasks: 100000\ntasks:\n  each:\n    matrix: { n: [${ITEMS}] }\n    max_fanout: ${WIDTH}\n    node: noop.mjs#noop\n`;

/** From the API over Postgres, Redis, a worker's claim and report back to the commit of the end. */
export const queueThroughput: Benchmark = {
  name: 'L21',
  title: 'no-op task runs a second through the queue executor, two workers of four, fan-out of 2,000, fully recorded',
  measure: async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
    const postgres = await startEmbeddedPostgres({ dataFolder: path.join(folder, 'postgres') });
    const cluster = await Cluster.start(
      { 'dags/wide.yaml': PIPELINE, 'dags/noop.mjs': NOOP_MODULE },
      { databaseUrl: postgres.url, redisProgram: process.env.SLUICE_TEST_REDIS ?? 'redis-server' },
    );
    try {
      await Promise.all([cluster.worker(), cluster.worker()]);
      await run(cluster);
      const rates: number[] = [];
      const floors: number[] = [];
      for (let i = 0; i < 3; i++) {
        rates.push(WIDTH / (await run(cluster)));
        floors.push(await bullmqFloorPerSecond(cluster.redis.url));
      }
      return [
        {
          what: 'task runs',
          value: median(rates),
          unit: '/s',
          promise: 400,
          floor: median(floors),
          floorIs: 'bare BullMQ jobs that do nothing, two workers of four in one process',
          promisedFloor: null,
        },
      ];
    } finally {
      await cluster.close();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** Seconds, by the database's clock. */
async function run(cluster: Cluster): Promise<number> {
  const { id } = await cluster.trigger('wide');
  const { state } = await cluster.server.endOf(id, 300_000);
  if (state !== 'success') throw new Error(`run ${id} ended as ${state}`);
  const { rows } = await cluster.db.query<{ seconds: number }>(
    'select extract(epoch from finished_at - created_at)::float8 as seconds from run where id = $1',
    [id],
  );
  return rows[0]!.seconds;
}

async function bullmqFloorPerSecond(url: string): Promise<number> {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  const queue = new Queue('floor', { connection: redis, prefix: 'floor' });
  let left = WIDTH;
  let done = (): void => undefined;
  const all = new Promise<void>((resolve) => (done = resolve));
  const work = (): Promise<void> => {
    if (--left === 0) done();
    return Promise.resolve();
  };
  const began = performance.now();
  const options = { connection: redis, prefix: 'floor', concurrency: 4, removeOnComplete: { count: 0 } };
  const workers = [new Worker('floor', work, options), new Worker('floor', work, options)];
  for (let at = 0; at < WIDTH; at += 500)
    await queue.addBulk(Array.from({ length: 500 }, (_, i) => ({ name: 'job', data: { attempt: String(at + i) } })));
  await all;
  const seconds = (performance.now() - began) / 1000;
  await Promise.all([...workers, queue].map((one) => one.close()));
  redis.disconnect();
  return WIDTH / seconds;
}
