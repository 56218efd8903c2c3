import type { AttemptProgress, AttemptResult, ClaimedAttempt, HeldAttempt, QueueName } from '#core';

/**
 * The API as a worker uses it. Everything throws `unavailable` or `timeout` when it does not answer, `forbidden` when the
 * worker is not signed in any more.
 */
export interface WorkApi {
  /** Begins anew: whatever this process had before is not its own any more. Resolves to how often it has to beat. */
  signIn(): Promise<{ readonly worker: string; readonly beatMs: number }>;
  beat(free: number): Promise<{
    readonly queues: readonly QueueName[];
    readonly held: readonly HeldAttempt[];
    readonly taken: readonly ClaimedAttempt[];
  }>;
  /** Those of them that nobody had taken. */
  claim(attemptIds: readonly string[]): Promise<readonly ClaimedAttempt[]>;
  /** The attempts whose results count. */
  report(results: readonly AttemptResult[], progress: readonly AttemptProgress[]): Promise<readonly string[]>;
  signOut(): Promise<void>;
}
