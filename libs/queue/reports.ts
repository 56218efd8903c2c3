import { SluiceError, type AttemptProgress, type AttemptResult, type Clock } from '#core';
import type { WorkApi } from './work-api.ts';

/** In one request, which is bounded: results of one attempt are below 2 MB. */
const MOST = 100;
const MOST_BYTES = 4_000_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2000;

export interface ReportsOptions {
  readonly api: Pick<WorkApi, 'report'>;
  readonly clock: Clock;
  readonly problem: (what: string, error: unknown) => void;
  /** Results that did not count: the attempt was not this worker's any more. */
  readonly onRefused: (attemptIds: readonly string[]) => void;
}

/** Sends results until the API has them, many in one request. Hints of progress go along, and are not sent again. */
export class Reports {
  private results: { readonly result: AttemptResult; readonly bytes: number }[] = [];
  private readonly progress = new Map<string, AttemptProgress>();
  private sending: Promise<void> | null = null;

  constructor(private readonly options: ReportsOptions) {}

  add(result: AttemptResult): void {
    this.progress.delete(result.attemptId);
    this.results.push({ result, bytes: JSON.stringify(result).length });
    this.send();
  }

  hint(progress: AttemptProgress): void {
    this.progress.set(progress.attemptId, progress);
    this.send();
  }

  /** A result of that attempt is not sent yet. */
  has(attemptId: string): boolean {
    return this.results.some(({ result }) => result.attemptId === attemptId);
  }

  /** What is not sent is nobody's any more. */
  clear(): void {
    this.results = [];
    this.progress.clear();
  }

  /** Resolves when everything is sent. */
  async idle(): Promise<void> {
    while (this.sending !== null) await this.sending;
  }

  private send(): void {
    this.sending ??= this.sendAll().finally(() => {
      this.sending = null;
      if (this.results.length > 0) this.send();
    });
  }

  private async sendAll(): Promise<void> {
    // One turn of the event loop: what ended together is told together.
    await Promise.resolve();
    for (let pauseMs = FIRST_PAUSE_MS; this.results.length + this.progress.size > 0;) {
      const group = this.nextGroup();
      const hints = [...this.progress.values()].slice(0, MOST);
      for (const { attemptId } of hints) this.progress.delete(attemptId);
      if (await this.sendGroup(group, hints)) pauseMs = FIRST_PAUSE_MS;
      else {
        await new Promise<void>((resolve) => this.options.clock.schedule(pauseMs, resolve));
        pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
      }
    }
  }

  private nextGroup(): AttemptResult[] {
    let bytes = 0;
    const end = this.results.findIndex(
      (one, index) => index === MOST || (index > 0 && (bytes += one.bytes) > MOST_BYTES),
    );
    return this.results.slice(0, end === -1 ? undefined : end).map(({ result }) => result);
  }

  /** False: to be tried again. */
  private async sendGroup(group: readonly AttemptResult[], hints: readonly AttemptProgress[]): Promise<boolean> {
    try {
      const kept = new Set(await this.options.api.report(group, hints));
      this.drop(group);
      const refused = group.filter(({ attemptId }) => !kept.has(attemptId)).map(({ attemptId }) => attemptId);
      if (refused.length > 0) this.options.onRefused(refused);
      return true;
    } catch (error) {
      const code = error instanceof SluiceError ? error.code : 'internal';
      // A hint that the API cannot read must not cost a result.
      if (code === 'bad_request' && hints.length > 0 && group.length > 0) return this.sendGroup(group, []);
      if (code === 'bad_request') return this.sendOneByOne(group, error);
      if (code !== 'forbidden') return false;
      this.drop(group);
      this.options.onRefused(group.map(({ attemptId }) => attemptId));
      return true;
    }
  }

  /** One that the API cannot read must not keep the others back: what it says of it takes its place. */
  private async sendOneByOne(group: readonly AttemptResult[], error: unknown): Promise<boolean> {
    if (group.length > 1) {
      for (const one of group) if (!(await this.sendGroup([one], []))) return false;
      return true;
    }
    const [result] = group;
    if (result === undefined) return true;
    this.options.problem('reporting an attempt', error);
    this.drop(group);
    const message = `its result could not be reported: ${(error as Error).message}`.slice(0, 10_000);
    const { attemptId, runId, fence, startedAt, finishedAt, logLines } = result;
    const nothing = { outputs: {}, metrics: [], summary: null, versions: [] };
    if (result.outcome.kind === 'failed' && result.outcome.message === message) return true;
    const outcome = { kind: 'failed', exitCode: null, message } as const;
    this.results.push({
      result: { attemptId, runId, fence, startedAt, finishedAt, logLines, ...nothing, outcome },
      bytes: 1000,
    });
    return true;
  }

  private drop(group: readonly AttemptResult[]): void {
    const done = new Set<AttemptResult>(group);
    this.results = this.results.filter(({ result }) => !done.has(result));
  }
}
