import { expect, test } from '@jest/globals';
import { createServer, type AddressInfo } from 'node:net';
import { connectDatabase } from './database.ts';

/** A message of Postgres' protocol from the server: a letter, its length, its body. */
function message(type: string, body: Buffer | string): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(Buffer.byteLength(body) + 4);
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body)]);
}

// The process would end by an exception that nobody catches.
test('a Postgres that takes a connection and ends it in the same packet is one that does not answer', async () => {
  const authenticated = message('R', Buffer.alloc(4));
  const ready = message('Z', 'I');
  const ends = message('E', 'SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0');
  const server = createServer((socket) =>
    socket.once('data', () => socket.end(Buffer.concat([authenticated, ready, ends]))),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await expect(connectDatabase(`postgres://sluice:secret@127.0.0.1:${port}/sluice`)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/^Postgres does not answer at postgres:\/\/sluice:\*\*\*@/),
  });
  server.close();
});
