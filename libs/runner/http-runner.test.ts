import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Assignment } from '#core';
import { createFileStorage } from '#storage';
import { anAssignment, anExecutor, type ExecutorFixture } from './executor-fixture.ts';

type HttpBody = Extract<Assignment['body'], { kind: 'http' }>;

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Answers by path; remembers what it was asked. */
const ANSWERS: Readonly<Record<string, (response: ServerResponse, seen: Seen) => void>> = {
  '/order': (response) => response.setHeader('x-trace', 't1').end('{"id":7,"rows":[{"n":1},{"n":2}]}'),
  '/echo': (response, { headers, body }) => response.end(JSON.stringify({ headers, body })),
  '/text': (response) => response.end('plain'),
  '/busy': (response) => response.writeHead(429, { 'retry-after': '7' }).end('later'),
  '/busy-somehow': (response) => response.writeHead(429).end(),
  '/down': (response) => response.writeHead(503, { 'retry-after': '120' }).end(),
  '/broken': (response) => response.writeHead(500).end('stack trace with s3cret-value-1'),
  '/long': (response) => response.writeHead(500).end(`${'x'.repeat(1_995)}s3cret-value-1`),
  '/there': (response) => response.writeHead(302, { location: '/order' }).end(),
  '/round': (response) => response.writeHead(302, { location: '/round' }).end(),
  '/away': (response) => response.writeHead(302, { location: 'http://localhost:9/order' }).end(),
  '/metadata': (response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
  '/large': (response) => response.end(Buffer.alloc(3 * 1024 * 1024, 'x')),
  '/silent': () => undefined,
};

describe('an http task', () => {
  let world: ExecutorFixture;
  let server: Server;
  let origin: string;
  const seen: Seen[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const asked = { method, url, headers, body: Buffer.concat(parts).toString() };
        seen.push(asked);
        server.emit('asked');
        ANSWERS[url.split('?')[0]!]!(response, asked);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    world = await anExecutor(
      {},
      {
        storage: (root) => createFileStorage({ root, durable: false }),
        secretValues: { TOKEN: 's3cret-value-1' },
        graceMs: 0,
      },
    );
  });
  afterAll(async () => {
    await world.stop();
    server.closeAllConnections();
    server.close();
  });

  function http(url: string, body: Partial<HttpBody> = {}, over: Partial<Assignment> = {}): Assignment {
    const rest = { method: 'GET', headers: {}, secretHeaders: {}, content: null, status: [], expr: null, outputs: {} };
    const address = url.startsWith('/') ? `${origin}${url}` : url;
    return anAssignment({
      body: { kind: 'http', url: address, ...rest, save: null, requestTimeoutMs: 10_000, scope: {}, ...body },
      ...over,
    });
  }

  test('gives outputs by expressions over the answer', async () => {
    const outputs = {
      id: 'response.body.id',
      ns: 'response.body.rows.map(r, r.n)',
      trace: 'response.headers["x-trace"]',
      day: 'ds',
    };
    const task = http('/order?a=1', { outputs, expr: 'response.body.id == 7', scope: { ds: '2026-01-01' } });
    const result = await world.run(task);
    expect(result.outcome).toEqual({ kind: 'success' });
    expect(result.outputs).toEqual({ id: 7, ns: [1, 2], trace: 't1', day: '2026-01-01' });
    expect(world.logOf(task)).toEqual([`out 200 OK, 33 bytes from ${origin}/order`]);
    expect((await world.run(http('/text', { outputs: { body: 'response.body' } }))).outputs).toEqual({ body: 'plain' });
    expect((await world.run(http('/text'))).outputs).toEqual({ status: 200 });
  });

  test('sends JSON and secrets; an answer that holds a secret is masked wherever it goes', async () => {
    const task = http(
      '/echo',
      {
        method: 'POST',
        content: '{"a":1}',
        isJson: true,
        headers: { 'x-day': '2026-01-01' },
        secretHeaders: { authorization: { secret: 'TOKEN', prefix: 'Bearer ' } },
        outputs: { heard: 'response.body.headers.authorization', type: 'response.body.headers["content-type"]' },
      },
      { secrets: { TOKEN: { env: 'TOKEN' } } },
    );
    expect((await world.run(task)).outputs).toEqual({ heard: 'Bearer ***', type: 'application/json' });
    expect(seen.at(-1)).toMatchObject({
      method: 'POST',
      headers: { authorization: 'Bearer s3cret-value-1', 'x-day': '2026-01-01' },
      body: '{"a":1}',
    });
    const broken = http(
      '/broken?key=1',
      { secretHeaders: { 'x-key': { secret: 'TOKEN', prefix: '' } } },
      { secrets: { TOKEN: { env: 'TOKEN' } } },
    );
    const { outcome } = await world.run(broken);
    expect(outcome).toMatchObject({ message: `GET ${origin}/broken answered 500; expected 200 to 299` });
    expect(world.logOf(broken)).toContain('err stack trace with ***');
    const long = http('/long', {}, { secrets: { TOKEN: { env: 'TOKEN' } } });
    await world.run(long);
    expect(world.logOf(long)).toContain(`err ${'x'.repeat(1_995)}***`);
    const without = http('/echo', { secretHeaders: { 'x-key': { secret: 'TOKEN', prefix: '' } } });
    expect((await world.run(without)).outcome).toMatchObject({
      message: 'there is no secret TOKEN in environments/dev.yaml; add it under `secrets:`',
    });
  });

  test.each([
    ['/busy', 7_000],
    ['/busy-somehow', 60_000],
    ['/down', 120_000],
  ])('%s: is tried again when the other side asks for it', async (path, afterMs) => {
    expect((await world.run(http(path))).outcome).toMatchObject({ kind: 'deferred', afterMs });
    expect((await world.run(http(path, { status: [429, 503] }))).outcome.kind).toBe('success');
  });

  test('follows redirects at the same address only, and never those of a request that changes something', async () => {
    expect((await world.run(http('/there', { outputs: { id: 'response.body.id' } }))).outputs).toEqual({ id: 7 });
    const messageOf = async (task: Assignment) => ((await world.run(task)).outcome as { message: string }).message;
    expect(await messageOf(http('/away'))).toMatch(/it redirects to http:\/\/localhost:9; redirects are followed at/);
    expect(await messageOf(http('/metadata'))).toMatch(/it redirects to http:\/\/169.254.169.254;/);
    expect(await messageOf(http('/round'))).toMatch(/it redirects more than 5 times/);
    expect(await messageOf(http('/there', { method: 'POST' }))).toMatch(/answered 302; expected 200 to 299/);
  });

  test.each([
    'http://169.254.169.254/latest',
    'http://2852039166/latest',
    'http://0xa9fea9fe/',
    'http://[::ffff:169.254.169.254]/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://0.0.0.0/',
    'http://[::]/',
    'http://[fe80::1]/',
    'http://224.0.0.1/',
  ])('%s is never asked', async (url) => {
    expect((await world.run(http(url))).outcome).toMatchObject({
      message: expect.stringMatching(/is an address that is never asked$/),
    });
  });

  test('a large answer goes to a path, not into expressions', async () => {
    const refused = await world.run(http('/large'));
    expect(refused.outcome).toMatchObject({
      message: `GET ${origin}/large: it answered more than 1 MiB; write it to a path with \`save:\``,
    });
    const writes = [{ name: 'raw', variable: 'PATH_RAW', location: 'p/raw' }];
    const saved = await world.run(http('/large', { save: { path: 'raw', file: 'day/x.bin' } }, { writes }));
    expect(saved.versions).toMatchObject([{ name: 'raw', files: 1, bytes: 3 * 1024 * 1024 }]);
    const small = await world.run(
      http('/order', { save: { path: 'raw', file: 'o.json' }, outputs: { id: 'response.body.id' } }, { writes }),
    );
    expect(small.outputs).toEqual({ id: 7 });
    const [version] = small.versions;
    const file = join(world.folder, 'root', '.sluice', 'versions', version!.version, 'o.json');
    expect(readFileSync(file, 'utf8')).toMatch(/"id":7/);
  });

  test('an expectation that does not hold fails the task', async () => {
    expect((await world.run(http('/order', { expr: 'response.body.id == 8' }))).outcome).toMatchObject({
      message: `what GET ${origin}/order answered does not hold: \`response.body.id == 8\``,
    });
    expect((await world.run(http('/text', { outputs: { id: 'response.body.id' } }))).outcome).toMatchObject({
      message: expect.stringMatching(/^output id: /),
    });
  });

  test('nobody answers: the request, the task and whoever cancels it can end it', async () => {
    const late = await world.run(http('/silent', { requestTimeoutMs: 200 }));
    expect(late.outcome).toMatchObject({ message: `GET ${origin}/silent: no answer within 0.2 s` });
    const timed = await world.run(http('/silent', {}, { timeoutMs: 200 }));
    expect(timed.outcome.kind).toBe('timed_out');
    const task = http('/silent');
    const asked = once(server, 'asked');
    const result = world.run(task);
    await asked;
    world.executor.cancel(task.attemptId, 'by anna');
    expect((await result).outcome).toEqual({ kind: 'cancelled', message: 'cancelled: by anna' });
    const nobody = await world.run(http('http://127.0.0.1:1/x'));
    expect(nobody.outcome).toMatchObject({ message: 'GET http://127.0.0.1:1/x: connect ECONNREFUSED 127.0.0.1:1' });
  });
});
