import {
  SluiceError,
  type Assignment,
  type AttemptReport,
  type ClaimedAttempt,
  type Clock,
  type Executor,
  type HeldAttempt,
} from '#core';
import type { AttemptSource, Handled, Hear } from './attempt-source.ts';
import { Reports } from './reports.ts';
import { Slots } from './slots.ts';
import { together } from './together.ts';
import type { WorkApi } from './work-api.ts';

export interface AttemptWorkerOptions {
  readonly api: WorkApi;
  /** Where it hears of attempts that wait. */
  readonly hear: Hear;
  /** Executes attempts on this machine. */
  readonly executor: Executor & { readonly capacity: number };
  /** Keeps what came with an attempt; what the executor is given in its place. */
  readonly keep: (claimed: ClaimedAttempt) => Assignment;
  /** It is over. */
  readonly forget: (attemptId: string) => void;
  readonly clock: Clock;
  readonly say: (what: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly problem: (what: string, error: unknown) => void;
}

interface Active {
  readonly since: number;
  readonly done: () => void;
  /** It is somebody else's by now: what it comes to is told to nobody. */
  isTaken: boolean;
}

const MOST_CLAIMS = 100;
const SIGN_IN_AGAIN_MS = 2000;

/**
 * Executes attempts that wait. It claims each through the API before it begins and reports how it ended; what
 * the API does not count as its own any more it ends.
 */
export class AttemptWorker {
  private readonly active = new Map<string, Active>();
  private readonly source: AttemptSource;
  private readonly reports: Reports;
  private readonly slots: Slots;
  private readonly claim: (attemptId: string) => Promise<ClaimedAttempt | null>;
  /** Held here by the API's account, and unknown: seen once already. */
  private unknown = new Set<string>();
  private stopBeating = (): void => undefined;
  private beating: Promise<void> = Promise.resolve();
  private stopping = false;
  /** It beats no more: one that was under way when it stopped must not have others follow it. */
  private hasStopped = false;
  private worker = '';

  constructor(private readonly options: AttemptWorkerOptions) {
    const { api, clock, problem, executor } = options;
    this.reports = new Reports({
      ...{ api, clock, problem },
      onRefused: (attemptIds) => options.say('results that were not this worker’s to report any more', { attemptIds }),
    });
    this.slots = new Slots(executor.capacity, () => this.source.setFree(this.slots.free));
    this.claim = together(MOST_CLAIMS, async (attemptIds: readonly string[]) => {
      const taken = new Map((await api.claim(attemptIds)).map((one) => [one.assignment.attemptId, one]));
      return attemptIds.map((id) => taken.get(id) ?? null);
    });
    this.source = options.hear((id) => this.handle(id));
    executor.onReport((report) => this.onReport(report));
  }

  /** Signs in and works from then on. Throws what the API refuses it for. */
  async start(): Promise<void> {
    const { worker, beatMs } = await this.options.api.signIn();
    this.worker = worker;
    await this.beat();
    this.beatEvery(beatMs);
  }

  /** Takes nothing more, gives what runs `graceMs` to end, reports everything and signs out. */
  async stop(graceMs: number): Promise<void> {
    this.stopping = true;
    await this.source.close();
    // Beats go on meanwhile: what runs is ours until it is reported.
    await this.options.executor.stop(graceMs);
    await this.reports.idle();
    this.hasStopped = true;
    this.stopBeating();
    await this.beating;
    await this.options.api.signOut().catch(() => undefined); // found dead a little later
  }

  /** An attempt waits, says the source. */
  private async handle(attemptId: string): Promise<Handled> {
    await this.slots.take();
    // How long the attempt took, not how long it was asked for: that is what taking ahead is to hide.
    let since: number | null = null;
    let size = 1;
    try {
      const claimed = this.stopping ? null : await this.claim(attemptId);
      if (claimed === null) return 'not-ours';
      size = this.sizeOf(claimed);
      if (size > 1) this.slots.force(size - 1);
      since = this.options.clock.now().getTime();
      await this.execute(claimed);
      return 'over';
    } catch (error) {
      // Nobody took it: it is found again when it has waited for a while.
      this.options.problem('claiming an attempt', error);
      return 'unasked';
    } finally {
      this.slots.give(since === null ? null : this.options.clock.now().getTime() - since, size);
    }
  }

