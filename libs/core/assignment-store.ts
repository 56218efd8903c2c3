import type { Assignment, AttemptResult } from './attempt.ts';

/*
 * Attempts that others than the scheduler execute. Each has one row from its dispatch to the commit of its end; who may
 * report an attempt is whoever the row says that it belongs to, and only the first word counts.
 */

/** Worker of attempts that wait for one; no process has this name. */
export const NO_WORKER = 'queue';

/** A queue: attempts of one pool of one environment, in the order in which they came. */
export interface QueueName {
  readonly environment: string;
  readonly pool: string;
}

/** An attempt on its way to a worker. */
export interface WaitingAttempt extends QueueName {
  readonly attemptId: string;
}

/** What became known of an attempt since it was last asked for. */
export interface AttemptNews {
  readonly assignment: Assignment;
  readonly worker: string;
  /** Epoch milliseconds: when a worker took it. */
  readonly claimedAt: number;
  /** What its worker reported, or what took its place; null: it goes on, or its worker is dead (`fenced`). */
  readonly result: AttemptResult | null;
  /** Nothing that its worker still says counts: what it left behind decides, and `result` where it left nothing. */
  readonly fenced: boolean;
}

/** The scheduler's half. */
export interface AssignmentStore {
  /** Notes attempts that workers are to execute; those that are noted already stay as they are. */
  put(assignments: readonly Assignment[]): Promise<void>;
  /**
   * Asks for the end of attempts. One that no worker has taken ends at once, as `cancelled`; the worker of another is
   * told at its next beat. Unknown ids are ignored.
   */
  cancel(cancelled: readonly { readonly attemptId: string; readonly reason: string }[]): Promise<void>;
  /** Takes what is new of the attempts of this process's runs, at most `limit`. */
  takeNews(processId: string, limit: number): Promise<readonly AttemptNews[]>;
  /** Makes all of it news again; what was told before is told twice. */
  tellAnew(processId: string): Promise<void>;
  /**
   * Takes attempts away from workers that are dead: their fences rise, and it is news. Nobody is thought dead while no API
   * has served for so long that it would have heard of them. Returns how many.
   */
  reap(): Promise<number>;
  /** Attempts that no worker has taken yet, oldest first. */
  waiting(limit: number): Promise<readonly WaitingAttempt[]>;
}

/** A worker that signs in. */
export interface WorkerRecord {
  readonly id: string;
  /** SHA-256 of the key that it shows with every request. */
  readonly keyHash: string;
  readonly host: string;
  readonly pid: number;
  /** Attempts that it executes at once. */
  readonly capacity: number;
  /** Patterns of the queues that it serves. */
  readonly queues: readonly string[];
  readonly ttlMs: number;
}

export interface HeldAttempt {
  readonly attemptId: string;
  readonly runId: string;
  readonly fence: number;
  /** Not null: it is to be ended, for this reason. */
  readonly cancel: string | null;
}

/** What a worker is given with an attempt. Secrets are here and nowhere else on the way. */
export interface ClaimedAttempt {
  readonly assignment: Assignment;
  /** By name: the value, or why it could not be read. */
  readonly secrets: Readonly<Record<string, { readonly value: string } | { readonly problem: string }>>;
  /** Storage roots of the environments that it reads and writes. */
  readonly storages: Readonly<Record<string, string>>;
  /** Folders that its `sql:` may read besides its own. */
  readonly dataFolders: readonly string[];
}

/** How far an attempt says that it is; a hint for screens. */
export interface AttemptProgress {
  readonly attemptId: string;
  readonly done: number;
  readonly total: number;
  readonly label: string;
}

/** The workers' half. Every method but the first refuses a key that is not this worker's with `forbidden`. */
export interface WorkStore {
  signIn(worker: WorkerRecord): Promise<void>;
  /** Says that it lives for another `ttlMs`; answers which attempts are its own, and the patterns that it signed in with. */
  beat(
    proof: WorkerProof,
    ttlMs: number,
  ): Promise<{ readonly held: readonly HeldAttempt[]; readonly patterns: readonly string[] }>;
  /** Takes those of these attempts that nobody has taken yet, in environments of `among` (null: in all). */
  claim(
    proof: WorkerProof,
    attemptIds: readonly string[],
    among: readonly string[] | null,
  ): Promise<readonly Assignment[]>;
  /** The same for attempts of these queues that have waited for `minAgeMs`; at most `limit`. */
  take(
    proof: WorkerProof,
    queues: readonly QueueName[],
    minAgeMs: number,
    limit: number,
  ): Promise<readonly Assignment[]>;
  /** Keeps the results of attempts that are this worker's; the ids of those. The others' were somebody else's to tell. */
  report(proof: WorkerProof, results: readonly AttemptResult[]): Promise<readonly string[]>;
  /** It goes: what it still has is dead with it. */
  signOut(proof: WorkerProof): Promise<void>;
}

export interface WorkerProof {
  readonly worker: string;
  readonly keyHash: string;
}
