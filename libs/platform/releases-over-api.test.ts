import { afterEach, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createWorkerClient } from '#contracts';
import { systemClock } from './clock.ts';
import { releasesOverApi } from './releases-over-api.ts';

let server: Server;
afterEach(() => void server.close());

test('what an attempt needs of its release is asked for again while the API is away, and a refusal is told', async () => {
  const answers = [null, 503, 200, 403];
  const asked: string[] = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const status = answers.shift();
    if (status === null) request.socket.destroy();
    else if (status === 200) response.end('content');
    else response.writeHead(status ?? 500, { 'content-type': 'application/json' }).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createWorkerClient({ baseUrl, token: 't', timeoutMs: 10_000 });
  // Waits for nothing but a turn.
  const clock = {
    now: () => systemClock.now(),
    schedule: (_ms: number, then: () => void) => (setImmediate(then), () => undefined),
  };
  const releases = releasesOverApi(client, baseUrl, clock);
  expect((await releases.get('blobs/ab'))?.toString()).toBe('content');
  expect(asked).toEqual(Array(3).fill('/api/v1/workers/release-objects?key=blobs%2Fab'));
  await expect(releases.get('blobs/cd')).rejects.toMatchObject({ code: 'forbidden' });
});
