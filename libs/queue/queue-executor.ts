import type {
  Assignment,
  AssignmentStore,
  AttemptNews,
  AttemptReport,
  AttemptResult,
  Clock,
  Executor,
  Storage,
} from '#core';
import { onlyOwnVersions } from '#core';
import type { Broker } from './broker.ts';

export interface QueueExecutorOptions {
  /** The scheduler's: it hears of the attempts of the runs that this process owns. */
  readonly processId: string;
  readonly store: AssignmentStore;
  readonly broker: Broker;
  readonly storageFor: (environment: string) => Pick<Storage, 'readEvidence'>;
  readonly clock: Clock;
  /** Something failed that is tried again. */
  readonly problem: (what: string, error: unknown) => void;
  /** Attempts were taken from workers that are dead. */
  readonly onReaped: (count: number) => void;
}

const NEWS = 500;
/** Told again when Redis forgot them; what lies beyond is found by workers that have nothing to do. */
const RETOLD = 50_000;
const AGAIN_MS = 1000;

/**
 * Has attempts executed by workers elsewhere. Postgres holds them; Redis is told that they wait, and may forget it.
 * `look` is to be called once a second and whenever there is news.
 */
export class QueueExecutor implements Executor {
  readonly outlivesProcess = true;
  private listener: (report: AttemptReport) => void = () => undefined;
  private readonly unwritten: Assignment[] = [];
  private readonly cancelled: { readonly attemptId: string; readonly reason: string }[] = [];
  /** Fenced attempts whose evidence could not be read yet. */
  private readonly unjudged: AttemptNews[] = [];
  private writing: Promise<void> | null = null;
  private remembers = false;
  /** News was asked for, and no answer came: it may have been taken. */
  private mayHaveMissed = false;
  private stopped = false;

  constructor(private readonly options: QueueExecutorOptions) {}

  onReport(listener: (report: AttemptReport) => void): void {
    this.listener = listener;
  }

  dispatch(assignments: readonly Assignment[]): void {
    this.unwritten.push(...assignments);
    this.write();
  }

  isBacklogged(): boolean {
    return false;
  }

  cancel(attemptId: string, reason: string): void {
    this.cancelled.push({ attemptId, reason });
    this.write();
  }

  /** What runs goes on. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.writing;
    await this.options.broker.close();
  }

  /** Ends attempts of dead workers, hears what workers told, tells Redis again what it forgot. Each part fails alone. */
  async look(): Promise<void> {
    await this.part('looking for dead workers', async () => {
      const reaped = await this.options.store.reap();
      if (reaped > 0) this.options.onReaped(reaped);
    });
    await this.part('reading what workers report', () => this.hear());
    // Redis tells of its own outages.
    if (!this.stopped) await this.tellAgain().catch(() => undefined);
  }

  /** One write at a time; what comes meanwhile is written together. */
  private write(): void {
    if (this.stopped) return;
    this.writing ??= this.writeAll().then(
      () => {
        this.writing = null;
        // What came after the last look at the list and before this.
        if (this.unwritten.length + this.cancelled.length > 0) this.write();
      },
      (error: unknown) => {
        this.writing = null;
        this.options.problem('handing attempts over', error);
        this.options.clock.schedule(AGAIN_MS, () => this.write());
      },
    );
  }

  private async writeAll(): Promise<void> {
    const { store } = this.options;
    // One turn of the event loop: what came together is written together.
    await Promise.resolve();
    while (this.unwritten.length + this.cancelled.length > 0) {
      const assignments = [...this.unwritten];
      // After the attempts: a stop may be decided before they are written.
      const cancelled = [...this.cancelled];
      if (assignments.length > 0) await store.put(assignments);
      this.unwritten.splice(0, assignments.length);
      await this.tell(assignments);
      if (cancelled.length > 0) await store.cancel(cancelled);
      this.cancelled.splice(0, cancelled.length);
    }
  }

  /** Redis need not be there: what it is not told now it is told when it is back. */
  private async tell(assignments: readonly Assignment[]): Promise<void> {
    if (!this.remembers || assignments.length === 0) return;
    try {
      await this.options.broker.tell(assignments);
    } catch {
      // Told of by the look that follows.
      this.remembers = false;
    }
  }

  private async tellAgain(): Promise<void> {
    const { broker, store } = this.options;
    if (this.remembers && (await broker.remembers().catch(() => false))) return;
    this.remembers = false;
    await broker.mark();
    this.remembers = true;
    const waiting = await store.waiting(RETOLD);
    if (waiting.length > 0) await broker.tell(waiting);
  }

  private async hear(): Promise<void> {
    const { store, processId } = this.options;
    for (const news of this.unjudged.splice(0)) await this.say(news);
    if (this.mayHaveMissed) await store.tellAnew(processId);
    for (let heard = NEWS; heard === NEWS && !this.stopped;) {
      this.mayHaveMissed = true;
      const all = await store.takeNews(processId, NEWS);
      this.mayHaveMissed = false;
      heard = all.length;
      for (const news of all) await this.say(news);
    }
  }

  private async say(news: AttemptNews): Promise<void> {
    const { assignment, result, fenced, claimedAt, worker } = news;
    const { attemptId, runId, fence } = assignment;
    if (result !== null && !fenced)
      return this.listener({ kind: 'finished', result: onlyOwnVersions(assignment, result) });
    if (!fenced) return this.listener({ kind: 'started', attemptId, runId, fence, at: claimedAt, pid: null, worker });
    try {
      this.listener({ kind: 'finished', result: await this.leftBehind(news) });
    } catch (error) {
      // At the next look; what else was heard must not wait for it.
      this.unjudged.push(news);
      this.options.problem('reading the evidence of an attempt', error);
    }
  }

  /**
   * The evidence of an attempt whose worker died; without any it is what was said of it, or lost. Its fence has risen
   * before.
   */
  private async leftBehind({ assignment, claimedAt, worker, result }: AttemptNews): Promise<AttemptResult> {
    const { attemptId, runId, taskId, mapIndex, fence, environment } = assignment;
    const key = { runId, taskId, mapIndex, fence };
    const evidence = await this.options.storageFor(environment).readEvidence(key);
    if (evidence !== null) return onlyOwnVersions(assignment, { ...evidence, attemptId });
    if (result !== null) return result;
    return {
      ...{ attemptId, runId, fence, outcome: { kind: 'lost', message: `${worker}, which executed it, died` } },
      ...{ startedAt: claimedAt, finishedAt: this.options.clock.now().getTime() },
      ...{ outputs: {}, metrics: [], summary: null, versions: [], logLines: 0 },
    };
  }

  private async part(what: string, act: () => Promise<void>): Promise<void> {
    try {
      if (!this.stopped) await act();
    } catch (error) {
      this.options.problem(what, error);
    }
  }
}
