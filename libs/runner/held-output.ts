/** Whose output is left in its pipes, each until what its listener waits for resolves. */
export class HeldOutput {
  readonly #ids = new Set<number>();
  readonly #hold: (id: number) => void;
  readonly #goOn: (id: number) => void;

  constructor(hold: (id: number) => void, goOn: (id: number) => void) {
    this.#hold = hold;
    this.#goOn = goOn;
  }

  /** Null: nothing to wait for. */
  until(id: number, behind: Promise<void> | null): void {
    if (behind === null || this.#ids.has(id)) return;
    this.#ids.add(id);
    this.#hold(id);
    void behind.then(() => {
      this.#ids.delete(id);
      this.#goOn(id);
    });
  }
}
