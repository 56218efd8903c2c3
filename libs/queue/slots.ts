/** Below this mean an attempt is over before the next one could be asked for: as many more are taken ahead. */
const SHORT_MS = 250;
/** How much the newest attempt says about the next ones. */
const WEIGHT = 0.1;

/** How many attempts a worker takes at once: as many as it executes, and twice as many while they are short. */
export class Slots {
  #used = 0;
  #meanMs = Infinity;
  readonly #waiting: (() => void)[] = [];

  /** `onChange` is told after each change. */
  constructor(
    private readonly capacity: number,
    private readonly onChange: () => void = () => undefined,
  ) {}

  /** That could be taken now. */
  get free(): number {
    return Math.max(0, (this.#meanMs < SHORT_MS ? 2 : 1) * this.capacity - this.#used);
  }

  /** Resolves once there is one, in the order of asking. */
  async take(): Promise<void> {
    if (this.free > 0) this.force();
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Takes so many that may not be there. */
  force(count = 1): void {
    this.#used += count;
    this.onChange();
  }

  /** Gives so many back; `tookMs`: how long they were used for, null: for nothing. */
  give(tookMs: number | null, count = 1): void {
    this.#used -= count;
    if (tookMs !== null)
      this.#meanMs = this.#meanMs === Infinity ? tookMs : this.#meanMs * (1 - WEIGHT) + tookMs * WEIGHT;
    while (this.free > 0 && this.#waiting.length > 0) {
      this.#used++;
      this.#waiting.shift()!();
    }
    this.onChange();
  }
}
