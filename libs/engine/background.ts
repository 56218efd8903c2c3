/** Work that nobody awaits at the place where it begins, so that stopping can wait for it. What is added must not reject. */
export class Background {
  private readonly open = new Set<Promise<void>>();

  add(work: Promise<void>): void {
    const tracked = work.finally(() => this.open.delete(tracked));
    this.open.add(tracked);
  }

  get isIdle(): boolean {
    return this.open.size === 0;
  }

  async idle(): Promise<void> {
    while (!this.isIdle) await Promise.all(this.open);
  }
}
