import type { AttemptResult, RunEvent } from '#core';
import type { Judged } from './judge-result.ts';

/** A result that waits for its batch, with what the engine made of it. */
export interface Ending {
  readonly result: AttemptResult;
  readonly judged: Judged;
}

/** What `ended` and `started` events refer to, by attempt id. */
export interface AttemptFacts {
  readonly endings: ReadonlyMap<string, Ending>;
  readonly starts: ReadonlyMap<string, { readonly at: number; readonly pid: number | null }>;
  /** How many times an attempt takes the slots of its task. */
  replicas(attemptId: string): number;
}

/** Where a live attempt belongs. */
export interface AttemptPlace {
  readonly runId: string;
  readonly taskIndex: number;
  readonly mapIndex: number;
  /** Null: its task has none. */
  readonly replicas: number | null;
}

/** Results of attempts that nobody asked about are kept up to this many. */
const MAX_STRAYS = 1000;

/**
 * What is known of the attempts that this process was told of: where they belong, what was heard of them. It outlives
 * the caches of their runs: a result that comes while its run is being loaded again must not be lost.
 */
export class LiveAttempts implements AttemptFacts {
  readonly endings = new Map<string, Ending>();
  readonly starts = new Map<string, { readonly at: number; readonly pid: number | null }>();
  private readonly places = new Map<string, AttemptPlace & { since: number }>();
  private readonly strays = new Map<string, AttemptResult>();

  /** `since`: when it was last handed to the executor, epoch milliseconds. */
  put(attemptId: string, place: AttemptPlace, since: number): void {
    this.places.set(attemptId, { ...place, since });
  }

  place(attemptId: string): AttemptPlace | undefined {
    return this.places.get(attemptId);
  }

  ofRun(runId: string): string[] {
    return [...this.places].flatMap(([attemptId, place]) => (place.runId === runId ? [attemptId] : []));
  }

  replicas(attemptId: string): number {
    return this.places.get(attemptId)?.replicas ?? 1;
  }

  /** True when it was handed over before `instant`; then it counts as handed over now. */
  isOlder(attemptId: string, instant: number, now: number): boolean {
    const place = this.places.get(attemptId);
    if (!place || place.since > instant) return false;
    place.since = now;
    return true;
  }

  /** Keeps a result whose run is not in memory; the oldest ones give way. */
  putStray(result: AttemptResult): void {
    this.strays.set(result.attemptId, result);
    if (this.strays.size > MAX_STRAYS) this.strays.delete(this.strays.keys().next().value as string);
  }

  takeStray(attemptId: string): AttemptResult | undefined {
    const stray = this.strays.get(attemptId);
    this.strays.delete(attemptId);
    return stray;
  }

  endedEvent(attemptId: string, { taskIndex, mapIndex }: AttemptPlace): RunEvent {
    const judged = this.endings.get(attemptId)?.judged;
    const outcome = judged?.outcome ?? { kind: 'lost' as const, message: 'its result is gone' };
    const asks = judged?.asks ?? null;
    const gate = { gateClosed: judged?.gateClosed ?? false, ...(asks === null ? {} : { asks }) };
    return { kind: 'ended', attemptId, taskIndex, mapIndex, outcome, ...gate };
  }

  forget(attemptId: string): void {
    this.places.delete(attemptId);
    this.endings.delete(attemptId);
    this.starts.delete(attemptId);
  }
}
