/** A clock that moves from one thing that is due to the next. Epoch milliseconds. */
export class SimulatedTime {
  #due: { readonly at: number; readonly act: () => Promise<void> }[] = [];

  constructor(public now: number) {}

  /** Things of one instant happen in the order in which they were asked for. */
  at(instant: number, act: () => Promise<void>): void {
    const after = this.#due.findIndex(({ at }) => at > instant);
    this.#due.splice(after === -1 ? this.#due.length : after, 0, { at: Math.max(instant, this.now), act });
  }

  get next(): number | null {
    return this.#due[0]?.at ?? null;
  }

  /** Moves the clock to the next thing and does it; false when there is none. */
  async step(): Promise<boolean> {
    const [next] = this.#due.splice(0, 1);
    if (next === undefined) return false;
    this.now = next.at;
    await next.act();
    return true;
  }
}
