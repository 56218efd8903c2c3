import type { Clock, QueueName } from '#core';

/**
 * What came of an attempt that a worker was told of: it is over, somebody else has it or it has ended, or the API could
 * not be asked.
 */
export type Handled = 'over' | 'not-ours' | 'unasked';

/** Where a worker hears of attempts that wait. */
export interface AttemptSource {
  /** From now on it tells of attempts of these queues, and only of them. */
  serve(queues: readonly QueueName[]): void;
  /** As many attempts could begin. */
  setFree(free: number): void;
  /** Tells of nothing any more. */
  close(): Promise<void>;
}

export type Hear = (onAttempt: (attemptId: string) => Promise<Handled>) => AttemptSource;

const AGAIN_MS = 1000;

/** Tells of one attempt and no other; `over` resolves when the worker is through with it. */
export function onlyAttempt(attemptId: string, clock: Clock): { readonly hear: Hear; readonly over: Promise<void> } {
  let end = (): void => undefined;
  const over = new Promise<void>((resolve) => (end = resolve));
  let isTold = false;
  let isClosed = false;
  const tell = async (onAttempt: (attemptId: string) => Promise<Handled>): Promise<void> => {
    while (!isClosed && (await onAttempt(attemptId)) === 'unasked')
      await new Promise<void>((resolve) => clock.schedule(AGAIN_MS, resolve));
    end();
  };
  const hear: Hear = (onAttempt) => ({
    serve: () => {
      if (isTold) return;
      isTold = true;
      void tell(onAttempt);
    },
    setFree: () => undefined,
    close: () => {
      isClosed = true;
      return Promise.resolve();
    },
  });
  return { hear, over };
}
