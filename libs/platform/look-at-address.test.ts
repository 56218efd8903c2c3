import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { AppliedEnvironment } from '#engine';
import { createHttpLook, retryAfterMs } from './look-at-address.ts';

let server: Server | undefined;
afterEach(() => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve())));

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const environment = { config: { secrets: { API: { env: 'API' } } } } as unknown as AppliedEnvironment;
const look = createHttpLook({
  environments: { get: () => environment },
  readSecret: () => Promise.resolve('s3cret\n'),
});
const about = { environment: 'dev', headers: {}, bearer: null };

test('an answer is its status and its body, as JSON where it is; the token goes along', async () => {
  const seen: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    seen.push(request.headers.authorization, request.headers.accept);
    response.setHeader('retry-after', '7');
    response.end(request.url === '/json' ? '{"ready":true}' : 'busy');
  });
  const json = await look({ ...about, url: `${url}/json`, headers: { Accept: 'application/json' }, bearer: 'API' });
  expect(json).toEqual({ status: 200, body: { ready: true }, retryAfterMs: 7000 });
  expect((await look({ ...about, url })).body).toBe('busy');
  expect(seen).toEqual(['Bearer s3cret', 'application/json', undefined, '*/*']);
});

test('a redirect is not followed: the token is for the address in the file alone', async () => {
  const asked: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    asked.push(request.url);
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  expect((await look({ ...about, url, bearer: 'API' })).status).toBe(302);
  expect(asked).toEqual(['/']);
});

describe('there is no answer', () => {
  test('when it is endless', async () => {
    const url = await serve((_, response) => void response.end('x'.repeat(300 * 1024)));
    await expect(look({ ...about, url })).rejects.toThrow('it answered more than 256 KiB');
  });

  test('when nobody listens; the error names no query', async () => {
    const url = await serve(() => undefined);
    await new Promise((resolve) => server!.close(resolve));
    const error = await look({ ...about, url: `${url}/a?token=s3cret` }).catch((thrown: Error) => thrown.message);
    expect(error).toContain('ECONNREFUSED');
    expect(error).not.toContain('s3cret');
  });

  test.each([
    'http://169.254.169.254/latest',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://2852039166/',
  ])('from where machines ask who they are: %s', async (url) => {
    await expect(look({ ...about, url })).rejects.toThrow('is an address that is never asked');
  });

  test('when the secret is not declared', async () => {
    await expect(look({ ...about, url: 'http://127.0.0.1:1', bearer: 'NONE' })).rejects.toThrow(
      'There is no secret "NONE" in environments/dev.yaml.',
    );
  });
});

test.each([
  ['7', 7000],
  ['Thu, 01 Jan 1970 00:00:09 GMT', 9000],
  ['99999999', 86_400_000],
  ['soon', null],
  [undefined, null],
])('Retry-After %s is %s ms', (header, ms) => {
  expect(retryAfterMs(header, 0)).toBe(ms);
});
