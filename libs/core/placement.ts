import type { Assignment, Outcome } from './attempt.ts';

/*
 * Attempts for each of which a machine is made, such as a pod of Kubernetes. They have rows of `assignment` like all that
 * workers execute, and a worker on that machine claims and reports them. Whoever makes the machines sees what no worker
 * can report: that one cannot be made, or is gone.
 */

/** An attempt that no worker has taken, with what its machine is made from. */
export type UnplacedAttempt = Pick<
  Assignment,
  | 'attemptId'
  | 'runId'
  | 'environment'
  | 'pipeline'
  | 'taskId'
  | 'mapIndex'
  | 'mapKey'
  | 'pool'
  | 'number'
  | 'fence'
  | 'timeoutMs'
  | 'resources'
  | 'replicas'
>;

/** An attempt that has not ended. */
export interface OpenAttempt {
  readonly attemptId: string;
  /** A worker executes it. */
  readonly isTaken: boolean;
  /** It is to be ended. */
  readonly isCancelled: boolean;
}

export interface PlacementStore {
  /** Attempts that no worker has taken yet, oldest first. */
  unplaced(limit: number): Promise<readonly UnplacedAttempt[]>;
  /** Those of these attempts that have not ended; the others are nobody's any more. */
  open(attemptIds: readonly string[]): Promise<readonly OpenAttempt[]>;
  /** Keeps what holds attempts up, for people who ask why; null: nothing does. */
  note(notes: readonly { readonly attemptId: string; readonly note: string | null }[]): Promise<void>;
  /**
   * Takes attempts away from machines that are gone, or never were: their fences rise, and it is news. What one left
   * behind decides; without any, `outcome` does, or its being cancelled. Those that have ended stay as they are. Returns
   * the ids of the others.
   */
  giveUp(ended: readonly { readonly attemptId: string; readonly outcome: Outcome }[]): Promise<readonly string[]>;
}
