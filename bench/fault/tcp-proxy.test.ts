import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { TcpProxy } from './tcp-proxy.ts';

let echo: Server;
let proxy: TcpProxy;
let client: Socket;
beforeEach(async () => {
  echo = createServer((socket) => void socket.on('error', () => undefined).pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const target = `tcp://127.0.0.1:${(echo.address() as AddressInfo).port}`;
  proxy = await TcpProxy.start(target);
  const { hostname, port } = new URL(proxy.through(target));
  client = connect(Number(port), hostname).on('error', () => undefined);
  await once(client, 'connect');
});
afterEach(async () => {
  client.destroy();
  await proxy.close();
  echo.close();
});

async function heard(): Promise<string> {
  return String(await once(client, 'data'));
}

test('passes everything on in fair weather, also what ends', async () => {
  client.write('hello');
  expect(await heard()).toBe('hello');
  client.end('bye');
  expect(await heard()).toBe('bye');
  await once(client, 'close');
});

test('what stands still goes on in its order; what is slow comes late', async () => {
  proxy.setWeather('still');
  client.write('one ');
  let isHeard = false;
  const first = heard().finally(() => (isHeard = true));
  // A connection of its own would have answered by now.
  await once(connect((echo.address() as AddressInfo).port, '127.0.0.1').end('x'), 'data');
  expect(isHeard).toBe(false);
  proxy.setWeather('fair');
  expect(await first).toBe('one ');
  proxy.setWeather('slow');
  const since = performance.now();
  client.write('two');
  expect(await heard()).toBe('two');
  // There and back.
  expect(performance.now() - since).toBeGreaterThan(990);
});

test('resets', async () => {
  client.write('hello');
  await heard();
  const ended = once(client, 'error');
  proxy.reset();
  expect(await ended).toMatchObject([{ code: 'ECONNRESET' }]);
});
