/** What a test server should do instead of its work. */
export class FaultQueue<Fault> {
  private readonly pending: { readonly point: string; readonly fault: Fault; left: number }[] = [];

  /** The next `times` occasions at `point` (`*`: anywhere) get this fault; `Infinity` until `clear`. */
  add(point: string, fault: Fault, times: number): void {
    this.pending.push({ point, fault, left: times });
  }

  clear(): void {
    this.pending.length = 0;
  }

  take(point: string): Fault | null {
    const at = this.pending.findIndex((entry) => entry.point === point || entry.point === '*');
    const entry = this.pending[at];
    if (entry === undefined) return null;
    entry.left -= 1;
    if (entry.left <= 0) this.pending.splice(at, 1);
    return entry.fault;
  }
}
