import { SluiceError, type Clock } from '#core';

const CLIENTS_KEPT = 10_000;

/** Counts failures per client in fixed windows and refuses further tries once there were `most`. */
export class FailureLimit {
  readonly #windows = new Map<string, { since: number; failures: number }>();

  constructor(
    private readonly limit: { readonly most: number; readonly windowMs: number },
    private readonly clock: Pick<Clock, 'now'>,
  ) {}

  /** Throws `unauthorized` with `details.retryAfterMs` while the client has to wait. */
  check(client: string): void {
    const window = this.#windows.get(client);
    if (window === undefined || window.failures < this.limit.most) return;
    const retryAfterMs = window.since + this.limit.windowMs - this.clock.now().getTime();
    if (retryAfterMs > 0)
      throw new SluiceError('unauthorized', 'Too many failed logins from this address.', {
        hint: `Try again in ${Math.ceil(retryAfterMs / 1000)} seconds.`,
        details: { retryAfterMs },
      });
    this.#windows.delete(client);
  }

  note(client: string): void {
    const now = this.clock.now().getTime();
    const window = this.#windows.get(client);
    if (window !== undefined && now < window.since + this.limit.windowMs) {
      window.failures += 1;
      return;
    }
    this.#windows.delete(client);
    // Oldest first: a flood of addresses costs bounded memory.
    const [oldest] = this.#windows.keys();
    if (this.#windows.size >= CLIENTS_KEPT && oldest !== undefined) this.#windows.delete(oldest);
    this.#windows.set(client, { since: now, failures: 1 });
  }
}
