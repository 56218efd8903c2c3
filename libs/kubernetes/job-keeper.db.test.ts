import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { Assignment, AssignmentStore, WorkStore } from '#core';
import { connectDatabase, createAssignmentStore, createPlacementStore, createStore, createWorkStore } from '#store';
import {
  createTestDatabase,
  endedStatus,
  KubernetesServer,
  runningStatus,
  unschedulableStatus,
  waitingStatus,
  type TestDatabase,
} from '#testing';
import { FakeClock } from '../testing/fake-clock.ts';
import { Arrivals } from '../testing/arrivals.ts';
import { connectCluster } from './connect.ts';
import { SETTINGS } from './fixture.ts';
import { JobKeeper } from './job-keeper.ts';

const JOBS = '/apis/batch/v1/namespaces/sluice/jobs';
const POD = { worker: 'worker-pod', keyHash: 'p' };
let database: TestDatabase;
let db: DataSource;
let assignments: AssignmentStore;
let work: WorkStore;
let folder: string;
let server: KubernetesServer;
let clock: FakeClock;
let keepers: JobKeeper[];
let woken: Arrivals<string>;
let problems: string[];

beforeAll(async () => {
  database = await createTestDatabase();
  db = await connectDatabase(database.url);
  [assignments, work] = [createAssignmentStore(db), createWorkStore(db)];
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
  await createStore(db).heartbeat({ id: 'scheduler', kind: 'scheduler', host: 'here', pid: 1, ttlMs: 60_000 });
  const about = { host: 'pod', pid: 1, capacity: 1, queues: [], ttlMs: 60_000 };
  await work.signIn({ id: POD.worker, keyHash: POD.keyHash, ...about });
  folder = mkdtempSync(join(tmpdir(), 'sluice-kube-'));
  server = await KubernetesServer.start();
  clock = new FakeClock(Date.now());
  [keepers, problems, woken] = [[], [], new Arrivals()];
});
afterEach(async () => {
  await Promise.all(keepers.map((keeper) => keeper.stop()));
  await server.close();
  rmSync(folder, { recursive: true });
  expect(server.refused).toEqual([]);
});

async function aKeeper(): Promise<JobKeeper> {
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, server.kubeconfig());
  const keeper = new JobKeeper({
    store: createPlacementStore(db),
    cluster: await connectCluster({ kubeconfig, settings: SETTINGS, clock }),
    ...{ settings: SETTINGS, clock },
    wake: () => woken.add('pods changed'),
    problem: (what, error) => problems.push(`${what}: ${(error as Error).message}`),
    onGivenUp: () => undefined,
  });
  keepers.push(keeper);
  keeper.start();
  const watching = keepers.length;
  await server.calls.until((all) => all.filter((call) => call.startsWith('GET /api/v1/')).length >= 2 * watching);
  return keeper;
}

