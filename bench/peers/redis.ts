import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { Redis } from 'ioredis';

export interface AppendOnlyRedis {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** A Redis that keeps what it is told, synced to disk once a second as BullMQ's page for production has it. */
export async function startAppendOnlyRedis(folder: string): Promise<AppendOnlyRedis> {
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const server = spawn(
    process.env.SLUICE_TEST_REDIS ?? 'redis-server',
    [...args, '--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction'],
    { stdio: 'ignore' },
  );
  const url = `redis://127.0.0.1:${port}`;
  const client = new Redis(url, { maxRetriesPerRequest: null });
  // Refused until it serves; it is tried again.
  client.on('error', () => undefined);
  await client.ping();
  client.disconnect();
  return {
    url,
    pid: server.pid ?? 0,
    async stop() {
      server.kill('SIGKILL');
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}
