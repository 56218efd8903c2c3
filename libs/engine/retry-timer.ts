import type { Clock } from '#core';
import type { OwnedRun } from './owned-run.ts';

/** One timer for the earliest of all times that task runs wait for. */
export class RetryTimer {
  private cancel: (() => void) | null = null;
  private armedFor = Number.POSITIVE_INFINITY;
  private stopped = false;

  constructor(
    private readonly clock: Clock,
    private readonly runs: () => Iterable<OwnedRun>,
    private readonly onDue: (runId: string) => void,
  ) {}

  /** Something becomes due at this time (epoch milliseconds); later than what is awaited already changes nothing. */
  arm(at: number): void {
    if (at >= this.armedFor || this.stopped) return;
    this.cancel?.();
    this.armedFor = at;
    this.cancel = this.clock.schedule(Math.max(0, at - this.clock.now().getTime()), () => this.fire());
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
  }

  private fire(): void {
    this.armedFor = Number.POSITIVE_INFINITY;
    const now = this.clock.now().getTime();
    let next = Number.POSITIVE_INFINITY;
    for (const run of this.runs()) {
      let due = false;
      for (const { retryAt } of run.cache.timers) {
        if (retryAt === null) continue;
        if (retryAt <= now) due = true;
        else next = Math.min(next, retryAt);
      }
      if (due) this.onDue(run.record.id);
    }
    if (next < Number.POSITIVE_INFINITY) this.arm(next);
  }
}