/** An admitted attempt of a run of the scheduler's, handed over. */
async function anAttempt(): Promise<Assignment> {
  const [run] = await db.query<{ id: string }[]>(
    `insert into run (environment, pipeline, release, config_hash, trigger, why, params, state, max_active_runs, queue_order, lease_owner, started_at)
     values ('dev', 'p', 'd1', 'h1', 'manual', '', '{}', 'running', 1, 0, 'scheduler', now()) returning id::text`,
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
  const about = { environment: 'dev', pipeline: 'p', taskId: 't', mapIndex: 0, mapKey: '', pool: 'default' };
  const assignment = { attemptId: attempt!.id, runId: run!.id, ...about, number: 1, fence: 7, timeoutMs: null };
  await assignments.put([assignment as Partial<Assignment> as Assignment]);
  return assignment as Partial<Assignment> as Assignment;
}

const jobOf = ({ attemptId }: Assignment) => `sluice-${attemptId}`;
const jobs = () => [...server.world.jobs.keys()];
const made = () => server.calls.all.filter((call) => call === `POST ${JOBS}`).length;
/** A keeper hears of a change of a pod, and looks. */
async function hears(keeper: JobKeeper, change: () => unknown): Promise<void> {
  const before = woken.all.length;
  await change();
  await woken.until((all) => all.length > before);
  await keeper.look();
}
/** What the scheduler is told: outcome and message. */
const told = async () =>
  (await assignments.takeNews('scheduler', 10)).flatMap(({ result }) =>
    result === null ? [] : [`${result.outcome.kind}: ${'message' in result.outcome ? result.outcome.message : ''}`],
  );
const note = async () => (await db.query<{ note: string | null }[]>('select note from assignment'))[0]?.note;
const starts = (attempt: Assignment) => () =>
  server.setStatus(jobOf(attempt), runningStatus(server.pod(jobOf(attempt))));
const claims = (attempt: Assignment) => work.claim(POD, [attempt.attemptId], null);

test('each attempt gets one job, however many schedulers look and however often', async () => {
  const [first, second] = [await aKeeper(), await aKeeper()];
  const attempt = await anAttempt();
  await Promise.all([first.look(), second.look()]);
  await first.look();
  expect([jobs(), made()]).toEqual([[jobOf(attempt)], 2]);
  // A scheduler that starts anew finds the job, also when its attempt has begun.
  await claims(attempt);
  const third = await aKeeper();
  await third.look();
  expect([jobs(), made(), problems]).toEqual([[jobOf(attempt)], 2, []]);
  expect(third.isIdle).toBe(false);
});

test('while Kubernetes is away attempts wait; it is told once, and their jobs are made when it is back', async () => {
  const keeper = await aKeeper();
  await keeper.look();
  const attempt = await anAttempt();
  server.faults.add(`POST ${JOBS}`, { kind: 'status', status: 429, message: 'too many requests' }, 2);
  await keeper.look();
  await keeper.look();
  expect([jobs(), problems]).toEqual([[], ['making jobs: Kubernetes does not answer: too many requests.']]);
  await keeper.look();
  expect([jobs(), await told()]).toEqual([[jobOf(attempt)], []]);
});

test('an attempt that no node takes goes on to wait, and says why for as long', async () => {
  const [keeper, attempt] = [await aKeeper(), await anAttempt()];
  await hears(keeper, () => keeper.look());
  await hears(keeper, () => server.setStatus(jobOf(attempt), unschedulableStatus('0/3 nodes are available')));
  expect(await note()).toBe('Its pod cannot be scheduled: 0/3 nodes are available.');
  await hears(keeper, starts(attempt));
  await claims(attempt);
  await keeper.look();
  expect(await told()).toEqual([]);
});

test('an attempt whose job gets no pod says where to look', async () => {
  const [keeper, attempt] = [await aKeeper(), await anAttempt()];
  await hears(keeper, () => keeper.look());
  server.world.withholdPods = true;
  const late = await anAttempt();
  await keeper.look();
  await clock.moveTo(clock.now().getTime() + 11_000, () => Promise.resolve());
  await keeper.look();
  const notes = await db.query<{ note: string }[]>('select note from assignment order by attempt_id');
  expect(notes.map((row) => row.note)).toEqual([
    expect.stringMatching(/^Its pod is being started/),
    `Its job has no pod; \`kubectl describe job ${jobOf(late)}\` says why.`,
  ]);
  expect(jobs()).toEqual([jobOf(attempt), jobOf(late)]);
});

test('an image that cannot be pulled fails the attempt after a while, and its job goes', async () => {
  const [keeper, attempt] = [await aKeeper(), await anAttempt()];
  await hears(keeper, () => keeper.look());
  const name = jobOf(attempt);
  const status = waitingStatus(server.pod(name), 'ImagePullBackOff', 'manifest unknown');
  await hears(keeper, () => server.setStatus(name, status));
  expect([await told(), await note()]).toEqual([[], expect.stringContaining('manifest unknown')]);
  await clock.moveTo(clock.now().getTime() + SETTINGS.startMs + 2000, () => Promise.resolve());
  await keeper.look();
  expect(await told()).toEqual([expect.stringMatching(/^failed: the image .* cannot be pulled: manifest unknown$/)]);
  await keeper.look();
  expect(jobs()).toEqual([]);
  for (let times = 0; times < 2; times++) await keeper.look();
  expect(keeper.isIdle).toBe(true);
});

test.each([
  [
    'out of memory',
    /^failed: out of memory/,
    (job: string) => server.kill(job, endedStatus(server.pod(job), 137, undefined, 'OOMKilled')),
  ],
  [
    'evicted',
    /^lost: its pod ended: Evicted: low on memory/,
    (job: string) => server.kill(job, { phase: 'Failed', reason: 'Evicted', message: 'low on memory' }),
  ],
  ['on a node that is lost', /^lost: its pod was deleted/, (job: string) => server.loseNode(job)],
])(
  'an attempt that is %s ends at once with that reason, and its worker is heard no more',
  async (_, expected, happens) => {
    const [keeper, attempt] = [await aKeeper(), await anAttempt()];
    await hears(keeper, () => keeper.look());
    await hears(keeper, starts(attempt));
    await claims(attempt);
    await hears(keeper, () => happens(jobOf(attempt)));
    expect(await told()).toEqual([expect.stringMatching(expected)]);
    expect(await work.report(POD, [])).toEqual([]);
    expect((await work.beat(POD, 1000)).held).toEqual([]);
    expect(await db.query('select fence from task_run')).toEqual([{ fence: 8 }]);
  },
);

test('a pod that went while nobody watched is known to be gone by its job, and by the list of pods', async () => {
  const [keeper, first, second] = [await aKeeper(), await anAttempt(), await anAttempt()];
  await hears(keeper, () => keeper.look());
  await claims(first);
  await keeper.stop();
  keepers.splice(0);
  await server.loseNode(jobOf(first));
  server.forgetHistory();
  const next = await aKeeper();
  await next.look();
  expect(await told()).toEqual([expect.stringMatching(/^lost: its job ended, and its pod is gone/)]);
  expect((await createPlacementStore(db).open([second.attemptId])).length).toBe(1);
});

test('a cancelled attempt’s job is removed with its pod; an attempt that had begun ends as cancelled', async () => {
  const [keeper, waiting, begun] = [await aKeeper(), await anAttempt(), await anAttempt()];
  await hears(keeper, () => keeper.look());
  await hears(keeper, starts(begun));
  await claims(begun);
  await assignments.cancel([waiting, begun].map(({ attemptId }) => ({ attemptId, reason: 'enough' })));
  await keeper.look();
  await woken.until(() => server.world.pods.size === 0);
  await keeper.look();
  expect([jobs(), await told()]).toEqual([[], ['cancelled: cancelled: enough', 'cancelled: cancelled: enough']]);
});

test('the job of an attempt that was taken from its worker is removed, one that reported may end by itself', async () => {
  const [keeper, fenced, reported] = [await aKeeper(), await anAttempt(), await anAttempt()];
  await hears(keeper, () => keeper.look());
  for (const attempt of [fenced, reported]) {
    await hears(keeper, starts(attempt));
    await claims(attempt);
  }
  const nothing = { outputs: {}, metrics: [], summary: null, versions: [], logLines: 0, startedAt: 1, finishedAt: 2 };
  const { attemptId, runId, fence } = reported;
  await work.report(POD, [{ attemptId, runId, fence, outcome: { kind: 'success' }, ...nothing }]);
  await createPlacementStore(db).giveUp([
    { attemptId: fenced.attemptId, outcome: { kind: 'lost', message: 'reaped' } },
  ]);
  await keeper.look();
  expect(jobs()).toEqual([jobOf(fenced), jobOf(reported)]);
  await hears(keeper, () => server.setStatus(jobOf(reported), endedStatus(server.pod(jobOf(reported)), 0)));
  await clock.moveTo(clock.now().getTime() + 11_000, () => Promise.resolve());
  await keeper.look();
  expect(server.calls.all.filter((call) => call.startsWith('DELETE'))).toEqual([`DELETE ${JOBS}/${jobOf(fenced)}`]);
  expect(await told()).toEqual(expect.arrayContaining(['success: ', 'lost: reaped']));
});

test('a job of the same name that is not of this attempt, and one that Kubernetes never takes, fail the attempt', async () => {
  const keeper = await aKeeper();
  const attempt = await anAttempt();
  await keeper.look();
  await db.query(`update assignment set content = jsonb_set(content, '{fence}', '9')`);
  const next = await aKeeper();
  server.world.jobs.get(jobOf(attempt))!.metadata!.labels!['sluice/attempt'] = '';
  await next.look();
  expect(await told()).toEqual([
    expect.stringMatching(/^failed: there is a job sluice-\d+ that is not of this attempt/),
  ]);
  await anAttempt();
  server.faults.add(`POST ${JOBS}`, { kind: 'status', status: 422, message: 'spec.image: required' }, 1);
  await next.look();
  expect(await told()).toEqual(['failed: Kubernetes refuses its job: spec.image: required']);
});

test('a quota that is used up holds attempts up and says so', async () => {
  const keeper = await aKeeper();
  await anAttempt();
  server.faults.add(`POST ${JOBS}`, { kind: 'status', status: 403, message: 'exceeded quota: compute' }, 1);
  await keeper.look();
  expect(await note()).toBe('Kubernetes refuses its job: exceeded quota: compute');
  await keeper.look();
  expect([jobs().length, await told()]).toEqual([1, []]);
});

test('an attempt that is cancelled before it has a job is forgotten with its note', async () => {
  const [keeper, attempt] = [await aKeeper(), await anAttempt()];
  server.faults.add(`POST ${JOBS}`, { kind: 'status', status: 403, message: 'exceeded quota: compute' }, 1);
  await keeper.look();
  expect([...keeper['notes'].keys()]).toEqual([attempt.attemptId]);
  await assignments.cancel([{ attemptId: attempt.attemptId, reason: 'enough' }]);
  await keeper.look();
  expect([keeper['notes'].size, jobs()]).toEqual([0, []]);
});
