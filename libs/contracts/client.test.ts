import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient, type LiveMessage } from './client.ts';
import { readServerSentEvents } from './server-sent-events.ts';

let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let asked: IncomingMessage[];

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error: unknown) => error,
  );

describe('a refusal becomes a SluiceError', () => {
  test('with the code, message, hint and problems of the server', async () => {
    const problems = [{ file: 'a.yaml', line: 1, column: 2, message: 'x' }];
    answer = (_, response) =>
      void response
        .writeHead(422)
        .end(JSON.stringify({ error: { code: 'invalid_config', message: 'm', hint: 'h', problems } }));
    expect(await failure(createClient({ baseUrl: url() }).runs({ env: 'dev' }))).toMatchObject({
      code: 'invalid_config',
      message: 'm',
      hint: 'h',
      details: { status: 422, problems },
    });
  });

  test.each([
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'not_found'],
    [409, 'conflict'],
    [418, 'bad_request'],
    [500, 'internal'],
    [501, 'not_supported'],
    [503, 'unavailable'],
  ])("by its status %d when the body is not the server's: %s", async (status, code) => {
    answer = (_, response) => void response.writeHead(status).end('<html>proxy</html>');
    expect(await failure(createClient({ baseUrl: url() }).system())).toMatchObject({ code, details: { status } });
  });

  test('a code that this client does not know falls back to the status', async () => {
    answer = (_, response) =>
      void response.writeHead(409).end(JSON.stringify({ error: { code: 'new_in_2030', message: 'm' } }));
    expect(await failure(createClient({ baseUrl: url() }).system())).toMatchObject({ code: 'conflict', message: 'm' });
  });

  test('no answer in time is a timeout', async () => {
    answer = () => undefined;
    expect(await failure(createClient({ baseUrl: url(), timeoutMs: 100 }).system())).toMatchObject({ code: 'timeout' });
  });
});

test('ids and names cannot leave their place in the address', async () => {
  answer = (_, response) => void response.end('{}');
  const client = createClient({ baseUrl: `${url()}/` });
  await client.run('../a?b#c');
  await client.pipeline('x/y', 'dev&env=prod');
  expect(asked.map((request) => request.url)).toEqual([
    '/api/v1/runs/..%2Fa%3Fb%23c',
    '/api/v1/pipelines/x%2Fy?env=dev%26env%3Dprod',
  ]);
});

describe('the live stream', () => {
  const EVENT = { kind: 'release', environment: 'dev', release: 'r' };

  test('begins with a reset, and resumes from the last id after a lost connection', async () => {
    let connections = 0;
    answer = (_, response) => {
      connections += 1;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (connections === 1) response.end(`: heartbeat\n\nid: 41\ndata: ${JSON.stringify(EVENT)}\n\n`);
      else response.write(`event: reset\ndata: {}\n\nid: 42\ndata: ${JSON.stringify(EVENT)}\n\n`);
    };
    const stop = new AbortController();
    const seen: LiveMessage[] = [];
    const lost: unknown[] = [];
    const follow = { signal: stop.signal, onLost: (error: unknown) => void lost.push(error) };
    for await (const message of createClient({ baseUrl: url(), token: 't' }).events(['env:dev', 'run:7'], follow)) {
      seen.push(message);
      if (seen.length === 4) stop.abort();
    }
    expect(seen).toEqual([
      { kind: 'reset' },
      { kind: 'event', id: '41', event: EVENT },
      { kind: 'reset' },
      { kind: 'event', id: '42', event: EVENT },
    ]);
    expect(asked.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '41']);
    expect(asked[0]?.url).toBe('/api/v1/events?topics=env%3Adev%2Crun%3A7');
    expect(lost).toHaveLength(1);
  });

  test('a silent connection counts as lost', async () => {
    answer = (_, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    const stop = new AbortController();
    let lost: unknown = null;
    const onLost = (error: unknown): void => {
      lost = error;
      stop.abort();
    };
    for await (const _ of createClient({ baseUrl: url(), idleMs: 50 }).events(['env:dev'], {
      signal: stop.signal,
      onLost,
    }))
      continue;
    expect(lost).toMatchObject({ code: 'unavailable' });
  });

  test('a refusal ends it', async () => {
    answer = (_, response) => void response.writeHead(401).end();
    const read = async (): Promise<void> => {
      for await (const _ of createClient({ baseUrl: url() }).events(['env:dev'])) continue;
    };
    expect(await failure(read())).toMatchObject({ code: 'unauthorized' });
  });
});

describe('readServerSentEvents', () => {
  async function read(chunks: readonly string[]): Promise<unknown[]> {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
        controller.close();
      },
    });
    const found: unknown[] = [];
    for await (const message of readServerSentEvents(body, 1000)) found.push(message);
    return found;
  }

  test('joins data lines, takes every kind of line break, ignores comments and what is unfinished', async () => {
    const stream = 'id: 1\r\nevent: a\r\ndata: x\r\ndata:y\r\n\r\n: comment\n\ndata\r\rdata: z\n\ndata: cut o';
    const messages = [
      { id: '1', event: 'a', data: 'x\ny' },
      { id: null, event: 'message', data: '' },
      { id: null, event: 'message', data: 'z' },
    ];
    for (let size = 1; size <= stream.length; size++)
      expect(await read(stream.match(new RegExp(`[^]{1,${size}}`, 'g'))!)).toEqual(messages);
  });

  test('puts together what arrives in pieces, even inside a character', async () => {
    const bytes = new TextEncoder().encode('data: é\n\n');
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const found: string[] = [];
    for await (const { data } of readServerSentEvents(body, 1000)) found.push(data);
    expect(found).toEqual(['é']);
  });
});
