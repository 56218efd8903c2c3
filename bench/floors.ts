import { spawn } from 'node:child_process';
import { once } from 'node:events';
import pg from 'pg';
import { DEFAULT_PATH } from '#runner';
import { median } from './quantile.ts';

/** What the machine and Postgres can do without us, measured in the same run as what it is compared with. */

/** Median ms of a durable transaction of three statements, one after the other. */
export async function commitFloorMs(databaseUrl: string, times = 300): Promise<number> {
  return withClient(databaseUrl, async (client) => {
    await client.query('create table bench_floor (id int primary key, n int not null)');
    await client.query('insert into bench_floor select n, 0 from generate_series(1, 100) n');
    const took: number[] = [];
    for (let i = 0; i < times; i++) {
      const started = performance.now();
      await client.query('begin');
      await client.query('update bench_floor set n = n + 1 where id = $1', [(i % 100) + 1]);
      await client.query('commit');
      took.push(performance.now() - started);
    }
    await client.query('drop table bench_floor');
    return median(took);
  });
}

/** Tasks a second that one client claims and completes from a bare SKIP LOCKED queue, `batch` at a time. */
export async function queueFloorPerSecond(databaseUrl: string, tasks = 50_000, batch = 100): Promise<number> {
  return withClient(databaseUrl, async (client) => {
    await client.query('create table bench_queue (id int primary key, state int not null) with (fillfactor = 80)');
    await client.query('create index on bench_queue (id) where state = 0');
    await client.query('insert into bench_queue select n, 0 from generate_series(1, $1::int) n', [tasks]);
    await client.query('analyze bench_queue');
    const started = performance.now();
    for (let done = 0; done < tasks;) {
      const { rows } = await client.query<{ id: number }>(
        `update bench_queue set state = 1 where id in
           (select id from bench_queue where state = 0 order by id limit $1 for update skip locked) returning id`,
        [batch],
      );
      await client.query('update bench_queue set state = 2 where id = any($1::int[])', [rows.map(({ id }) => id)]);
      done += rows.length;
    }
    const seconds = (performance.now() - started) / 1000;
    await client.query('drop table bench_queue');
    return tasks / seconds;
  });
}

/** Median ms from starting a process to its end, one after the other. */
export async function spawnFloorMs(command: readonly string[], times = 100): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    const started = performance.now();
    await runToEnd(command);
    took.push(performance.now() - started);
  }
  return median(took);
}

/** Processes a second that a loop starts and waits for, `width` at once. */
export async function spawnFloorPerSecond(command: readonly string[], width: number, times = 1000): Promise<number> {
  let left = times;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (left-- > 0) await runToEnd(command);
    }),
  );
  return times / ((performance.now() - started) / 1000);
}

async function runToEnd([file = '', ...args]: readonly string[]): Promise<void> {
  const [code] = (await once(spawn(file, args, { stdio: 'ignore', env: { PATH: DEFAULT_PATH } }), 'exit')) as [
    number | null,
  ];
  if (code !== 0) throw new Error(`${file} ended with ${code}`);
}

async function withClient<T>(databaseUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
