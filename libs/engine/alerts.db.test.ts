import { afterEach, expect, test } from '@jest/globals';
import { FAILURE } from '../testing/scripted-executor.ts';
import { World } from '../testing/world.ts';

let world: World;
afterEach(() => world.close());

const ALERTS = `
alerts:
  slack: { channel: "#data" }
  on: [run.failed, run.late, run.recovered, task.retrying]`;

interface Row {
  readonly event: string;
  readonly target: string;
  readonly runId: string;
  readonly title: string;
  readonly state: string;
  readonly xmin: string;
}

function outbox(): Promise<Row[]> {
  return world.db.query<Row[]>(
    `select event, target, run_id::text as "runId", message->>'title' as title, state, xmin::text from alert_delivery order by id`,
  );
}

/** The transaction that wrote a row last. */
async function transactionOf(table: 'run' | 'task_run', runId: string): Promise<string> {
  const [row] = await world.db.query<{ xmin: string }[]>(
    `select xmin::text from ${table} where ${table === 'run' ? 'id' : 'run_id'} = $1`,
    [runId],
  );
  return row!.xmin;
}

async function aWorld(pipeline: string, environment = ALERTS): Promise<World> {
  world = await World.open({ environment });
  return world.release(pipeline);
}

test('task.retrying and run.failed are written by the transactions that write the states', async () => {
  await aWorld(`
name: p
alerts: [{ on: [run.failed], to: [email:ml@acme.example] }]
tasks: { a: { run: "true", retries: { max: 1, delay: 1m, jitter: 0 } } }`);
  const id = await world.run('p');
  await world.end('a', FAILURE);
  const [retrying] = await outbox();
  expect(retrying).toMatchObject({
    event: 'task.retrying',
    target: 'slack:#data',
    runId: id,
    title: 'Task "a" failed on try 1 and will be tried again: exit code 3',
    state: 'pending',
    xmin: await transactionOf('task_run', id),
  });
  await world.wait(60_000);
  await world.end('a', FAILURE);
  const failed = (await outbox()).slice(1);
  const xmin = await transactionOf('run', id);
  const title = 'Task "a" failed on try 2 of 2: exit code 3';
  expect(failed).toEqual([
    { event: 'run.failed', target: 'email:ml@acme.example', runId: id, title, state: 'pending', xmin },
    { event: 'run.failed', target: 'slack:#data', runId: id, title, state: 'pending', xmin },
  ]);
});

test('run.recovered goes with the success that mends, about the run that failed, once', async () => {
  await aWorld(`name: p\ntasks: { a: { run: "true" } }`);
  const id = await world.run('p');
  await world.end('a', FAILURE);
  const again = await world.commands.rerun(id, { mode: 'failed', release: 'same', actor: 'ann' });
  await world.tick();
  await world.end('a');
  const rows = await outbox();
  expect(rows.map(({ event, runId }) => `${event} ${runId}`)).toEqual([`run.failed ${id}`, `run.recovered ${id}`]);
  expect(rows[1]).toMatchObject({ title: `Run ${again} succeeded`, xmin: await transactionOf('run', again) });
  await world.run('p');
  await world.endAll();
  expect(await outbox()).toHaveLength(2);
});

test('run.late is raised once, queued runs included, in the commit that marks the run', async () => {
  await aWorld(`name: p\nmax_active_runs: 1\ndeadline: 10m\ntasks: { a: { run: "true" } }`);
  const running = await world.run('p');
  const queued = await world.run('p');
  await world.tick();
  expect(await outbox()).toEqual([]);
  await world.db.query(`update run set deadline_at = now() - interval '1 second'`);
  await world.tick();
  await world.tick();
  const rows = await outbox();
  expect(rows.map(({ event, runId, title }) => ({ event, runId, title }))).toEqual([
    { event: 'run.late', runId: running, title: `Run ${running} is running past its deadline of 600 s` },
    { event: 'run.late', runId: queued, title: `Run ${queued} is queued past its deadline of 600 s` },
  ]);
  expect(rows[1]?.xmin).toBe(await transactionOf('run', queued));
});

test('a run that ends in time raises nothing; a muted event has no row; a time-out is a failure', async () => {
  await aWorld(
    `name: p\ndeadline: 1h\nrun_timeout: 1m\ntasks: { a: { run: "true", retries: { max: 1, jitter: 0 } } }`,
    `${ALERTS}\n  mute: [task.retrying]`,
  );
  const id = await world.run('p');
  await world.end('a', FAILURE);
  await world.tick(world.clock.now().getTime() + 61_000);
  expect((await outbox()).map(({ event, title }) => `${event}: ${title}`)).toEqual([
    'run.failed: took longer than its run_timeout',
  ]);
  await world.db.query(`update run set deadline_at = now() - interval '1 second' where id = $1`, [id]);
  await world.tick();
  expect(await outbox()).toHaveLength(1);
});
