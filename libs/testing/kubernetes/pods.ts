import type { V1Job, V1Pod, V1PodStatus } from '@kubernetes/client-node';
import { checkObject } from './check-object.ts';

/** Raw objects of the API: instants are text in them. */
export type Raw<T> = T extends Date ? string : T extends object ? { [K in keyof T]: Raw<T[K]> } : T;
export type RawPod = Raw<V1Pod>;
export type RawJob = Raw<V1Job>;

export interface WatchEvent {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: unknown;
}

/** Jobs and their pods as an API server keeps them, with versions, history, and what the job controller makes of them. */
export class PodsAndJobs {
  readonly jobs = new Map<string, RawJob>();
  readonly pods = new Map<string, RawPod>();
  readonly history: WatchEvent[] = [];
  version = 100;
  /** Changes before this one are forgotten. */
  oldest = 0;
  readonly listeners = new Set<(event: WatchEvent) => void>();
  /** Jobs get none, as where a quota of pods is used up. */
  withholdPods = false;
  #serial = 0;

  constructor(private readonly namespace: string) {}

  /** Keeps a job and makes its pod, which waits to be scheduled. */
  addJob(given: RawJob): { job: RawJob; pod: RawPod } {
    const name = given.metadata!.name!;
    const uid = this.#uid();
    const job: RawJob = { ...given, metadata: { ...given.metadata, ...this.#about(uid) }, status: { active: 1 } };
    this.jobs.set(name, job);
    const template = given.spec!.template;
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true, blockOwnerDeletion: true };
    const pod: RawPod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...this.#about(this.#uid()),
        name: `${name}-${String(++this.#serial).padStart(5, 'x')}`,
        labels: { ...template.metadata?.labels, 'batch.kubernetes.io/job-name': name },
        annotations: { ...template.metadata?.annotations },
        ownerReferences: [owner],
      },
      spec: template.spec!,
      status: { phase: 'Pending' },
    };
    if (!this.withholdPods) this.put(pod, 'ADDED');
    return { job, pod };
  }

  podOf(job: string): RawPod | undefined {
    return [...this.pods.values()].find(({ metadata }) => metadata?.labels?.['batch.kubernetes.io/job-name'] === job);
  }

  setStatus(name: string, status: Raw<V1PodStatus>): void {
    const pod = this.pods.get(name);
    if (pod === undefined) throw new Error(`there is no pod ${name}`);
    this.put({ ...pod, status: { ...pod.status, ...status } }, 'MODIFIED');
    if (status.phase === 'Succeeded') this.#endJob(pod, { type: 'Complete', reason: 'CompletionsReached' });
    if (status.phase === 'Failed') this.#endJob(pod, BACKOFF);
  }

  removePod(name: string): void {
    const pod = this.pods.get(name);
    if (pod === undefined) return;
    this.pods.delete(name);
    this.#tell('DELETED', pod);
    this.#endJob(pod, BACKOFF);
  }

  removeJob(name: string): void {
    this.jobs.delete(name);
  }

  put(pod: RawPod, type: 'ADDED' | 'MODIFIED'): void {
    this.pods.set(pod.metadata!.name!, pod);
    this.#tell(type, pod);
  }

  #endJob(pod: RawPod, { type, reason }: { type: string; reason: string }): void {
    const name = pod.metadata?.ownerReferences?.[0]?.name ?? '';
    const job = this.jobs.get(name);
    if (job === undefined || job.status?.conditions !== undefined) return;
    const message =
      type === 'Failed' ? 'Job has reached the specified backoff limit' : 'Reached expected number of succeeded pods';
    const condition = { type, status: 'True', reason, message, lastTransitionTime: now() };
    this.jobs.set(name, { ...job, status: { conditions: [condition] } });
  }

  #tell(type: 'ADDED' | 'MODIFIED' | 'DELETED', pod: RawPod): void {
    const version = ++this.version;
    const object = { ...pod, metadata: { ...pod.metadata, resourceVersion: String(version) } };
    const problems = checkObject(object);
    if (problems.length > 0)
      throw new Error(`the stand-in made a pod that Kubernetes would not: ${problems.join('; ')}`);
    if (type !== 'DELETED') this.pods.set(pod.metadata!.name!, object);
    const event = { version, type, object };
    this.history.push(event);
    for (const listener of [...this.listeners]) listener(event);
  }

  #about(uid: string) {
    return { namespace: this.namespace, uid, creationTimestamp: now(), resourceVersion: String(++this.version) };
  }

  #uid(): string {
    return `00000000-0000-4000-8000-${String(++this.#serial).padStart(12, '0')}`;
  }
}

const BACKOFF = { type: 'Failed', reason: 'BackoffLimitExceeded' };

export function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
