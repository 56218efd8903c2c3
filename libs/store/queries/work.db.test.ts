import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { Assignment, AssignmentStore, AttemptResult, EngineStore, PlacementStore, WorkStore } from '#core';
import { connectDatabase, createAssignmentStore, createPlacementStore, createStore, createWorkStore } from '#store';
import { createTestDatabase, type TestDatabase } from '#testing';

let database: TestDatabase;
let db: DataSource;
let store: EngineStore;
let assignments: AssignmentStore;
let work: WorkStore;
let placements: PlacementStore;
const ann = { worker: 'worker-ann', keyHash: 'a' };
const bob = { worker: 'worker-bob', keyHash: 'b' };

beforeAll(async () => {
  database = await createTestDatabase();
  db = await connectDatabase(database.url);
  [store, assignments, work] = [createStore(db), createAssignmentStore(db), createWorkStore(db)];
  placements = createPlacementStore(db);
  const release = { digest: 'd1', alias: 'd1', commit: null, branch: null, author: null, message: null, dirty: true };
  for (const environment of ['dev', 'dev/pr-1', 'prod']) {
    const { currentRelease, pointAt, applyEnvironment } = store;
    await pointAt(environment, release, (await currentRelease(environment))?.seq ?? 0, 'test');
    await applyEnvironment(environment, 'h1', { name: environment }, 'test', { default: 2 });
  }
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});
beforeEach(async () => {
  await db.query('truncate assignment, attempt, task_run, run, process restart identity cascade');
  await store.heartbeat({ id: 'scheduler', kind: 'scheduler', host: 'here', pid: 1, ttlMs: 60_000 });
  for (const { worker: id, keyHash } of [ann, bob])
    await work.signIn({ id, keyHash, host: 'there', pid: 1, capacity: 4, queues: ['*'], ttlMs: 60_000 });
});

/** An attempt of a run that the scheduler owns, handed over to whoever takes it. */
async function anAttempt(environment = 'dev', more: Partial<Assignment> = {}): Promise<Assignment> {
  const [run] = await db.query<{ id: string }[]>(
    `insert into run (environment, pipeline, release, config_hash, trigger, why, params, state, max_active_runs, queue_order, lease_owner, started_at)
     values ($1, 'p', 'd1', 'h1', 'manual', '', '{}', 'running', 1, 0, 'scheduler', now()) returning id::text`,
    [environment],
  );
  await db.query(
    `insert into task_run (run_id, task_id, map_index, map_key, environment, pipeline, state, number, fence, pool, slots, priority)
     values ($1, 't', 0, '', $2, 'p', 'queued', 1, 7, 'default', 1, 0)`,
    [run!.id, environment],
  );
  const [attempt] = await db.query<{ id: string }[]>(
    `insert into attempt (run_id, task_id, map_index, number, fence, state, worker)
     values ($1, 't', 0, 1, 7, 'queued', 'queue') returning id::text`,
    [run!.id],
  );
  const about = {
    attemptId: attempt!.id,
    runId: run!.id,
    environment,
    pool: 'default',
    taskId: 't',
    mapIndex: 0,
    fence: 7,
    ...more,
  };
  const assignment = about as Partial<Assignment> as Assignment;
  await assignments.put([assignment]);
  return assignment;
}

function success({ attemptId, runId, fence }: Assignment): AttemptResult {
  const nothing = { outputs: {}, metrics: [], summary: null, versions: [], logLines: 0 };
  return { attemptId, runId, fence, outcome: { kind: 'success' }, startedAt: 1, finishedAt: 2, ...nothing };
}

/** An API has served for long enough to know who is silent. */
async function anApiServes(): Promise<void> {
  await store.heartbeat({ id: 'api', kind: 'api', host: 'api', pid: 1, ttlMs: 60_000 });
  await db.query(`update process set started_at = now() - interval '1 minute' where id = 'api'`);
}

async function dies({ worker }: { worker: string }): Promise<void> {
  await db.query(`update process set alive_until = now() - interval '1 second' where id = $1`, [worker]);
}

const newsKinds = async () =>
  (await assignments.takeNews('scheduler', 10)).map(({ result, fenced }) =>
    fenced ? 'fenced' : (result?.outcome.kind ?? 'started'),
  );

