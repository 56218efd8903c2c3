import type { MessageEvent } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { exhaustMap, filter, finalize, interval, map, merge, Observable, takeUntil, Subject } from 'rxjs';
import type { LogLineShape } from '#contracts';
import type { Auth } from '#platform';
import type { AttemptKey, Events, Reads } from './ports.ts';

/** Characters that may wait for a client that does not read; past it the connection is dropped, and the client resumes. */
export const STREAM_LIMIT = 1024 * 1024;
const HEARTBEAT_MS = 15_000;
const LOOK_AGAIN_MS = 5_000;

/** Adds a comment every 15 seconds, so that proxies keep the connection and clients notice a dead one. Ends with `source`. */
export function heartbeat(source: Observable<MessageEvent>): Observable<MessageEvent> {
  const ended = new Subject<void>();
  const beats = interval(HEARTBEAT_MS).pipe(
    map((): MessageEvent => ({ comment: 'still here' })),
    takeUntil(ended),
  );
  // The beats first: a source that ends while it is subscribed to must find them listening.
  return merge(beats, source.pipe(finalize(() => ended.next())));
}

/**
 * Ends with `source`, or within five seconds once the credentials that opened it no longer hold: a token that was revoked
 * must not go on listening.
 */
export function whileCredentialsHold(
  source: Observable<MessageEvent>,
  auth: Pick<Auth, 'identify'>,
  { headers }: Pick<FastifyRequest, 'headers'>,
): Observable<MessageEvent> {
  const refused = interval(LOOK_AGAIN_MS).pipe(
    exhaustMap(() =>
      auth.identify(headers.authorization, headers.cookie).then(
        (credential) => credential === null,
        // A database that is away says nothing about the token; there is nothing to be told either.
        () => false,
      ),
    ),
    filter(Boolean),
  );
  return source.pipe(takeUntil(refused));
}

export function eventStream(
  events: Events,
  topics: readonly string[],
  lastEventId: string | null,
): Observable<MessageEvent> {
  return new Observable((subscriber) =>
    events.subscribe(topics, lastEventId, {
      event: (id, event) => subscriber.next({ id, data: event }),
      reset: (id) => subscriber.next({ type: 'reset', id, data: '{}' }),
    }),
  );
}

/** Each message's id is the number of its last line: whoever lost the connection goes on behind it, see `lineToGoOn`. */
export function logStream(
  reads: Pick<Reads, 'followLog'>,
  key: AttemptKey,
  fromLine: number,
): Observable<MessageEvent> {
  return new Observable((subscriber) => {
    const stop = new AbortController();
    reads
      .followLog(key, fromLine, (lines) => subscriber.next(linesMessage(lines)), stop.signal)
      .then(
        () => {
          subscriber.next({ type: 'end', data: '{}' });
          subscriber.complete();
        },
        (error: unknown) => subscriber.error(error),
      );
    return () => stop.abort();
  });
}

/** Where a log is told from on to a client that asks from line `from` on and was told messages up to `lastEventId` before. */
export function lineToGoOn(from: number, lastEventId: string | undefined): number {
  return /^\d{1,9}$/.test(lastEventId ?? '') ? Math.max(from, Number(lastEventId) + 1) : from;
}

function linesMessage(lines: readonly LogLineShape[]): MessageEvent {
  return { type: 'lines', id: String(lines.at(-1)?.n ?? 0), data: [...lines] };
}
