import type { V1Pod } from '@kubernetes/client-node';
import type { Clock } from '#core';
import { Gone, type Cluster } from './cluster.ts';
import { ATTEMPT } from './labels.ts';

export interface PodFollowerOptions {
  readonly cluster: Pick<Cluster, 'listPods' | 'watchPods'>;
  readonly clock: Clock;
  readonly onChange: () => void;
  /** Told once for each time that Kubernetes is away. */
  readonly problem: (error: unknown) => void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** A watch that was over sooner was none: asking again at once could go on for ever. */
const SHORT_MS = 1000;

/** The pods of ours as they are now, by attempt: listed once, then watched; listed anew when a watch cannot go on. */
export class PodFollower {
  readonly pods = new Map<string, V1Pod>();
  /** Those that were deleted, as they were last seen, until they are forgotten. */
  readonly deleted = new Map<string, V1Pod>();
  private version: string | null = null;
  private readonly stopping = new AbortController();
  private following: Promise<void> = Promise.resolve();
  private isAway = false;
  private hasListed = false;

  constructor(private readonly options: PodFollowerOptions) {}

  /** What it shows has been read once. */
  get isListed(): boolean {
    return this.hasListed;
  }

  start(): void {
    this.following = this.follow();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
  }

  forget(attemptId: string): void {
    this.pods.delete(attemptId);
    this.deleted.delete(attemptId);
  }

  private async follow(): Promise<void> {
    const { clock } = this.options;
    for (let pauseMs = FIRST_PAUSE_MS; !this.stopping.signal.aborted;) {
      const since = clock.now().getTime();
      const isFine = await this.once();
      if (isFine && clock.now().getTime() - since >= SHORT_MS) pauseMs = FIRST_PAUSE_MS;
      else {
        await this.pause(pauseMs);
        pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
      }
    }
  }

  /** Until a watch ends. False: it could not be. */
  private async once(): Promise<boolean> {
    const { cluster } = this.options;
    try {
      if (this.version === null) await this.list();
      this.isAway = false;
      await cluster.watchPods(
        this.version!,
        (event, version) => {
          this.version = version;
          if (event.kind === 'seen') this.put(event.pod);
          if (event.kind === 'deleted') this.remove(event.pod);
        },
        this.stopping.signal,
      );
      return true;
    } catch (error) {
      if (this.stopping.signal.aborted) return true;
      // Perhaps the version is what it does not like, however it says so.
      this.version = null;
      if (error instanceof Gone) return true;
      if (!this.isAway) this.options.problem(error);
      this.isAway = true;
      return false;
    }
  }

  private async list(): Promise<void> {
    const { pods, version } = await this.options.cluster.listPods();
    const names = new Set(pods.map(({ metadata }) => metadata?.name));
    for (const pod of [...this.pods.values()]) if (!names.has(pod.metadata?.name)) this.remove(pod);
    for (const pod of pods) this.put(pod);
    this.version = version;
    if (!this.hasListed) this.options.onChange();
    this.hasListed = true;
  }

  private put(pod: V1Pod): void {
    const attemptId = pod.metadata?.labels?.[ATTEMPT];
    if (attemptId === undefined) return;
    this.pods.set(attemptId, pod);
    this.options.onChange();
  }

  private remove(pod: V1Pod): void {
    const attemptId = pod.metadata?.labels?.[ATTEMPT];
    if (attemptId === undefined) return;
    // A job may have made another one meanwhile.
    if (this.pods.get(attemptId)?.metadata?.name === pod.metadata?.name) this.pods.delete(attemptId);
    this.deleted.set(attemptId, pod);
    this.options.onChange();
  }

  private pause(ms: number): Promise<void> {
    const { signal } = this.stopping;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const end = (): void => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.options.clock.schedule(ms, end);
      signal.addEventListener('abort', end);
    });
  }
}
