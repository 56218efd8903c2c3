import { afterEach, expect, test } from '@jest/globals';
import { FAILURE, SUCCESS } from '../testing/scripted-executor.ts';
import { World } from '../testing/world.ts';

let world: World;
afterEach(() => world.close());

const HOUR = 3_600_000;
const REASON = /^2 scheduled runs failed in a row \(\d+, \d+\); max_consecutive_failed_runs is 2$/;

async function aWorld(more = ''): Promise<void> {
  world = await World.open({ at: '2026-01-05T00:30:00Z' });
  await world.release(`name: p
schedule: { cron: "0 * * * *", start: 2026-01-05, catchup: true }
max_consecutive_failed_runs: 2
alerts: [{ on: run.failed, to: "slack:#x" }]
${more}
tasks: { t: { run: "true" } }`);
  await world.tick();
}

/** An hour later: the run that is due then, ended so; it fires nothing while the pipeline is paused. */
async function nextHour(outcome = FAILURE): Promise<void> {
  await world.tick(world.clock.now().getTime() + HOUR);
  for (const name of world.executor.names()) await world.end(name, outcome);
}

async function pausedFor(): Promise<string | null> {
  const [row] = await world.db.query<{ paused: boolean; reason: string | null }[]>(
    "select paused, paused_reason as reason from schedule where pipeline = 'p'",
  );
  return row?.paused === true ? (row.reason ?? 'somebody') : null;
}
const alerts = () =>
  world.db.query<{ event: string; title: string }[]>(
    "select event, message ->> 'title' as title from alert_delivery where event = 'pipeline.paused'",
  );

test('after so many failures in a row it is paused, told of once, and noted; continuing it starts the count anew', async () => {
  await aWorld();
  await nextHour();
  await nextHour(SUCCESS);
  await nextHour();
  expect(await pausedFor()).toBeNull();
  await nextHour();
  expect(await pausedFor()).toMatch(REASON);
  expect(await alerts()).toEqual([
    { event: 'pipeline.paused', title: expect.stringContaining('p is paused in dev: 2 scheduled') },
  ]);
  const [entry] = await world.db.query<unknown[]>(
    "select actor, subject, environment, detail from audit where action = 'pipeline.pause'",
  );
  const noted = { actor: 'the scheduler', subject: 'p', environment: 'dev' };
  expect(entry).toEqual({ ...noted, detail: { reason: expect.stringMatching(REASON) } });
  await nextHour();
  expect(await world.runs('p')).toHaveLength(4);

  await world.commands.setPaused('dev', 'p', false, 'ann');
  await world.tick(world.clock.now().getTime() + HOUR);
  expect(world.executor.names()).toEqual(['t', 't']); // what was due meanwhile, too
  await world.end('t', FAILURE);
  expect(await pausedFor()).toBeNull();
  await world.end('t', FAILURE);
  expect(await pausedFor()).toMatch(REASON);
  expect(await alerts()).toHaveLength(2);
});

test('queued runs stay queued; a failure that was mended or marked success does not count', async () => {
  await aWorld();
  await nextHour();
  const [{ id }] = await world.db.query<[{ id: string }]>("select id from run where pipeline = 'p'");
  await world.commands.mark(id, { state: 'success', taskId: null, mapIndex: null, reason: 'r', actor: 'ann' });
  await nextHour();
  expect(await pausedFor()).toBeNull();
  const [{ id: second }] = await world.db.query<[{ id: string }]>("select max(id) as id from run where pipeline = 'p'");
  await world.commands.rerun(second, { mode: 'all', release: 'same', actor: 'ann' });
  await world.tick();
  await world.end('t', SUCCESS);
  await nextHour();
  expect(await pausedFor()).toBeNull();
  await nextHour();
  expect(await pausedFor()).toMatch(REASON);
  expect(world.problems).toEqual([]);
});

test('runs by hand do not count, nor do cancelled ones', async () => {
  await aWorld();
  for (let count = 0; count < 3; count++) {
    await world.run('p');
    await world.end('t', FAILURE);
  }
  await nextHour();
  await world.tick(world.clock.now().getTime() + HOUR);
  const [{ id }] = await world.db.query<[{ id: string }]>("select max(id) as id from run where pipeline = 'p'");
  await world.commands.cancel(id, 'ann');
  await world.scheduler.poke();
  await world.settle();
  expect([await pausedFor(), (await world.runs('p')).at(-1)]).toEqual([null, expect.stringContaining('cancelled')]);
  await nextHour();
  expect(await pausedFor()).toMatch(REASON);
});

test('what a crash left undone is done before the next fire', async () => {
  await aWorld();
  await nextHour();
  await nextHour();
  // As if the process had died between the end of the run and the pause.
  await world.db.query("update schedule set paused = false, paused_reason = null where pipeline = 'p'");
  await nextHour();
  expect([await pausedFor(), (await world.runs('p')).length]).toEqual([expect.stringMatching(REASON), 2]);
});

test('two processes see the same row of failures: it is paused and told of once', async () => {
  await aWorld('max_active_runs: 2');
  await world.tick(world.clock.now().getTime() + HOUR);
  await world.tick(world.clock.now().getTime() + HOUR);
  const { pauseFailing } = await import('./pause-failing.ts');
  const holder = world.db.createQueryRunner();
  await holder.startTransaction();
  await holder.query("select from schedule where pipeline = 'p' for update");
  for (const { attemptId } of [...world.executor.live.values()])
    world.executor.endAttempt(world.executor.live.get(attemptId)!, FAILURE);
  for (let ended = 0; ended < 2;)
    [{ ended }] = await world.db.query<[{ ended: number }]>(
      "select count(*)::int as ended from run where state = 'failed'",
    );
  const pipeline = await world.parts.pipelines.get('r1', 'p');
  const { store, alertDefaults } = world.parts;
  const other = pauseFailing({ store, alertDefaults }, { pipeline: pipeline!, environment: world.environment });
  await holder.commitTransaction();
  await holder.release();
  await other;
  await world.settle();
  expect(await pausedFor()).toMatch(REASON);
  expect(await alerts()).toHaveLength(1);
});
