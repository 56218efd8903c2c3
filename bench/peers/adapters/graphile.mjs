// graphile-worker: a queue without graphs, so that a table counts what each task still waits for.
import { createRequire } from 'node:module';
import path from 'node:path';
import { perform } from '../bodies/body.mjs';
import { pipelines, serve, spec } from './serve.mjs';

const peer = createRequire(path.join(spec.home, 'package.json'));
const { run: startWorker, makeWorkerUtils, Logger } = peer('graphile-worker');
const pg = peer('pg');
const pool = new pg.Pool({ connectionString: spec.databaseUrl, max: spec.parallelism + 4 });
await pool.query('create table if not exists waiting (run text, task text, left_over int, primary key (run, task))');
// A task counts once, however often it is tried.
await pool.query('create table if not exists ended (run text, task text, primary key (run, task))');

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
function allEnded(run, open) {
  return new Promise((resolve) => left.set(run, { open, resolve }));
}
function taskEnded(run) {
  const one = left.get(run);
  one.open--;
  if (one.open > 0) return;
  left.delete(run);
  one.resolve();
}

/** Jobs of one statement, as many as there are. */
const ADD_JOBS = `select graphile_worker.add_jobs(array(
  select row('task', json_build_object('run', $1::text, 'task', t), null, null, null, null, null, null)::graphile_worker.job_spec
  from unnest($2::text[]) t))`;

async function task({ run, task: id }, helpers) {
  const name = run.slice(0, run.lastIndexOf('#'));
  await perform(spec, run, tasks.get(`${name} ${id}`), helpers.job.attempts);
  const next = after.get(`${name} ${id}`) ?? [];
  const counts = await helpers.withPgClient(async (client) => {
    await client.query('begin');
    const { rowCount } = await client.query('insert into ended values ($1, $2) on conflict do nothing', [run, id]);
    if (rowCount > 0 && next.length > 0) {
      const { rows } = await client.query(
        `update waiting set left_over = left_over - 1 where run = $1 and task = any($2::text[]) returning task, left_over`,
        [run, next],
      );
      const ready = rows.filter(({ left_over }) => left_over === 0).map((row) => row.task);
      if (ready.length > 0) await client.query(ADD_JOBS, [run, ready]);
    }
    await client.query('commit');
    return rowCount > 0;
  });
  if (counts) taskEnded(run);
}

// What a worker held that was killed is locked for four hours, unless one says that it is gone.
const utils = await makeWorkerUtils({ pgPool: pool });
await utils.migrate();
const { rows: held } = await pool.query(
  'select distinct locked_by from graphile_worker.jobs where locked_by is not null',
);
await utils.forceUnlockWorkers(held.map(({ locked_by }) => locked_by));
const { rows: known } = await pool.query('select run, count(*)::int as ended from ended group by run');
const recovered = known
  .map(({ run, ended }) => ({ run, open: pipelines.get(run.slice(0, run.lastIndexOf('#'))).tasks.length - ended }))
  .filter(({ open }) => open > 0)
  .map(({ run, open }) => allEnded(run, open));

const tuned = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
const runner = await startWorker({
  pgPool: pool,
  concurrency: spec.parallelism,
  noHandleSignals: true,
  logger: new Logger(() => () => undefined),
  taskList: { task },
  ...(spec.settings === 'tuned' ? { preset: { worker: tuned } } : {}),
});

let runs = known.length;
await serve(
  async (names) => {
    const started = names.map((name) => ({ name, run: `${name}#${++runs}` }));
    const ends = started.map(({ name, run }) => allEnded(run, pipelines.get(name).tasks.length));
    await Promise.all(started.map(({ name, run }) => start(name, run)));
    await Promise.all(ends);
  },
  () => Promise.all(recovered),
);
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