test('of two workers that claim an attempt one gets it, and only its report counts', async () => {
  const assignment = await anAttempt();
  const both = await Promise.all([ann, bob].map((who) => work.claim(who, [assignment.attemptId], null)));
  expect(both.flat()).toEqual([assignment]);
  const [winner, loser] = both[0]!.length === 1 ? [ann, bob] : [bob, ann];
  expect(await newsKinds()).toEqual(['started']);
  expect(await work.report(loser, [success(assignment)])).toEqual([]);
  expect(await work.report(winner, [{ ...success(assignment), fence: 6 }])).toEqual([]);
  expect(await work.report(winner, [success(assignment)])).toEqual([assignment.attemptId]);
  expect(await work.report(winner, [success(assignment)])).toEqual([]);
  expect(await newsKinds()).toEqual(['success']);
  expect(await newsKinds()).toEqual([]);
});

test('more replicas than a worker executes at once are left for a larger one, but not for long', async () => {
  const large = { worker: 'worker-large', keyHash: 'l' };
  const [first, second, third] = [
    await anAttempt('dev', { replicas: { count: 6, min: 6 } }),
    await anAttempt('dev', { replicas: { count: 6, min: 6 } }),
    await anAttempt('dev', { replicas: { count: 6, min: 6 } }),
  ];
  // None is any larger.
  expect(await work.claim(ann, [first.attemptId], null)).toEqual([first]);
  await work.signIn({
    ...{ id: large.worker, keyHash: large.keyHash, host: 'there', pid: 1, capacity: 8, queues: ['*'], ttlMs: 60_000 },
  });
  const rest = [second.attemptId, third.attemptId];
  expect(await work.claim(ann, rest, null)).toEqual([]);
  expect(await work.claim(large, [second.attemptId], null)).toEqual([second]);
  await db.query(`update assignment set noted_at = noted_at - interval '11 seconds'`);
  expect(await work.claim(ann, rest, null)).toEqual([third]);
});

test('a key that is not the worker’s opens nothing', async () => {
  const { attemptId } = await anAttempt();
  const thief = { worker: ann.worker, keyHash: bob.keyHash };
  for (const act of [
    () => work.beat(thief, 1000),
    () => work.claim(thief, [attemptId], null),
    () => work.report(thief, []),
  ])
    await expect(act()).rejects.toMatchObject({ code: 'forbidden' });
  await work.signOut(thief);
  expect(await work.beat(ann, 1000)).toEqual({ held: [], patterns: ['*'] });
});

test('attempts of environments in which a token may not work are not given, previews go with theirs', async () => {
  const [dev, preview, prod] = [await anAttempt('dev'), await anAttempt('dev/pr-1'), await anAttempt('prod')];
  const ids = [dev, preview, prod].map(({ attemptId }) => attemptId);
  const taken = await work.claim(ann, ids, ['dev']);
  expect(taken.map(({ environment }) => environment).sort()).toEqual(['dev', 'dev/pr-1']);
  expect(await assignments.waiting(10)).toEqual([{ attemptId: prod.attemptId, environment: 'prod', pool: 'default' }]);
  const queues = [{ environment: 'prod', pool: 'default' }];
  expect(await work.take(bob, [{ environment: 'prod', pool: 'gpu' }], 0, 10)).toEqual([]);
  expect(await work.take(bob, queues, 60_000, 10)).toEqual([]);
  expect(await work.take(bob, queues, 0, 10)).toEqual([prod]);
});

test('attempts of a dead worker are fenced once, by whoever looks first; what it still says is refused', async () => {
  const assignment = await anAttempt();
  await work.claim(ann, [assignment.attemptId], null);
  await newsKinds();
  await dies(ann);
  await anApiServes();
  const reaped = await Promise.all([assignments.reap(), assignments.reap()]);
  expect(reaped.sort()).toEqual([0, 1]);
  expect(await newsKinds()).toEqual(['fenced']);
  expect(await db.query('select fence from task_run')).toEqual([{ fence: 8 }]);
  expect(await work.report(ann, [success(assignment)])).toEqual([]);
  expect((await work.beat(ann, 1000)).held).toEqual([]);
});

test('nobody is thought dead while no API serves, or one that has just begun to', async () => {
  const assignment = await anAttempt();
  await work.claim(ann, [assignment.attemptId], null);
  await dies(ann);
  expect(await assignments.reap()).toBe(0);
  await store.heartbeat({ id: 'new-api', kind: 'api', host: 'api', pid: 1, ttlMs: 60_000 });
  expect(await assignments.reap()).toBe(0);
  // Late, but nobody took it away.
  expect((await work.beat(ann, 1000)).held).toEqual([
    { attemptId: assignment.attemptId, runId: assignment.runId, fence: 7, cancel: null },
  ]);
});

