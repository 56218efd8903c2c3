import type { ScheduleRecord } from './store-port.ts';
import type { Unseen } from './triggers.ts';

/** What triggers ask of the database. `path` null stands for the end of the source's runs. */
export interface TriggerStore {
  /** What the pipelines of an environment wait for from now on. What it had not started anything for yet is asked again. */
  syncListeners(
    environment: string,
    listeners: readonly { readonly pipeline: string; readonly source: string; readonly path: string | null }[],
  ): Promise<void>;
  /** Pipelines for which something happened that was not looked at yet, the longest waiting first; at most `limit`. */
  unasked(limit: number): Promise<readonly { readonly environment: string; readonly pipeline: string }[]>;
  /** The pipeline's row, locked until the transaction ends: one at a time decides what starts it. Null: it has none. */
  lockSchedule(environment: string, pipeline: string): Promise<ScheduleRecord | null>;
  /** In the order in which it happened. */
  unseen(environment: string, pipeline: string): Promise<readonly Unseen[]>;
  /** When these datasets were last published, by `pipeline.path`. */
  newestPublications(
    environment: string,
    datasets: readonly { readonly pipeline: string; readonly path: string }[],
  ): Promise<ReadonlyMap<string, string>>;
  /** Forgets some of what a pipeline waits for; the rest waits for something else to happen. */
  settleUnseen(
    environment: string,
    pipeline: string,
    read: readonly string[],
    forget: readonly string[],
  ): Promise<void>;
  /** How deep a run of this environment is in a chain of runs that started each other; null: it has no such run. */
  depthOf(environment: string, runId: string): Promise<number | null>;
  /** Notes an event; null: the key was used before. A second caller with the same key waits for the first one's end. */
  receiveEvent(event: Omit<ReceivedEvent, 'id'>): Promise<string | null>;
  /** The event of this key, and the runs that it started, skipped ones included. */
  receivedEvent(
    environment: string,
    name: string,
    key: string,
  ): Promise<{ readonly event: ReceivedEvent; readonly runs: readonly StartedRun[] } | null>;
}

export interface ReceivedEvent {
  readonly id: string;
  readonly environment: string;
  readonly name: string;
  readonly key: string;
  readonly bodyHash: string;
  readonly actor: string;
}

export interface StartedRun {
  readonly runId: string;
  readonly pipeline: string;
  readonly state: string;
  readonly reason: string | null;
}
