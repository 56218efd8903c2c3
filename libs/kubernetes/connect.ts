import type { BatchV1Api, CoreV1Api, V1Job, V1Pod, Watch } from '@kubernetes/client-node';
import type { ConfigurationOptions, ObservableMiddleware } from '@kubernetes/client-node';
import { SluiceError, type Clock } from '#core';
import { Gone, type Cluster, type Made, type PodEvent, type PodList, type SeenJob } from './cluster.ts';
import { ATTEMPT, FENCE, RUN, selectorOf } from './labels.ts';
import type { KubernetesSettings } from './settings.ts';

export interface ConnectOptions {
  /** Absolute path of a kubeconfig; null: the service account of the pod that this process runs in. */
  readonly kubeconfig: string | null;
  readonly settings: Pick<KubernetesSettings, 'name' | 'namespace'>;
  readonly clock: Clock;
}

const REQUEST_MS = 20_000;
/** The other side ends a watch after that; one that goes on for longer is on a connection that is dead. */
const WATCH_SECONDS = 240;
const WATCH_SLACK_MS = 30_000;

/** Nothing is asked yet, so nothing fails here but settings. The client is loaded only now: others need not pay for it. */
export async function connectCluster({ kubeconfig, settings, clock }: ConnectOptions): Promise<Cluster> {
  const client = await import('@kubernetes/client-node');
  const config = new client.KubeConfig();
  try {
    if (kubeconfig !== null) config.loadFromFile(kubeconfig);
    else config.loadFromCluster();
  } catch (error) {
    throw unusable(kubeconfig, (error as Error).message);
  }
  if (!config.getCurrentCluster() || /undefined/.test(config.getCurrentCluster()!.server))
    throw unusable(kubeconfig, 'it names no cluster');
  const namespace = settings.namespace ?? config.getContextObject(config.getCurrentContext())?.namespace ?? 'default';
  const limited: ConfigurationOptions<ObservableMiddleware> = {
    middlewareMergeStrategy: 'append',
    middleware: [
      {
        pre: (request) => {
          request.setSignal(AbortSignal.timeout(REQUEST_MS));
          return new client.Observable(Promise.resolve(request));
        },
        post: (response) => new client.Observable(Promise.resolve(response)),
      },
    ],
  };
  return new ApiCluster({
    batch: config.makeApiClient(client.BatchV1Api),
    core: config.makeApiClient(client.CoreV1Api),
    watch: new client.Watch(config),
    ...{ limited, namespace, clock, selector: selectorOf(settings) },
  });
}

function unusable(kubeconfig: string | null, why: string): SluiceError {
  const where = kubeconfig === null ? 'this process is in no pod of a cluster' : `${kubeconfig} is not a kubeconfig`;
  return new SluiceError('invalid_config', `Kubernetes cannot be reached: ${where} (${why}).`, {
    hint: 'Run the scheduler in the cluster with a service account (docs/kubernetes.md), or set KUBECONFIG to the file of one.',
  });
}

interface ApiParts {
  readonly batch: BatchV1Api;
  readonly core: CoreV1Api;
  readonly watch: Watch;
  readonly limited: ConfigurationOptions<ObservableMiddleware>;
  readonly namespace: string;
  readonly selector: string;
  readonly clock: Clock;
}

class ApiCluster implements Cluster {
  constructor(private readonly parts: ApiParts) {}

  async makeJob(body: V1Job): Promise<Made> {
    const { batch, namespace, limited } = this.parts;
    try {
      await batch.createNamespacedJob({ namespace, body, fieldValidation: 'Strict' }, limited);
      return { kind: 'made' };
    } catch (error) {
      const { status, message } = told(error);
      if (status === 409) return this.existing(body.metadata?.name ?? '');
      if (status === 400 || status === 422) return { kind: 'invalid', message };
      if (status === 403 || status === 404) return { kind: 'refused', message };
      throw away(error);
    }
  }

  async removeJob(name: string): Promise<void> {
    const { batch, namespace, limited } = this.parts;
    try {
      // The job stays until its pod is gone, so that its name does not come free before.
      await batch.deleteNamespacedJob({ name, namespace, propagationPolicy: 'Foreground' }, limited);
    } catch (error) {
      if (told(error).status !== 404) throw away(error);
    }
  }

