import type { Resources } from '#core';

/** What pods of a pool are made from. */
export interface PodSettings {
  readonly image: string;
  /** Null: the default one of the namespace. */
  readonly serviceAccount: string | null;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
  /** For tasks that do not say what they need. */
  readonly resources: Resources;
}

export interface Toleration {
  readonly key?: string | undefined;
  readonly operator?: 'Exists' | 'Equal' | undefined;
  readonly value?: string | undefined;
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute' | undefined;
}

export interface VolumeSettings {
  /** Name of a PersistentVolumeClaim. */
  readonly claim: string;
  /** Absolute folder, as every other process sees it. */
  readonly at: string;
  readonly readOnly: boolean;
}

/** How attempts become pods; docs/kubernetes.md says each key. */
export interface KubernetesSettings extends PodSettings {
  /** Null: that of the service account or of the kubeconfig. */
  readonly namespace: string | null;
  /** Begins the names of jobs. Two installations that share a namespace differ in it. */
  readonly name: string;
  /** The API of Sluice as pods reach it. */
  readonly url: string;
  /** The Secret that holds a token with the right `work`. */
  readonly tokenSecret: { readonly name: string; readonly key: string };
  readonly imagePullSecrets: readonly string[];
  /** More variables for workers, such as those of buckets. */
  readonly env: Readonly<Record<string, string>>;
  /** Secrets whose keys become variables of workers. */
  readonly envFromSecrets: readonly string[];
  readonly volumes: readonly VolumeSettings[];
  /** User and group that pods run as; never 0. */
  readonly user: number;
  /** What runs when a pod is asked to end may go on for so long. */
  readonly drainMs: number;
  /** An image that cannot be pulled, or a container that cannot be made, for so long fails the attempt. */
  readonly startMs: number;
  /** Ended jobs stay for so long. */
  readonly keepMs: number;
  /** What differs in a pool, by its name. */
  readonly pools: Readonly<Record<string, Partial<PodSettings>>>;
}

export function podSettingsOf(settings: KubernetesSettings, pool: string): PodSettings {
  return { ...settings, ...(Object.hasOwn(settings.pools, pool) ? settings.pools[pool] : {}) };
}
