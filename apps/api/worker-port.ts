import type { z } from 'zod';
import type { Caller, ClaimedAttempt, HeldAttempt, QueueName } from '#core';
import type {
  beatRequest,
  claimRequest,
  reportAnswer,
  reportRequest,
  signedIn,
  signInRequest,
  signOutRequest,
} from '#contracts';

/** What workers ask and tell; see `Work`. */
export interface WorkerCommands {
  signIn(request: z.infer<typeof signInRequest>): Promise<z.infer<typeof signedIn>>;
  /** What waits is given in the environments in which the caller has the right `work`. */
  beat(
    request: z.infer<typeof beatRequest>,
    caller: Caller,
  ): Promise<{
    readonly queues: readonly QueueName[];
    readonly held: readonly HeldAttempt[];
    readonly taken: readonly ClaimedAttempt[];
  }>;
  claim(request: z.infer<typeof claimRequest>, caller: Caller): Promise<{ readonly taken: readonly ClaimedAttempt[] }>;
  report(request: z.infer<typeof reportRequest>): Promise<z.infer<typeof reportAnswer>>;
  signOut(request: z.infer<typeof signOutRequest>): Promise<void>;
  /** Of the release store; null: there is none. */
  releaseObject(key: string): Promise<Buffer | null>;
}
