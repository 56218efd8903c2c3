import { SluiceError } from '#core';
import type { AttemptProgress, AttemptResult, ClaimedAttempt, HeldAttempt, QueueName } from '#core';
import { send, type ClientOptions } from './request.ts';

export interface WorkerCredentials {
  readonly worker: string;
  readonly key: string;
}

/** The routes of workers as functions; see routes.md. Every failure is a SluiceError. */
export function createWorkerClient(options: ClientOptions) {
  const post = async <T>(path: string, body: unknown): Promise<T> =>
    (await (await send(options, 'POST', `/workers${path}`, { body })).json()) as T;
  return {
    signIn: (body: { host: string; pid: number; capacity: number; queues: readonly string[] }) =>
      post<WorkerCredentials & { readonly beatMs: number }>('', body),
    beat: (as: WorkerCredentials, free: number) =>
      post<{
        readonly queues: readonly QueueName[];
        readonly held: readonly HeldAttempt[];
        readonly taken: readonly ClaimedAttempt[];
      }>('/beats', { ...as, free }),
    claim: async (as: WorkerCredentials, attempts: readonly string[]) =>
      (await post<{ readonly taken: readonly ClaimedAttempt[] }>('/claims', { ...as, attempts })).taken,
    report: async (
      as: WorkerCredentials,
      results: readonly AttemptResult[],
      progress: readonly AttemptProgress[],
    ): Promise<readonly string[]> =>
      (await post<{ readonly kept: readonly string[] }>('/reports', { ...as, results, progress })).kept,
    signOut: async (as: WorkerCredentials): Promise<void> => {
      await send(options, 'POST', '/workers/sign-out', { body: as });
    },
    /** Null: there is none. */
    releaseObject: async (key: string): Promise<Uint8Array | null> => {
      try {
        const response = await send(options, 'GET', '/workers/release-objects', { query: { key } });
        return new Uint8Array(await response.arrayBuffer());
      } catch (error) {
        if (error instanceof SluiceError && error.code === 'not_found') return null;
        throw error;
      }
    },
  };
}
