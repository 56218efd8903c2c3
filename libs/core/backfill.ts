/*
 * A backfill is a plan that the scheduler works off: its intervals are settled one after the other, and only so many of
 * its runs exist at once. Instants are ISO 8601 strings in UTC, ids strings.
 */

/** Each asks for what the ones before it ask for, too. */
export const REPROCESS = ['missing', 'failed', 'stale', 'all'] as const;
export type Reprocess = (typeof REPROCESS)[number];

export const BACKFILL_ORDERS = ['oldest_first', 'newest_first'] as const;
export type BackfillOrder = (typeof BACKFILL_ORDERS)[number];

export const BACKFILL_STATES = ['running', 'paused', 'done', 'cancelled'] as const;
export type BackfillState = (typeof BACKFILL_STATES)[number];

/** The only place that says which state of a backfill may follow which. */
export const BACKFILL_TRANSITIONS: Readonly<Record<BackfillState, readonly BackfillState[]>> = {
  running: ['paused', 'done', 'cancelled'],
  paused: ['running', 'cancelled'],
  done: [],
  cancelled: [],
};

/**
 * Task runs of a backfill queue for slots behind all others of their pool: their priority is lower by more than
 * pipelines can set.
 */
export const BACKFILL_PRIORITY = -2_000_001;

export interface NewBackfill {
  readonly environment: string;
  readonly pipeline: string;
  /** Null: each run takes the release that the environment points at when the run is created. */
  readonly release: string | null;
  readonly rangeStart: string;
  readonly rangeEnd: string;
  readonly reprocess: Reprocess;
  readonly runOrder: BackfillOrder;
  /** Runs of it that may be queued or running at once. */
  readonly maxActive: number;
  readonly actor: string;
  /** In the order in which they are to run. */
  readonly intervals: readonly NewBackfillInterval[];
}

export interface NewBackfillInterval {
  readonly start: string;
  readonly end: string;
  readonly state: 'pending' | 'left_out';
  readonly reason: string;
}

export interface BackfillRecord extends Omit<NewBackfill, 'intervals'> {
  readonly id: string;
  readonly state: BackfillState;
}

export interface PendingInterval {
  readonly position: number;
  readonly start: string;
  readonly end: string;
}

/** What became of an interval when its turn came. */
export interface SettledInterval {
  readonly position: number;
  readonly state: 'created' | 'left_out';
  readonly reason: string;
  readonly runId: string | null;
}

export interface BackfillStore {
  /** Its id. */
  createBackfill(given: NewBackfill): Promise<string>;
  getBackfill(id: string): Promise<BackfillRecord | null>;
  /** Ids of those that are running, oldest first. */
  runningBackfills(): Promise<readonly string[]>;
  /**
   * Holds a running backfill until the end of the transaction; null when somebody else holds it or it is not running.
   * `live`: its queued and running runs.
   */
  lockBackfill(id: string): Promise<(BackfillRecord & { readonly live: number }) | null>;
  pendingIntervals(id: string, limit: number): Promise<readonly PendingInterval[]>;
  settleIntervals(id: string, settled: readonly SettledInterval[]): Promise<void>;
  /** False when it is in none of the states `from`. */
  moveBackfill(id: string, from: readonly BackfillState[], to: BackfillState, reason: string | null): Promise<boolean>;
  liveRunsOfBackfill(id: string): Promise<readonly { readonly id: string; readonly state: 'queued' | 'running' }[]>;
  /** By run: a location of which it read another version than the one that is published there now. */
  otherInputs(runIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}