  async listJobs(): Promise<readonly SeenJob[]> {
    const { batch, namespace, selector, limited } = this.parts;
    const { items } = await batch
      .listNamespacedJob({ namespace, labelSelector: selector }, limited)
      .catch((error: unknown) => Promise.reject(away(error)));
    return items.map(seen);
  }

  async listPods(): Promise<PodList> {
    const { core, namespace, selector, limited } = this.parts;
    const list = await core
      .listNamespacedPod({ namespace, labelSelector: selector }, limited)
      .catch((error: unknown) => Promise.reject(away(error)));
    return { pods: list.items, version: list.metadata?.resourceVersion ?? '' };
  }

  watchPods(version: string, onEvent: (event: PodEvent, version: string) => void, signal: AbortSignal): Promise<void> {
    const { watch, namespace, selector, clock } = this.parts;
    const asked = {
      ...{ labelSelector: selector, resourceVersion: version },
      ...{ allowWatchBookmarks: true, timeoutSeconds: WATCH_SECONDS },
    };
    return new Promise((resolve, reject) => {
      let failure: Error | null = null;
      let request: AbortController | null = null;
      const end = (error: unknown): void => {
        cancel();
        signal.removeEventListener('abort', abort);
        if (failure !== null) reject(failure);
        else if (error && !signal.aborted) reject(away(error));
        else resolve();
      };
      const abort = (): void => {
        request?.abort();
        end(null);
      };
      const cancel = clock.schedule(WATCH_SECONDS * 1000 + WATCH_SLACK_MS, abort);
      signal.addEventListener('abort', abort);
      const hear = (kind: string, object: V1Pod & { code?: number; message?: string }): void => {
        if (kind === 'ERROR') {
          failure = object.code === 410 ? new Gone(object.message) : new Error(object.message ?? 'the watch failed');
          return abort();
        }
        const event: PodEvent =
          kind === 'BOOKMARK' ? { kind: 'bookmark' } : { kind: kind === 'DELETED' ? 'deleted' : 'seen', pod: object };
        onEvent(event, object.metadata?.resourceVersion ?? version);
      };
      void watch.watch(`/api/v1/namespaces/${namespace}/pods`, asked, hear, end).then((controller) => {
        request = controller;
        if (signal.aborted || failure !== null) controller.abort();
      }, end);
    });
  }

  private async existing(name: string): Promise<Made> {
    const { batch, namespace, limited } = this.parts;
    try {
      return { kind: 'exists', job: seen(await batch.readNamespacedJob({ name, namespace }, limited)) };
    } catch (error) {
      throw away(error);
    }
  }
}

function seen({ metadata, status }: V1Job): SeenJob {
  const labels = metadata?.labels ?? {};
  const ended = status?.conditions?.find(
    ({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True',
  );
  return {
    attemptId: labels[ATTEMPT] ?? '',
    runId: labels[RUN] ?? '',
    fence: labels[FENCE] ?? '',
    state: ended !== undefined ? 'ended' : metadata?.deletionTimestamp !== undefined ? 'leaving' : 'active',
    message: ended?.type === 'Failed' ? (ended.message ?? ended.reason ?? null) : null,
  };
}

/** Status and message of an answer; 0: there was none. */
function told(error: unknown): { readonly status: number; readonly message: string } {
  const { code, statusCode, body, message } = error as {
    code?: unknown;
    statusCode?: number;
    body?: unknown;
    message?: string;
  };
  const status = typeof code === 'number' ? code : (statusCode ?? 0);
  return { status, message: statusMessage(body) ?? (status === 0 ? (message ?? String(error)) : `HTTP ${status}`) };
}

/** Of the Status that Kubernetes answers with; the client leaves it as text where it expects none. */
function statusMessage(body: unknown): string | null {
  if (typeof body === 'string')
    try {
      return statusMessage(JSON.parse(body));
    } catch {
      return null; // a proxy between us and Kubernetes answered
    }
  const message = (body as { message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? message : null;
}

function away(error: unknown): Error {
  const { status, message } = told(error);
  if (status === 410) return new Gone(message);
  return new SluiceError('unavailable', `Kubernetes does not answer: ${message}.`, { cause: error });
}
