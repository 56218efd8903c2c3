import { NO_WORKER, type Executor } from '#core';

/** Who admitted attempts are for: this process, or whichever worker takes them. */
export function workerOf({ outlivesProcess }: Pick<Executor, 'outlivesProcess'>, processId: string): string {
  return outlivesProcess ? NO_WORKER : processId;
}
