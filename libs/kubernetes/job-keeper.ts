import type { Clock, OpenAttempt, Outcome, PlacementStore, UnplacedAttempt } from '#core';
import type { Cluster, Made, SeenJob } from './cluster.ts';
import { jobOf } from './job-of.ts';
import { hasEnded, judgePod, outcomeOfDeleted, type PodVerdict } from './judge-pod.ts';
import { jobNameOf } from './labels.ts';
import { PodFollower } from './pod-follower.ts';
import type { KubernetesSettings } from './settings.ts';

export interface JobKeeperOptions {
  readonly store: PlacementStore;
  readonly cluster: Cluster;
  readonly settings: KubernetesSettings;
  readonly clock: Clock;
  /** There is something to look at. */
  readonly wake: () => void;
  /** Something failed that is tried again. */
  readonly problem: (what: string, error: unknown) => void;
  /** So many attempts were taken from pods that are gone, or never began. */
  readonly onGivenUp: (count: number) => void;
}

/** Attempts that wait beyond that wait for a later look. */
const MOST = 2000;
/** Requests at once that make jobs. */
const AT_ONCE = 8;
/** Behind what a watch tells: a job that was deleted, or that has no pod. */
const RESYNC_MS = 30_000;
/** A worker that has reported ends within that time. */
const LEAVE_MS = 10_000;
/** A job has its pod within that time, unless something is wrong. */
const POD_MS = 10_000;

interface KnownJob extends Pick<SeenJob, 'state' | 'message'> {
  /** Since when it is known here. */
  readonly since: number;
}

/**
 * Gives every attempt that nobody has taken a job of its own, hears from pods what no worker can report, and removes the
 * jobs of attempts that have ended. Each look compares what is to be with what is, so that any number of schedulers may
 * look, and any of them may die; `look` is to be called once a second unless it is idle, and whenever it asks for it.
 */
export class JobKeeper {
  private readonly follower: PodFollower;
  /** By attempt; those of attempts that have ended are forgotten. */
  private jobs = new Map<string, KnownJob>();
  /** Attempts that have ended, since when it is known. */
  private readonly endedAt = new Map<string, number>();
  /** Ended, with nothing left to be done about them. */
  private settled = new Set<string>();
  private readonly notes = new Map<string, string>();
  private listedAt: number | null = null;
  private readonly failing = new Set<string>();
  private isBusy = true;
  /** Attempts whose jobs are to go. */
  private readonly unwanted = new Set<string>();

  constructor(private readonly options: JobKeeperOptions) {
    const { cluster, clock, wake, problem } = options;
    this.follower = new PodFollower({
      ...{ cluster, clock, onChange: wake },
      problem: (error) => problem('watching pods', error),
    });
  }

  start(): void {
    this.follower.start();
  }

  /** What runs goes on. */
  stop(): Promise<void> {
    return this.follower.stop();
  }

  /** Nothing that it knows of changes unless it is woken. */
  get isIdle(): boolean {
    return !this.isBusy && this.failing.size === 0;
  }

  /** Never throws; each part fails alone. */
  async look(): Promise<void> {
    this.isBusy = false;
    await this.part('listing jobs', () => this.resync());
    await this.part('making jobs', () => this.makeJobs());
    await this.part('looking at pods', () => this.lookAtAll());
    await this.part('removing jobs', () => this.removeJobs());
  }

  private async resync(): Promise<void> {
    const now = this.options.clock.now().getTime();
    if (this.listedAt !== null && now - this.listedAt < RESYNC_MS) return;
    const jobs = await this.options.cluster.listJobs();
    this.jobs = new Map(
      jobs.flatMap(({ attemptId, state, message }) =>
        attemptId === '' ? [] : [[attemptId, { state, message, since: this.jobs.get(attemptId)?.since ?? now }]],
      ),
    );
    this.settled = new Set([...this.settled].filter((id) => this.jobs.has(id) || this.follower.pods.has(id)));
    this.listedAt = now;
  }

  private async makeJobs(): Promise<void> {
    const { store } = this.options;
    // Not before it is known which jobs there are: an attempt whose job has ended must not get another one.
    if (this.listedAt === null) return;
    const unplaced = await store.unplaced(MOST);
    this.forgetNotes(unplaced);
    const missing = unplaced.filter(({ attemptId }) => !this.jobs.has(attemptId));
    this.isBusy ||= missing.length > 0;
    for (let at = 0; at < missing.length; at += AT_ONCE)
      await Promise.all(missing.slice(at, at + AT_ONCE).map((attempt) => this.makeJob(attempt)));
  }

  /** Of attempts that were cancelled before they had a job. */
  private forgetNotes(unplaced: readonly UnplacedAttempt[]): void {
    // There may be more that wait.
    if (this.notes.size === 0 || unplaced.length === MOST) return;
    const waiting = new Set(unplaced.map(({ attemptId }) => attemptId));
    const { pods, deleted } = this.follower;
    for (const id of this.notes.keys())
      if (![waiting, this.jobs, pods, deleted].some((known) => known.has(id))) this.notes.delete(id);
  }

