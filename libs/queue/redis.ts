import { Redis } from 'ioredis';
import type { QueueName } from '#core';

/** Everything of ours in Redis begins with this. */
export const PREFIX = 'sluice';

/** BullMQ's name of a queue: no colon, which it uses itself. */
export function queueNameOf({ environment, pool }: QueueName): string {
  return `${environment}.${pool}`;
}

/** BullMQ's id of an attempt's job: it refuses plain numbers. */
export function jobIdOf(attemptId: string): string {
  return `a-${attemptId}`;
}

/** All that a job says. */
export interface JobData {
  readonly attempt: string;
}

/**
 * A connection that is made anew as long as it is wanted. `patient`: commands wait for Redis to come back, as BullMQ's
 * workers want it; otherwise they fail at once. `problem` is told once per outage.
 */
export function connectRedis(url: string, patient: boolean, problem: (error: unknown) => void): Redis {
  const redis = new Redis(url, {
    ...(patient
      ? { maxRetriesPerRequest: null }
      : { maxRetriesPerRequest: 0, enableOfflineQueue: false, commandTimeout: 5000 }),
    retryStrategy: (tries) => Math.min(tries * 100, 1000),
  });
  let isTold = false;
  redis.on('ready', () => (isTold = false));
  redis.on('error', (error) => {
    if (!isTold) problem(error);
    isTold = true;
  });
  return redis;
}
