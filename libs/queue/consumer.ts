import { UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { QueueName } from '#core';
import type { AttemptSource, Handled } from './attempt-source.ts';
import { connectRedis, PREFIX, queueNameOf, type JobData } from './redis.ts';

export interface ConsumerOptions {
  readonly redisUrl: string;
  /** An attempt waits. What it resolves with is nobody's business: the job says nothing that the database does not. */
  readonly onAttempt: (attemptId: string) => Promise<Handled>;
  readonly problem: (what: string, error: unknown) => void;
}

/** Hears from Redis of attempts that wait, in the queues that it is told to serve. */
export class Consumer implements AttemptSource {
  private readonly redis: Redis;
  private readonly workers = new Map<string, { readonly worker: Worker<JobData>; active: number }>();
  private free = 1;

  constructor(private readonly options: ConsumerOptions) {
    this.redis = connectRedis(options.redisUrl, true, (error) => options.problem('reaching Redis', error));
  }

  /** From now on it hears of these queues, and only of them. */
  serve(queues: readonly QueueName[]): void {
    const names = new Set(queues.map(queueNameOf));
    for (const [name, { worker }] of this.workers)
      if (!names.has(name)) {
        this.workers.delete(name);
        void worker.close().catch((error: unknown) => this.options.problem('leaving a queue', error));
      }
    for (const name of names) if (!this.workers.has(name)) this.open(name);
    this.spread();
  }

  /** As many attempts could begin: no queue hears of more than that beside what it has under way. */
  setFree(free: number): void {
    this.free = free;
    this.spread();
  }

  /** Hears of nothing any more; jobs under way are left to Redis. */
  async close(): Promise<void> {
    await Promise.all([...this.workers.values()].map(({ worker }) => worker.close(true).catch(() => undefined)));
    this.redis.disconnect();
  }

  private open(name: string): void {
    const state = {
      active: 0,
      worker: new Worker<JobData>(
        name,
        async ({ data }) => {
          const attempt: unknown = (data as Partial<JobData> | null)?.attempt;
          if (typeof attempt !== 'string' || !/^[1-9]\d{0,17}$/.test(attempt))
            throw new UnrecoverableError('a job without the id of an attempt');
          state.active++;
          try {
            await this.options.onAttempt(attempt);
          } finally {
            state.active--;
          }
        },
        {
          connection: this.redis,
          prefix: PREFIX,
          concurrency: Math.max(1, this.free),
          // Nobody looks at jobs that are done; Postgres has what happened.
          removeOnComplete: { count: 0 },
          removeOnFail: { count: 0 },
          runRetryDelay: 1000,
          drainDelay: 5,
        },
      ),
    };
    // Redis lost a job that was under way, or is away itself: neither changes what becomes of the attempt.
    state.worker.on('error', () => undefined);
    state.worker.on('failed', (job, error) => this.options.problem(`job ${job?.id ?? 'unknown'} of Redis`, error));
    this.workers.set(name, state);
  }

  private spread(): void {
    for (const state of this.workers.values()) {
      const wanted = Math.max(1, state.active + this.free);
      if (state.worker.concurrency !== wanted) state.worker.concurrency = wanted;
    }
  }
}
