import { describe, expect, test } from '@jest/globals';
import type { UnplacedAttempt } from '#core';
import { checkObject } from '#testing';
import { ATTEMPT, SETTINGS } from './fixture.ts';
import { jobOf } from './job-of.ts';
import type { KubernetesSettings } from './settings.ts';

const GIB = 2 ** 30;

/** What Kubernetes would be sent; its published schema has nothing against it. */
function job(attempt: Partial<UnplacedAttempt> = {}, settings: Partial<KubernetesSettings> = {}) {
  const made = jobOf({ ...ATTEMPT, ...attempt }, { ...SETTINGS, ...settings });
  expect(checkObject(made)).toEqual([]);
  const pod = made.spec!.template.spec!;
  return { job: made, pod, container: pod.containers[0]! };
}
const variables = ({ env = [] }: { env?: { name: string; value?: string }[] }) =>
  Object.fromEntries(env.map(({ name, value }) => [name, value]));

describe('the job of an attempt', () => {
  test('is one pod, made once, under a name that the attempt alone decides', () => {
    const { job: made, pod } = job();
    expect(made.metadata?.name).toBe('sluice-17');
    expect(made.spec).toMatchObject({ completions: 1, parallelism: 1, backoffLimit: 0, ttlSecondsAfterFinished: 3600 });
    expect(pod.restartPolicy).toBe('Never');
    expect(jobOf(ATTEMPT, SETTINGS)).toEqual(made);
  });

  test('executes that attempt, with a token from a Secret and no credentials of a cluster or a database', () => {
    const { pod, container } = job({}, { env: { SLUICE_S3_ENDPOINT: 'http://minio:9000', HOME: '/root' } });
    expect(container.command).toEqual(['sluice', 'worker', '--attempt', '17']);
    expect(variables(container)).toEqual({
      ...{ HOME: '/tmp', SLUICE_HOME: '/tmp/sluice', SLUICE_URL: 'http://sluice-api:7460', SLUICE_DRAIN_SECONDS: '25' },
      ...{ SLUICE_WORKER_CPU: '0.25', SLUICE_WORKER_MEMORY: '256Mi', SLUICE_S3_ENDPOINT: 'http://minio:9000' },
      SLUICE_TOKEN: undefined,
    });
    expect(container.env?.find(({ name }) => name === 'SLUICE_TOKEN')?.valueFrom).toEqual({
      secretKeyRef: { name: 'sluice-work', key: 'token' },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(JSON.stringify(pod)).not.toMatch(/DATABASE_URL|REDIS_URL/);
  });

  test('has room for all its replicas, which run in the one pod', () => {
    const { container } = job({ resources: { cpu: 0.7, memory: GIB, gpu: 1 }, replicas: { count: 3, min: 2 } });
    expect(container.resources?.limits).toEqual({ cpu: '2100m', memory: String(3 * GIB), 'nvidia.com/gpu': '3' });
    expect(variables(container)).toMatchObject({ SLUICE_WORKER_CPU: '2.1', SLUICE_WORKER_GPU: '3' });
    const { container: unsaid } = job({ replicas: { count: 2, min: 2 } });
    expect(unsaid.resources?.limits).toEqual({ cpu: '500m', memory: String(GIB / 2) });
  });

  test('satisfies the restricted standard for pods', () => {
    const { pod, container } = job();
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect([pod.hostNetwork, pod.hostPID, pod.hostIPC]).toEqual([undefined, undefined, undefined]);
  });

  test('asks for what the task asks for, and is held to it; for what is set where it asks for nothing', () => {
    expect(job().container.resources).toEqual({
      requests: { cpu: '250m', memory: '268435456' },
      limits: { cpu: '250m', memory: '268435456' },
    });
    const { container } = job({ resources: { cpu: 1.5, memory: 4 * GIB, gpu: 2 } });
    const asked = { cpu: '1500m', memory: String(4 * GIB), 'nvidia.com/gpu': '2' };
    expect(container.resources).toEqual({ requests: asked, limits: asked });
    expect(variables(container)).toMatchObject({
      SLUICE_WORKER_CPU: '1.5',
      SLUICE_WORKER_MEMORY: '4096Mi',
      SLUICE_WORKER_GPU: '2',
    });
  });

  test('lives longer than its task may take, so that the worker is the one to end it', () => {
    expect(job().pod.activeDeadlineSeconds).toBeUndefined();
    expect(job({ timeoutMs: 3_600_000 }).pod.activeDeadlineSeconds).toBe(3600 + 600 + 25);
    expect(job().pod.terminationGracePeriodSeconds).toBe(45);
  });

  test('is found by what it is of, however long or odd the names are', () => {
    const task = `t_${'x'.repeat(80)}_`;
    const { job: made, pod } = job({ environment: 'dev/pr-1', taskId: task, mapKey: 'lr=0.1,depth=4' });
    for (const metadata of [made.metadata, made.spec!.template.metadata]) {
      expect(metadata?.labels).toMatchObject({ 'sluice/attempt': '17', 'sluice/run': '5', 'sluice/fence': '7' });
      expect(metadata?.labels).toMatchObject({ 'sluice/environment': 'dev-pr-1', 'sluice/pipeline': 'churn-model' });
      expect(metadata?.annotations).toMatchObject({
        'sluice/environment': 'dev/pr-1',
        'sluice/task': task,
        'sluice/map-key': 'lr=0.1,depth=4',
      });
    }
    for (const value of Object.values(made.metadata?.labels ?? {}))
      expect(value).toMatch(/^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/);
    expect(pod.containers).toHaveLength(1);
  });

  test('differs in a pool as the settings say, and has the volumes, secrets and variables of all', () => {
    const toleration = { key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' } as const;
    const gpu = {
      image: 'registry.example/sluice-cuda:1',
      nodeSelector: { 'gpu-type': 'a100' },
      tolerations: [toleration],
      serviceAccount: 'trainer',
    };
    const more = {
      pools: { gpu },
      volumes: [{ claim: 'sluice-data', at: '/data', readOnly: false }],
      imagePullSecrets: ['registry'],
      envFromSecrets: ['bucket'],
    };
    const { pod, container } = job({ pool: 'gpu' }, more);
    expect(pod).toMatchObject({ serviceAccountName: 'trainer', automountServiceAccountToken: true });
    expect(pod).toMatchObject({
      nodeSelector: { 'gpu-type': 'a100' },
      tolerations: [toleration],
      imagePullSecrets: [{ name: 'registry' }],
    });
    expect(container).toMatchObject({
      image: 'registry.example/sluice-cuda:1',
      envFrom: [{ secretRef: { name: 'bucket' } }],
    });
    expect(container.volumeMounts).toContainEqual({ name: 'data-0', mountPath: '/data', readOnly: false });
    expect(job({}, more).container.image).toBe(SETTINGS.image);
  });
});
