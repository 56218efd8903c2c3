/** A growing list that tests can wait on, so that none of them sleeps. */
export class Arrivals<T> {
  readonly all: T[] = [];
  private readonly waiting = new Set<() => void>();

  add(item: T): void {
    this.all.push(item);
    for (const check of [...this.waiting]) check();
  }

  /** Resolves with the whole list once `enough` holds; rejects after `timeoutMs` with what had arrived. */
  until(enough: (all: readonly T[]) => boolean, timeoutMs = 10_000): Promise<readonly T[]> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (!enough(this.all)) return;
        done();
        resolve(this.all);
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(`waited ${timeoutMs} ms in vain; ${this.all.length} arrived: ${describe(this.all)}`));
      }, timeoutMs);
      const done = (): void => {
        clearTimeout(timer);
        this.waiting.delete(check);
      };
      this.waiting.add(check);
      check();
    });
  }
}

function describe(items: readonly unknown[]): string {
  return JSON.stringify(items)?.slice(0, 2000) ?? '';
}