  /** Resolves when it has ended. */
  private execute(claimed: ClaimedAttempt): Promise<void> {
    const { attemptId } = claimed.assignment;
    if (this.active.has(attemptId)) return Promise.resolve();
    const kept = this.options.keep(claimed);
    return new Promise((done) => {
      this.active.set(attemptId, { since: this.options.clock.now().getTime(), done, isTaken: false });
      this.options.executor.dispatch([kept]);
    });
  }

  private onReport(report: AttemptReport): void {
    if (report.kind === 'started') return;
    if (report.kind === 'progress') {
      const { attemptId, done, total, label } = report;
      return this.reports.hint({ attemptId, done, total, label });
    }
    const { attemptId } = report.result;
    const active = this.active.get(attemptId);
    this.active.delete(attemptId);
    this.options.forget(attemptId);
    if (active?.isTaken !== true) this.reports.add(report.result);
    active?.done();
  }

  private beatEvery(ms: number): void {
    if (this.hasStopped) return;
    this.stopBeating = this.options.clock.schedule(ms, () => {
      this.beating = this.beat().catch((error: unknown) => this.lostTouch(error));
      void this.beating.then(() => this.beatEvery(ms));
    });
  }

  private async beat(): Promise<void> {
    const before = new Set(this.active.keys());
    const { queues, held, taken } = await this.options.api.beat(this.stopping ? 0 : this.slots.free);
    this.look(before, held, new Set(taken.map(({ assignment }) => assignment.attemptId)));
    if (!this.stopping) this.source.serve(queues);
    for (const claimed of taken) {
      const size = this.sizeOf(claimed);
      this.slots.force(size);
      const since = this.options.clock.now().getTime();
      void this.execute(claimed).then(() => this.slots.give(this.options.clock.now().getTime() - since, size));
    }
  }

  /** What it takes of this worker: with replicas one for each, as far as there are so many. */
  private sizeOf({ assignment }: ClaimedAttempt): number {
    return Math.min(this.options.executor.capacity, assignment.replicas?.count ?? 1);
  }

  /** Ends what is not ours any more, and what somebody asked to end; gives back what never came here. */
  private look(before: ReadonlySet<string>, held: readonly HeldAttempt[], taken: ReadonlySet<string>): void {
    const { executor } = this.options;
    const ours = new Map(held.map((one) => [one.attemptId, one]));
    for (const attemptId of before) {
      const active = this.active.get(attemptId);
      if (active === undefined || active.isTaken) continue;
      const cancel = ours.get(attemptId)?.cancel;
      if (cancel) executor.cancel(attemptId, cancel);
      if (ours.has(attemptId)) continue;
      active.isTaken = true;
      executor.cancel(attemptId, 'it was taken away from this worker');
    }
    const strange = held.filter(({ attemptId: id }) => !this.active.has(id) && !taken.has(id) && !this.reports.has(id));
    // Perhaps on its way to us, or back: only what is strange twice in a row is.
    for (const { attemptId, runId, fence } of strange.filter(({ attemptId: id }) => this.unknown.has(id)))
      this.reports.add(lost(attemptId, runId, fence, this.options.clock.now().getTime()));
    this.unknown = new Set(strange.map(({ attemptId }) => attemptId));
  }

  /** The API does not answer, or does not know us any more. In the latter case everything here is somebody else's. */
  private async lostTouch(error: unknown): Promise<void> {
    if (!(error instanceof SluiceError && error.code === 'forbidden')) {
      this.options.problem('saying that this worker lives', error);
      return;
    }
    for (const [attemptId, active] of this.active) {
      active.isTaken = true;
      this.options.executor.cancel(attemptId, 'this worker was given up');
    }
    this.reports.clear();
    if (this.stopping) return;
    try {
      this.worker = (await this.options.api.signIn()).worker;
      this.options.say('signed in anew', { worker: this.worker });
    } catch (refused) {
      this.options.problem('signing in anew', refused);
      await new Promise<void>((resolve) => this.options.clock.schedule(SIGN_IN_AGAIN_MS, resolve));
    }
  }
}

/** Its claim's answer never came here, so it never began. */
function lost(attemptId: string, runId: string, fence: number, at: number) {
  return {
    ...{ attemptId, runId, fence, outcome: { kind: 'lost', message: 'its worker was never told of it' } as const },
    ...{ startedAt: at, finishedAt: at, outputs: {}, metrics: [], summary: null, versions: [], logLines: 0 },
  };
}
