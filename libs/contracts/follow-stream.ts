import { SluiceError } from '#core';
import { send, type ClientOptions, type Query } from './request.ts';
import { readServerSentEvents, type ServerSentEvent } from './server-sent-events.ts';

export interface FollowOptions {
  /** Ends the stream quietly. */
  readonly signal?: AbortSignal;
  /** Told about each lost connection before the next try. */
  readonly onLost?: (error: unknown, retryInMs: number) => void;
}

interface StreamAddress {
  readonly path: string;
  readonly query: Query;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5_000;

/**
 * Yields a stream's messages, opening it again whenever the connection is lost; `address` is asked before each try,
 * so it can name where to resume. Each connection begins with a message `open`. Ends only with the signal;
 * throws when the server refuses (anything but `unavailable` and `timeout`).
 */
export async function* followStream(
  options: ClientOptions,
  address: () => StreamAddress,
  { signal, onLost }: FollowOptions,
): AsyncGenerator<ServerSentEvent> {
  let delayMs = FIRST_DELAY_MS;
  while (!signal?.aborted) {
    let lost: unknown = null;
    try {
      const { path, query, headers } = address();
      const response = await send(options, 'GET', path, { query, headers, signal, stream: true });
      yield { id: null, event: 'open', data: '' };
      if (response.body === null) throw new SluiceError('internal', `GET ${path} sent no body.`);
      for await (const message of readServerSentEvents(response.body, options.idleMs ?? 45_000)) {
        delayMs = FIRST_DELAY_MS;
        yield message;
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (error instanceof SluiceError && error.code !== 'unavailable' && error.code !== 'timeout') throw error;
      lost = error;
    }
    if (signal?.aborted) return;
    onLost?.(lost, delayMs);
    await pause(delayMs, signal);
    delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS);
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