  private async makeJob(attempt: UnplacedAttempt): Promise<void> {
    const { attemptId, runId, fence } = attempt;
    const made = await this.options.cluster.makeJob(jobOf(attempt, this.options.settings));
    if (made.kind === 'made') this.know(attemptId, { state: 'active', message: null });
    else if (made.kind === 'refused') await this.note(attemptId, `Kubernetes refuses its job: ${made.message}`);
    else if (made.kind === 'exists' && made.job.runId === runId && made.job.fence === String(fence))
      this.know(attemptId, made.job);
    else await this.giveUp(attemptId, { kind: 'failed', exitCode: null, message: this.whyNever(made, attemptId) });
  }

  private whyNever(made: Made, attemptId: string): string {
    if (made.kind === 'invalid') return `Kubernetes refuses its job: ${made.message}`;
    const name = jobNameOf(this.options.settings, attemptId);
    return `there is a job ${name} that is not of this attempt; does another installation use the same namespace and name?`;
  }

  private async lookAtAll(): Promise<void> {
    const { pods, deleted } = this.follower;
    const all = new Set([...this.jobs.keys(), ...pods.keys(), ...deleted.keys()]);
    const ids = [...all].filter((id) => !this.settled.has(id));
    if (ids.length === 0) return;
    this.isBusy = true;
    // Not before pods are known: a job without one would seem to have lost it.
    if (!this.follower.isListed) return;
    const open = new Map((await this.options.store.open(ids)).map((attempt) => [attempt.attemptId, attempt]));
    for (const id of ids) await this.lookAt(id, open.get(id));
  }

  private async lookAt(attemptId: string, attempt: OpenAttempt | undefined): Promise<void> {
    if (attempt === undefined) return this.settle(attemptId);
    const verdict = this.verdictOf(attemptId);
    if (verdict.kind === 'ended') return this.giveUp(attemptId, verdict.outcome);
    if (attempt.isCancelled) this.unwanted.add(attemptId);
    else if (!attempt.isTaken && verdict.kind === 'waits') await this.note(attemptId, verdict.why);
  }

  /** What its pod says; what its job says where there is no pod. */
  private verdictOf(attemptId: string): PodVerdict {
    const { clock, settings } = this.options;
    const now = clock.now().getTime();
    const pod = this.follower.pods.get(attemptId);
    if (pod !== undefined) return judgePod(pod, now, settings.startMs);
    const deleted = this.follower.deleted.get(attemptId);
    if (deleted !== undefined) return { kind: 'ended', outcome: outcomeOfDeleted(deleted) };
    const job = this.jobs.get(attemptId);
    if (job?.state !== 'ended') {
      const isLate = job?.state === 'active' && now - job.since >= POD_MS;
      const command = `kubectl describe job ${jobNameOf(settings, attemptId)}`;
      return { kind: 'waits', why: isLate ? `Its job has no pod; \`${command}\` says why.` : null };
    }
    const because = job.message === null ? '' : `: ${job.message}`;
    return { kind: 'ended', outcome: { kind: 'lost', message: `its job ended, and its pod is gone${because}` } };
  }

  /** The attempt has ended: what is left of it is given a moment to end by itself, unless it has not even begun. */
  private settle(attemptId: string): void {
    const now = this.options.clock.now().getTime();
    const since = this.endedAt.get(attemptId) ?? now;
    this.endedAt.set(attemptId, since);
    const pod = this.follower.pods.get(attemptId);
    if (pod?.status?.phase === 'Running' && now - since < LEAVE_MS) return;
    const isGone = this.follower.deleted.has(attemptId) || this.jobs.get(attemptId)?.state === 'ended';
    const isLeaving = this.jobs.get(attemptId)?.state === 'leaving';
    if (!isLeaving && (pod === undefined ? !isGone : !hasEnded(pod))) return void this.unwanted.add(attemptId);
    this.jobs.delete(attemptId);
    this.endedAt.delete(attemptId);
    this.notes.delete(attemptId);
    this.follower.forget(attemptId);
    this.settled.add(attemptId);
  }

  private async giveUp(attemptId: string, outcome: Outcome): Promise<void> {
    const given = await this.options.store.giveUp([{ attemptId, outcome }]);
    if (given.length > 0) this.options.onGivenUp(given.length);
  }

  private async removeJobs(): Promise<void> {
    const { cluster, settings } = this.options;
    for (const attemptId of this.unwanted) {
      if (this.jobs.get(attemptId)?.state !== 'leaving') await cluster.removeJob(jobNameOf(settings, attemptId));
      this.know(attemptId, { state: 'leaving', message: null });
      this.unwanted.delete(attemptId);
    }
  }

  private know(attemptId: string, { state, message }: Pick<SeenJob, 'state' | 'message'>): void {
    this.jobs.set(attemptId, { state, message, since: this.options.clock.now().getTime() });
  }

  private async note(attemptId: string, note: string | null): Promise<void> {
    if ((this.notes.get(attemptId) ?? null) === note) return;
    await this.options.store.note([{ attemptId, note }]);
    if (note === null) this.notes.delete(attemptId);
    else this.notes.set(attemptId, note);
  }

  /** A failure is told when it begins. */
  private async part(what: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
      this.failing.delete(what);
    } catch (error) {
      if (!this.failing.has(what)) this.options.problem(what, error);
      this.failing.add(what);
    }
  }
}
