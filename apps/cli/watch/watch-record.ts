import { SluiceError } from '#core';
import type { SluiceClient } from '#contracts/client';
import type { LiveEvent } from '#contracts';

/** Changes are gathered this long before the record is fetched again. */
const GATHER_MS = 100;
/** How often it is fetched although nothing was heard: events are hints. */
const POLL_MS = 5_000;

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** Told once each time the server stops answering. */
  readonly onLost?: () => void;
}

/** A record that changes until it has ended. */
export interface Watched<Record> {
  readonly fetch: () => Promise<Record>;
  readonly hasEnded: (record: Record) => boolean;
  /** Topic of the live events that may be about it, and which of them are. */
  readonly topic: string;
  readonly isAbout: (event: LiveEvent) => boolean;
}

/**
 * Yields the record as it is now and after each change, until it has ended or the signal aborts.
 * A server that stops answering is waited for; any other refusal is thrown.
 */
export async function* watchRecord<Record>(
  client: SluiceClient,
  { fetch, hasEnded, topic, isAbout }: Watched<Record>,
  { signal, onLost }: WatchOptions,
): AsyncGenerator<Record> {
  const stop = new AbortController();
  const changes = new Changes();
  void listen(client, topic, isAbout, AbortSignal.any([signal, stop.signal]), changes);
  let isLost = false;
  try {
    while (!signal.aborted) {
      changes.forget();
      try {
        const record = await fetch();
        isLost = false;
        yield record;
        if (hasEnded(record)) return;
      } catch (error) {
        if (!(error instanceof SluiceError) || !['unavailable', 'timeout'].includes(error.code)) throw error;
        if (!isLost) onLost?.();
        isLost = true;
      }
      await changes.next(isLost ? 1_000 : POLL_MS, signal);
      await changes.pause(GATHER_MS, signal);
    }
  } finally {
    stop.abort();
  }
}

async function listen(
  client: SluiceClient,
  topic: string,
  isAbout: (event: LiveEvent) => boolean,
  signal: AbortSignal,
  changes: Changes,
): Promise<void> {
  try {
    for await (const message of client.events([topic], { signal }))
      if (message.kind === 'reset' || isAbout(message.event)) changes.note();
  } catch {
    // A server without the stream, or one that refuses it: asking every few seconds remains.
  }
}

/** Whether something changed since the last look; several changes are one. */
class Changes {
  #pending = false;
  #wake: () => void = () => undefined;

  note(): void {
    this.#pending = true;
    this.#wake();
  }

  forget(): void {
    this.#pending = false;
  }

  /** Resolves at the next change, at once if there was one since `forget`, or after `ms`. */
  async next(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#pending) await this.pause(ms, signal, true);
  }

  pause(ms: number, signal: AbortSignal, wakeable = false): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      if (wakeable) this.#wake = done;
      if (signal.aborted) done();
      else signal.addEventListener('abort', done, { once: true });
    });
  }
}
