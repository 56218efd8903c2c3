import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { Assignment, AttemptReport, AttemptResult, EvidenceKey, WaitingAttempt } from '#core';
import { connectDatabase, createAssignmentStore, createPlacementStore, createStore, createWorkStore } from '#store';
import { createTestDatabase, type TestDatabase } from '#testing';
import { FakeClock } from '../testing/fake-clock.ts';
import type { Broker } from './broker.ts';
import { QueueExecutor } from './queue-executor.ts';

const OWNER = 'scheduler';
const ann = { worker: 'worker-ann', keyHash: 'a' };
let database: TestDatabase;
let db: DataSource;
let executor: QueueExecutor;
let reports: AttemptReport[];
let problems: string[];
/** A Redis that is there or not, and what it was told. */
let redis: { isThere: boolean; mark: boolean; told: string[]; onTold: (() => void) | null };
/** The connection is cut after the next news was taken, and before it came. */
let losesNews: boolean;
let readEvidence: (key: EvidenceKey) => Promise<AttemptResult | null>;

beforeAll(async () => {
  database = await createTestDatabase();
  db = await connectDatabase(database.url);
  const about = { digest: 'd1', alias: 'd1', commit: null, branch: null, author: null, message: null, dirty: true };
  await createStore(db).pointAt('dev', about, 0, 'test');
  await createStore(db).applyEnvironment('dev', 'h1', { name: 'dev' }, 'test', { default: 2 });
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});
beforeEach(async () => {
  await db.query('truncate assignment, attempt, task_run, run, process restart identity cascade');
  const store = createStore(db);
  await store.heartbeat({ id: OWNER, kind: 'scheduler', host: 'here', pid: 1, ttlMs: 60_000 });
  await store.heartbeat({ id: 'api', kind: 'api', host: 'api', pid: 1, ttlMs: 60_000 });
  await db.query(`update process set started_at = now() - interval '1 minute' where id = 'api'`);
  const about = { host: 'there', pid: 1, capacity: 4, queues: ['*'], ttlMs: 60_000 };
  await createWorkStore(db).signIn({ id: ann.worker, keyHash: ann.keyHash, ...about });
  [reports, problems] = [[], []];
  losesNews = false;
  redis = { isThere: true, mark: false, told: [], onTold: null };
  readEvidence = () => Promise.resolve(null);
  const answer = <T>(value: T): Promise<T> =>
    redis.isThere ? Promise.resolve(value) : Promise.reject(new Error('away'));
  const broker: Broker = {
    remembers: () => answer(redis.mark),
    mark: () => answer(undefined).then(() => void (redis.mark = true)),
    tell: (waiting: readonly WaitingAttempt[]) =>
      answer(undefined).then(() => {
        redis.told.push(...waiting.map(({ attemptId }) => attemptId));
        redis.onTold?.();
      }),
    close: () => Promise.resolve(),
  };
  executor = new QueueExecutor({
    processId: OWNER,
    store: {
      ...createAssignmentStore(db),
      takeNews: async (...about) => {
        const news = await createAssignmentStore(db).takeNews(...about);
        if (!losesNews) return news;
        losesNews = false;
        throw new Error('Connection terminated unexpectedly');
      },
    },
    broker,
    storageFor: () => ({ readEvidence: (key) => readEvidence(key) }),
    clock: new FakeClock(Date.now()),
    problem: (what, error) => problems.push(`${what}: ${(error as Error).message}`),
    onReaped: () => undefined,
  });
  executor.onReport((report) => reports.push(report));
});

/** An admitted attempt of a run of ours. */
async function anAttempt(): Promise<Assignment> {
  const [run] = await db.query<{ id: string }[]>(
    `insert into run (environment, pipeline, release, config_hash, trigger, why, params, state, max_active_runs, queue_order, lease_owner, started_at)
     values ('dev', 'p', 'd1', 'h1', 'manual', '', '{}', 'running', 1, 0, $1, now()) returning id::text`,
    [OWNER],
  );
  await db.query(
    `insert into task_run (run_id, task_id, map_index, map_key, environment, pipeline, state, number, fence, pool, slots, priority)
     values ($1, 't', 0, '', 'dev', 'p', 'queued', 1, 7, 'default', 1, 0)`,
    [run!.id],
  );
  const [attempt] = await db.query<{ id: string }[]>(
    `insert into attempt (run_id, task_id, map_index, number, fence, state, worker)
     values ($1, 't', 0, 1, 7, 'queued', 'queue') returning id::text`,
    [run!.id],
  );
  const about = { environment: 'dev', pool: 'default', taskId: 't', mapIndex: 0, fence: 7 };
  const writes = [{ name: 'raw', variable: 'PATH_RAW', location: 'p/raw' }];
  return { attemptId: attempt!.id, runId: run!.id, ...about, writes } as Partial<Assignment> as Assignment;
}

function published({ attemptId, runId, fence }: Assignment, location: string): AttemptResult {
  const version = { name: 'raw', location, version: 'v1', manifestHash: 'a'.repeat(64), files: 1, bytes: 1 };
  const nothing = { outputs: {}, metrics: [], summary: null, logLines: 0, versions: [version] };
  return { attemptId, runId, fence, outcome: { kind: 'success' }, startedAt: 1, finishedAt: 2, ...nothing };
}

const dies = () => db.query(`update process set alive_until = now() - interval '1 second' where id = $1`, [ann.worker]);
const heard = () => reports.map((report) => (report.kind === 'finished' ? report.result.outcome.kind : report.kind));
/** Until everything that was handed over is written. */
const written = async (assignment: Assignment): Promise<void> => {
  const store = createAssignmentStore(db);
  while (!(await store.waiting(100)).some(({ attemptId }) => attemptId === assignment.attemptId))
    await new Promise((resolve) => setImmediate(resolve));
};

