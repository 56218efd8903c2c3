import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';

export interface RedisServer {
  readonly url: string;
  /** Kills it; what it held is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with nothing. */
  start(): Promise<void>;
  /** Removes every key. */
  flush(): Promise<void>;
  /** All that it holds, as text: each key and its value, whatever its type. */
  dump(): Promise<string>;
  close(): Promise<void>;
}

/** A Redis of its own on this machine; `program`: the executable of the server, as SLUICE_TEST_REDIS names it. */
export async function startRedisServer(program: string): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let server: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
    server = spawn(program, args, { stdio: 'ignore' });
    await using(url, (redis) => redis.ping());
  };
  const kill = async (): Promise<void> => {
    const dying = server;
    server = null;
    if (dying === null) return;
    const gone = new Promise((resolve) => dying.once('exit', resolve));
    dying.kill('SIGKILL');
    await gone;
  };
  await start();
  return {
    url,
    kill,
    start,
    flush: () => using(url, async (redis) => void (await redis.flushall())),
    dump: () => using(url, dumpAll),
    close: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function dumpAll(redis: Redis): Promise<string> {
  const parts: string[] = [];
  for (const key of (await redis.keys('*')).sort()) parts.push(`${key} ${JSON.stringify(await valueOf(redis, key))}`);
  return parts.join('\n');
}

async function valueOf(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  switch (type) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, 0, -1);
    case 'stream':
      return redis.xrange(key, '-', '+');
    case 'none':
      return null;
    default:
      throw new Error(`a key of type ${type}`);
  }
}

async function using<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
  redis.on('error', () => undefined); // it may not listen yet
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
