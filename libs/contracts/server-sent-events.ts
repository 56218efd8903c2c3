import { SluiceError } from '#core';

/** One message of a `text/event-stream`; `event` is `message` when the server named none. */
export interface ServerSentEvent {
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

/**
 * Yields the messages of an event stream until the server closes it.
 * Throws `unavailable` when nothing arrives for `idleMs`: the server sends a comment at least every 15 seconds,
 * so silence means a connection that died without saying so.
 */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array>,
  idleMs: number,
): AsyncGenerator<ServerSentEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  /** The beginning of a line that is not finished: told apart from what comes, so that a long one is not looked through again and again. */
  let rest = '';
  /** A `\r` at the end of a chunk: it may be the first half of `\r\n`. */
  let half = '';
  let message = emptyMessage();
  try {
    for (;;) {
      const chunk = await readWithin(reader, idleMs);
      if (chunk === null) return;
      const text = half + decoder.decode(chunk, { stream: true });
      half = text.endsWith('\r') ? '\r' : '';
      const lines = text.slice(0, text.length - half.length).split(/\r\n|\n|\r/);
      lines[0] = rest + lines[0];
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line !== '') {
          addField(message, line);
          continue;
        }
        if (message.data.length > 0) yield { id: message.id, event: message.event, data: message.data.join('\n') };
        message = emptyMessage();
      }
    }
  } finally {
    // The stream may be in an error state already; there is nobody left to tell.
    await reader.cancel().catch(() => undefined);
  }
}

interface OpenMessage {
  id: string | null;
  event: string;
  data: string[];
}

function emptyMessage(): OpenMessage {
  return { id: null, event: 'message', data: [] };
}

function addField(message: OpenMessage, line: string): void {
  if (line.startsWith(':')) return; // a comment: the heartbeat
  const colon = line.indexOf(':');
  const name = colon === -1 ? line : line.slice(0, colon);
  const value = colon === -1 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
  if (name === 'data') message.data.push(value);
  else if (name === 'event') message.event = value;
  else if (name === 'id') message.id = value;
}

async function readWithin(reader: ReadableStreamDefaultReader<Uint8Array>, idleMs: number): Promise<Uint8Array | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new SluiceError('unavailable', `The server sent nothing for ${idleMs / 1000} s.`)),
      idleMs,
    );
  });
  try {
    const { done, value } = await Promise.race([reader.read(), silence]);
    return done ? null : value;
  } finally {
    clearTimeout(timer);
  }
}