test('an attempt is told to Redis once, and again when Redis has forgotten everything', async () => {
  await executor.look();
  const assignment = await anAttempt();
  executor.dispatch([assignment]);
  await written(assignment);
  await executor.look();
  expect(redis.told).toEqual([assignment.attemptId]);
  redis.mark = false;
  await executor.look();
  expect(redis.told).toEqual([assignment.attemptId, assignment.attemptId]);
});

test('an attempt that is handed over just when the one before is written is written, too', async () => {
  await executor.look();
  for (let turns = 0; turns < 12; turns++) {
    const [first, second] = [await anAttempt(), await anAttempt()];
    redis.onTold = () => {
      redis.onTold = null;
      let wait = Promise.resolve();
      for (let turn = 0; turn < turns; turn++) wait = wait.then(() => undefined);
      void wait.then(() => executor.dispatch([second]));
    };
    executor.dispatch([first]);
    await written(second);
  }
});

test('while Redis is away attempts wait in the database; when it is back it is told of them', async () => {
  redis.isThere = false;
  await executor.look();
  const assignment = await anAttempt();
  executor.dispatch([assignment]);
  await written(assignment);
  await executor.look();
  expect([redis.told, problems]).toEqual([[], []]);
  redis.isThere = true;
  await executor.look();
  expect(redis.told).toEqual([assignment.attemptId]);
});

test('what a dead worker left behind decides; without evidence its attempt is lost', async () => {
  const [ended, unknown] = [await anAttempt(), await anAttempt()];
  const store = createAssignmentStore(db);
  await store.put([ended, unknown]);
  await createWorkStore(db).claim(ann, [ended.attemptId, unknown.attemptId], null);
  readEvidence = ({ runId, fence }) =>
    Promise.resolve(runId === ended.runId && fence === 7 ? published(ended, 'p/raw') : null);
  await executor.look();
  expect(heard()).toEqual(['started', 'started']);
  await dies();
  await executor.look();
  expect(heard().slice(2).sort()).toEqual(['lost', 'success']);
  expect(await db.query('select fence from task_run')).toEqual([{ fence: 8 }, { fence: 8 }]);
});

test('what was said of an attempt that was given up counts where it left no evidence', async () => {
  const [ended, unknown] = [await anAttempt(), await anAttempt()];
  await createAssignmentStore(db).put([ended, unknown]);
  readEvidence = ({ runId }) => Promise.resolve(runId === ended.runId ? published(ended, 'p/raw') : null);
  const outcome = { kind: 'failed', exitCode: 137, message: 'out of memory' } as const;
  await createPlacementStore(db).giveUp([ended, unknown].map(({ attemptId }) => ({ attemptId, outcome })));
  await executor.look();
  expect(heard().sort()).toEqual(['failed', 'success']);
});

test('news that was taken and did not come is told again, of the dead as well', async () => {
  const [ended, orphan] = [await anAttempt(), await anAttempt()];
  await createAssignmentStore(db).put([ended, orphan]);
  await createWorkStore(db).claim(ann, [ended.attemptId, orphan.attemptId], null);
  await createWorkStore(db).report(ann, [published(ended, 'p/raw')]);
  await dies();
  losesNews = true;
  await executor.look();
  expect([heard(), problems]).toEqual([[], ['reading what workers report: Connection terminated unexpectedly']]);
  await executor.look();
  expect(heard().sort()).toEqual(['lost', 'success']);
  await executor.look();
  expect(heard()).toHaveLength(2);
});

test('evidence that cannot be read now is read at the next look', async () => {
  const assignment = await anAttempt();
  await createAssignmentStore(db).put([assignment]);
  await createWorkStore(db).claim(ann, [assignment.attemptId], null);
  await dies();
  readEvidence = () => Promise.reject(new Error('the bucket does not answer'));
  await executor.look();
  expect([heard(), problems]).toEqual([[], ['reading the evidence of an attempt: the bucket does not answer']]);
  readEvidence = () => Promise.resolve(published(assignment, 'p/raw'));
  await executor.look();
  expect(heard()).toEqual(['success']);
});

test('a version that the attempt was not to write makes its success a failure', async () => {
  const assignment = await anAttempt();
  await createAssignmentStore(db).put([assignment]);
  await createWorkStore(db).claim(ann, [assignment.attemptId], null);
  await createWorkStore(db).report(ann, [published(assignment, 'other/model')]);
  await executor.look();
  expect(heard()).toEqual(['failed']);
});

test('of several results of one attempt in one request the first counts', async () => {
  const attempts = [await anAttempt(), await anAttempt()];
  await createAssignmentStore(db).put(attempts);
  const ids = attempts.map(({ attemptId }) => attemptId);
  await createWorkStore(db).claim(ann, ids, null);
  const results = attempts.map((attempt, index): AttemptResult[] => {
    const success = published(attempt, 'p/raw');
    const lost: AttemptResult = { ...success, versions: [], outcome: { kind: 'lost', message: 'unknown' } };
    return index === 0 ? [success, lost] : [lost, success];
  });
  expect(new Set(await createWorkStore(db).report(ann, results.flat()))).toEqual(new Set(ids));
  const rows = await db.query<{ kind: string }[]>(
    `select result -> 'outcome' ->> 'kind' as kind from assignment order by attempt_id`,
  );
  expect(rows.map(({ kind }) => kind)).toEqual(['success', 'lost']);
});
