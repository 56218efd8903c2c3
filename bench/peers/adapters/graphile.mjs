// graphile-worker: a queue without graphs, so that a table counts what each task still waits for.
import { createRequire } from 'node:module';
import path from 'node:path';
import { perform } from '../bodies/body.mjs';
import { pipelines, serve, spec } from './serve.mjs';

const peer = createRequire(path.join(spec.home, 'package.json'));
const { run: startWorker, Logger } = peer('graphile-worker');
const pg = peer('pg');
const pool = new pg.Pool({ connectionString: spec.databaseUrl, max: spec.parallelism + 4 });
await pool.query('create table waiting (run text, task text, left_over int, primary key (run, task))');

const tasks = new Map();
const after = new Map();
for (const { name, tasks: all } of pipelines.values())
  for (const task of all) {
    tasks.set(`${name} ${task.id}`, task);
    for (const id of task.needs) {
      const key = `${name} ${id}`;
      if (!after.has(key)) after.set(key, []);
      after.get(key).push(task.id);
    }
  }

const left = new Map();
let finished = () => undefined;
function taskEnded(run) {
  const open = left.get(run) - 1;
  left.set(run, open);
  if (open === 0) left.delete(run);
  if (left.size === 0) finished();
}

/** Jobs of one statement, as many as there are. */
const ADD_JOBS = `select graphile_worker.add_jobs(array(
  select row('task', json_build_object('run', $1::text, 'task', t), null, null, 1, null, null, null)::graphile_worker.job_spec
  from unnest($2::text[]) t))`;

async function task({ run, task: id }, helpers) {
  const name = run.slice(0, run.lastIndexOf('#'));
  await perform(spec, run, tasks.get(`${name} ${id}`), helpers.job.attempts);
  const next = after.get(`${name} ${id}`) ?? [];
  if (next.length > 0)
    await helpers.withPgClient(async (client) => {
      await client.query('begin');
      const { rows } = await client.query(
        `update waiting set left_over = left_over - 1 where run = $1 and task = any($2::text[]) returning task, left_over`,
        [run, next],
      );
      const ready = rows.filter(({ left_over }) => left_over === 0).map((row) => row.task);
      if (ready.length > 0) await client.query(ADD_JOBS, [run, ready]);
      await client.query('commit');
    });
  taskEnded(run);
}

const tuned = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
const runner = await startWorker({
  pgPool: pool,
  concurrency: spec.parallelism,
  noHandleSignals: true,
  logger: new Logger(() => () => undefined),
  taskList: { task },
  ...(spec.settings === 'tuned' ? { preset: { worker: tuned } } : {}),
});

let runs = 0;
await serve(async (names) => {
  const all = new Promise((resolve) => (finished = resolve));
  const started = names.map((name) => ({ name, run: `${name}#${++runs}` }));
  for (const { name, run } of started) left.set(run, pipelines.get(name).tasks.length);
  await Promise.all(started.map(({ name, run }) => start(name, run)));
  await all;
});
await runner.stop();
await pool.end();

async function start(name, run) {
  const all = pipelines.get(name).tasks;
  const behind = all.filter(({ needs }) => needs.length > 0);
  const first = all.filter(({ needs }) => needs.length === 0).map(({ id }) => id);
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('insert into waiting select $1, * from unnest($2::text[], $3::int[])', [
      run,
      behind.map(({ id }) => id),
      behind.map(({ needs }) => needs.length),
    ]);
    await client.query(ADD_JOBS, [run, first]);
    await client.query('commit');
  } finally {
    client.release();
  }
}