test('an attempt that nobody took ends at once when it is cancelled; the worker of another is told', async () => {
  const [waiting, taken] = [await anAttempt(), await anAttempt()];
  await work.claim(ann, [taken.attemptId], null);
  await newsKinds();
  const ids = [waiting.attemptId, taken.attemptId, '999'];
  await assignments.cancel(ids.map((attemptId) => ({ attemptId, reason: 'nobody wants it' })));
  expect(await newsKinds()).toEqual(['cancelled']);
  expect(await work.claim(bob, [waiting.attemptId], null)).toEqual([]);
  expect((await work.beat(ann, 1000)).held).toEqual([
    { attemptId: taken.attemptId, runId: taken.runId, fence: 7, cancel: 'nobody wants it' },
  ]);
});

test('news goes to the owner of the run, and again to the next one', async () => {
  const assignment = await anAttempt();
  await work.claim(ann, [assignment.attemptId], null);
  expect(await assignments.takeNews('another', 10)).toEqual([]);
  expect(await newsKinds()).toEqual(['started']);
  await store.retire('scheduler');
  await store.heartbeat({ id: 'another', kind: 'scheduler', host: 'here', pid: 2, ttlMs: 60_000 });
  const [run] = await store.claimRuns('another', 10);
  expect(run?.id).toBe(assignment.runId);
  expect((await assignments.takeNews('another', 10)).map(({ worker }) => worker)).toEqual([ann.worker]);
  const [row] = await store.loadTaskRuns([assignment.runId]);
  expect(row).toMatchObject({ attemptState: 'running', worker: ann.worker, isAssigned: true });
});

test('whoever makes machines hears of attempts that nobody took, and which of those it knows have not ended', async () => {
  const [waiting, taken, ended] = [await anAttempt(), await anAttempt(), await anAttempt()];
  await work.claim(ann, [taken.attemptId, ended.attemptId], null);
  await work.report(ann, [success(ended)]);
  expect(await placements.unplaced(10)).toEqual([waiting]);
  await assignments.cancel([{ attemptId: taken.attemptId, reason: 'enough' }]);
  const open = await placements.open([waiting, taken, ended].map(({ attemptId }) => attemptId));
  expect([...open].sort((a, b) => Number(a.attemptId) - Number(b.attemptId))).toEqual([
    { attemptId: waiting.attemptId, isTaken: false, isCancelled: false },
    { attemptId: taken.attemptId, isTaken: true, isCancelled: true },
  ]);
});

test('an attempt whose machine is gone is its worker’s no more; one that was to end counts as cancelled', async () => {
  const [waiting, taken, cancelled, ended] = [
    await anAttempt(),
    await anAttempt(),
    await anAttempt(),
    await anAttempt(),
  ];
  await work.claim(
    ann,
    [taken, cancelled, ended].map(({ attemptId }) => attemptId),
    null,
  );
  await work.report(ann, [success(ended)]);
  await assignments.cancel([{ attemptId: cancelled.attemptId, reason: 'enough' }]);
  await newsKinds();
  const outcome = { kind: 'lost', message: 'its pod was evicted' } as const;
  const all = [waiting, taken, cancelled, ended].map(({ attemptId }) => ({ attemptId, outcome }));
  expect((await placements.giveUp(all)).length).toBe(3);
  expect(await placements.giveUp(all)).toEqual([]);
  expect(await work.report(ann, [success(taken)])).toEqual([]);
  expect(await work.claim(bob, [waiting.attemptId], null)).toEqual([]);
  const news = await assignments.takeNews('scheduler', 10);
  const told = new Map(
    news.map(({ assignment, result, fenced }) => [assignment.attemptId, { fenced, ...result?.outcome }]),
  );
  expect(told.get(waiting.attemptId)).toEqual({ fenced: true, ...outcome });
  expect(told.get(taken.attemptId)).toEqual({ fenced: true, ...outcome });
  expect(told.get(cancelled.attemptId)).toEqual({ fenced: true, kind: 'cancelled', message: 'cancelled: enough' });
  const fences = await db.query<{ fence: number }[]>('select fence from task_run order by run_id');
  expect(fences.map(({ fence }) => fence)).toEqual([8, 8, 8, 7]);
});
