import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Arrivals } from '../testing/arrivals.ts';
import { fastClock } from '../testing/fast-clock.ts';
import { endedStatus, KubernetesServer, runningStatus } from '#testing';
import type { Cluster } from './cluster.ts';
import { connectCluster } from './connect.ts';
import { ATTEMPT, SETTINGS } from './fixture.ts';
import { jobOf } from './job-of.ts';
import { PodFollower } from './pod-follower.ts';

const JOBS = '/apis/batch/v1/namespaces/sluice/jobs';
const PODS = '/api/v1/namespaces/sluice/pods';
let folder: string;
let server: KubernetesServer;
let cluster: Cluster;
const clock = fastClock(50);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-kube-'));
  server = await KubernetesServer.start();
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, server.kubeconfig());
  cluster = await connectCluster({ kubeconfig, settings: { ...SETTINGS, namespace: null }, clock });
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const job = (attemptId = '17') => jobOf({ ...ATTEMPT, attemptId }, SETTINGS);
const failing = (status: number, reason: string, message: string) =>
  ({ kind: 'status', status, reason, message }) as const;

describe('jobs', () => {
  test('are made once, listed, and removed with their pods; none of it is refused by the schemas', async () => {
    expect(await cluster.makeJob(job())).toEqual({ kind: 'made' });
    const same = { attemptId: '17', runId: '5', fence: '7', state: 'active', message: null };
    expect(await cluster.makeJob(job())).toEqual({ kind: 'exists', job: same });
    expect(await cluster.listJobs()).toEqual([same]);
    await cluster.removeJob('sluice-17');
    await cluster.removeJob('sluice-17');
    expect(await cluster.listJobs()).toEqual([]);
    expect((await cluster.listPods()).pods).toEqual([]);
    expect(server.refused).toEqual([]);
  });

  test('that exist already although the answer was lost are no error', async () => {
    server.faults.add(`POST ${JOBS}`, { kind: 'lose_answer' }, 1);
    await expect(cluster.makeJob(job())).rejects.toMatchObject({ code: 'unavailable' });
    expect(await cluster.makeJob(job())).toMatchObject({ kind: 'exists', job: { attemptId: '17' } });
  });

  test('of another installation in the same namespace are not seen', async () => {
    await cluster.makeJob(jobOf(ATTEMPT, { ...SETTINGS, name: 'other' }));
    expect([await cluster.listJobs(), (await cluster.listPods()).pods]).toEqual([[], []]);
  });

  test('say that they ended, and why', async () => {
    await cluster.makeJob(job());
    server.setStatus('sluice-17', endedStatus(server.pod('sluice-17'), 1));
    expect(await cluster.listJobs()).toMatchObject([
      { state: 'ended', message: 'Job has reached the specified backoff limit' },
    ]);
  });

  test('that can never be are told from those that cannot be now', async () => {
    const odd = job();
    (odd.spec as unknown as Record<string, unknown>)['backoffLimit'] = 'none';
    expect(await cluster.makeJob(odd)).toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('backoffLimit'),
    });
    server.faults.add(`POST ${JOBS}`, failing(403, 'Forbidden', 'exceeded quota: compute'), 1);
    expect(await cluster.makeJob(job())).toEqual({ kind: 'refused', message: 'exceeded quota: compute' });
    for (const status of [429, 500, 503]) {
      server.faults.add(`POST ${JOBS}`, failing(status, 'Trouble', 'slow down'), 1);
      await expect(cluster.makeJob(job())).rejects.toThrow('Kubernetes does not answer: slow down.');
    }
    server.goesAway();
    await expect(cluster.makeJob(job())).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('pods', () => {
  const phases = () => [...follower.pods.values()].map(({ status }) => status?.phase);
  let follower: PodFollower;
  let changes: Arrivals<string>;
  let problems: Arrivals<string>;

  beforeEach(() => {
    [changes, problems] = [new Arrivals<string>(), new Arrivals<string>()];
    follower = new PodFollower({
      ...{ cluster, clock },
      onChange: () => changes.add(phases().join()),
      problem: (error) => problems.add((error as Error).message),
    });
    follower.start();
  });
  afterEach(() => follower.stop());
  const listed = (times: number) =>
    server.calls.until((all) => all.filter((call) => call === `GET ${PODS}`).length >= times);
  const seen = (phase: string) => changes.until((all) => all.includes(phase));
  const runs = () => server.setStatus('sluice-17', runningStatus(server.pod('sluice-17')));
  /** Listed and watched. */
  const follows = () => listed(2);

  test('are followed from the moment they are made until they are deleted', async () => {
    await follows();
    await cluster.makeJob(job());
    await seen('Pending');
    runs();
    await seen('Running');
    await server.loseNode('sluice-17');
    await changes.until(() => follower.deleted.has('17'));
    expect(phases()).toEqual([]);
    expect(follower.deleted.get('17')?.status?.phase).toBe('Running');
    expect(problems.all).toEqual([]);
  });

  test.each([
    ['ends', false],
    ['is cut off in the middle of a line', true],
  ])('are followed on when the watch %s', async (_, cut) => {
    await follows();
    await cluster.makeJob(job());
    await seen('Pending');
    server.breakWatches(cut);
    runs();
    await seen('Running');
  });

  test('are listed anew when the history is gone, and those that went meanwhile are known to be gone', async () => {
    await follows();
    await cluster.makeJob(job());
    await cluster.makeJob(job('18'));
    await seen('Pending,Pending');
    server.breakWatches(false);
    await server.loseNode('sluice-17');
    server.forgetHistory();
    await changes.until(() => follower.deleted.has('17'));
  });

  test('are followed again when Kubernetes is back, and its absence is told once', async () => {
    await follows();
    server.goesAway();
    await problems.until((all) => all.length === 1);
    server.comesBack();
    await cluster.makeJob(job());
    await seen('Pending');
    expect(problems.all).toHaveLength(1);
  });
});
