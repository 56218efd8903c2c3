import { createServer } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SluiceError } from '#core';

const PORTS_TRIED = 50;

/** Resolves to the port that is listened on. */
export async function listen(app: NestFastifyApplication, host: string, port: number): Promise<number> {
  try {
    await app.listen(port, host);
  } catch (error) {
    throw await explain(error as NodeJS.ErrnoException, host, port);
  }
  const address = app.getHttpServer().address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

async function explain(error: NodeJS.ErrnoException, host: string, port: number): Promise<unknown> {
  if (error.code === 'EADDRINUSE') {
    const free = await nextFreePort(host, port + 1);
    return new SluiceError('conflict', `Port ${port} on ${host} is taken by another program.`, {
      hint: free === null ? 'Set SLUICE_PORT to a free port.' : `Port ${free} is free: set SLUICE_PORT=${free}.`,
      details: { port, nextFreePort: free },
      cause: error,
    });
  }
  if (error.code === 'EACCES')
    return new SluiceError('unavailable', `Port ${port} on ${host} may not be opened by this user.`, {
      hint: 'Set SLUICE_PORT to a port from 1024 on.',
      cause: error,
    });
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new SluiceError('unavailable', `${host} is not an address of this machine.`, {
      hint: 'Set SLUICE_HOST to 127.0.0.1, or to 0.0.0.0 for all addresses.',
      cause: error,
    });
  return error;
}

async function nextFreePort(host: string, from: number): Promise<number | null> {
  // One after the other: the lowest free one is wanted.
  for (let port = from; port <= Math.min(from + PORTS_TRIED, 65_535); port += 1)
    if (await isFree(host, port)) return port;
  return null;
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}
