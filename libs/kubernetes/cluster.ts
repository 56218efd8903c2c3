import type { V1Job, V1Pod } from '@kubernetes/client-node';

/** What came of making a job. */
export type Made =
  | { readonly kind: 'made' }
  /** There is one of this name. */
  | { readonly kind: 'exists'; readonly job: SeenJob }
  /** It never can be made. */
  | { readonly kind: 'invalid'; readonly message: string }
  /** Not now: a quota, or a right that is missing. */
  | { readonly kind: 'refused'; readonly message: string };

export interface SeenJob {
  /** Empty: it says none. */
  readonly attemptId: string;
  readonly runId: string;
  readonly fence: string;
  /** `leaving`: it is being deleted. */
  readonly state: 'active' | 'ended' | 'leaving';
  /** Why it failed; null: it did not, or does not say. */
  readonly message: string | null;
}

export interface PodList {
  readonly pods: readonly V1Pod[];
  /** What a watch goes on from. */
  readonly version: string;
}

export type PodEvent = { readonly kind: 'seen' | 'deleted'; readonly pod: V1Pod } | { readonly kind: 'bookmark' };

/** Kubernetes, as far as attempts need it. Everything throws when it does not answer, or asks to be asked later. */
export interface Cluster {
  makeJob(job: V1Job): Promise<Made>;
  /** Ends its pod as well, which may take as long as it is given; one that is not there is no error. */
  removeJob(name: string): Promise<void>;
  listJobs(): Promise<readonly SeenJob[]>;
  listPods(): Promise<PodList>;
  /** Resolves when the other side ends it, or the signal does; throws `Gone` when the version is too old. */
  watchPods(version: string, onEvent: (event: PodEvent, version: string) => void, signal: AbortSignal): Promise<void>;
}

/** The changes since a version are not known any more: everything has to be listed anew. */
export class Gone extends Error {}
