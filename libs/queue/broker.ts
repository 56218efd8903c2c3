import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { WaitingAttempt } from '#core';
import { connectRedis, jobIdOf, PREFIX, queueNameOf, type JobData } from './redis.ts';

/** Tells workers by Redis that attempts wait. What it tells is a hint: nothing is lost with it. */
export interface Broker {
  /** False: Redis was not reached, or forgot what it was told before; everything has to be told again. */
  remembers(): Promise<boolean>;
  /** From now on Redis is known to remember, unless it is emptied. */
  mark(): Promise<void>;
  /** Telling twice is telling once. Throws when Redis does not answer. */
  tell(attempts: readonly WaitingAttempt[]): Promise<void>;
  close(): Promise<void>;
}

/** Lives as long as Redis remembers: whoever empties it, or starts it with nothing, takes this as well. */
const MARK = `${PREFIX}:mark`;
/** One script call each; more would keep Redis from everybody else. */
const BULK = 500;

export function createBroker(url: string, problem: (error: unknown) => void): Broker {
  return new RedisBroker(connectRedis(url, false, problem), problem);
}

class RedisBroker implements Broker {
  readonly #queues = new Map<string, Queue<JobData>>();

  constructor(
    private readonly redis: Redis,
    private readonly problem: (error: unknown) => void,
  ) {}

  async remembers(): Promise<boolean> {
    return this.redis.status === 'ready' && (await this.redis.exists(MARK)) === 1;
  }

  async mark(): Promise<void> {
    await this.redis.set(MARK, '1');
  }

  async tell(attempts: readonly WaitingAttempt[]): Promise<void> {
    if (this.redis.status !== 'ready') throw new Error(`Redis is not there (${this.redis.status})`);
    const byQueue = new Map<string, WaitingAttempt[]>();
    for (const attempt of attempts) {
      const name = queueNameOf(attempt);
      const list = byQueue.get(name);
      if (list) list.push(attempt);
      else byQueue.set(name, [attempt]);
    }
    for (const [name, list] of byQueue)
      for (let at = 0; at < list.length; at += BULK)
        await this.#queue(name).addBulk(
          list.slice(at, at + BULK).map(({ attemptId }) => ({
            name: 'attempt',
            data: { attempt: attemptId },
            opts: { jobId: jobIdOf(attemptId), removeOnComplete: true, removeOnFail: true },
          })),
        );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close().catch(this.problem)));
    this.redis.disconnect();
  }

  #queue(name: string): Queue<JobData> {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new Queue<JobData>(name, { connection: this.redis, prefix: PREFIX });
      // The connection's own handler has told it.
      queue.on('error', () => undefined);
      this.#queues.set(name, queue);
    }
    return queue;
  }
}
