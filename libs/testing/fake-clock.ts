import type { Clock } from '#core';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  private readonly timers = new Set<Timer>();
  private time: number;

  constructor(at: string | number) {
    this.time = new Date(at).getTime();
  }

  now(): Date {
    return new Date(this.time);
  }

  schedule(ms: number, callback: () => void): () => void {
    const timer = { at: this.time + ms, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Moves to `instant`; `settle` is awaited after each timer that rings on the way, in the order of their times. */
  async moveTo(instant: number, settle: () => Promise<void>): Promise<void> {
    for (;;) {
      const [next] = [...this.timers].filter((timer) => timer.at <= instant).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.callback();
      await settle();
    }
    this.time = instant;
    await settle();
  }

  /** A clock that shows the same time; its timers never ring again after `kill`, as those of a process that was killed. */
  view(): Clock & { kill(): void } {
    let dead = false;
    return {
      now: () => this.now(),
      schedule: (ms, callback) => this.schedule(ms, () => dead || callback()),
      kill: () => void (dead = true),
    };
  }
}
