import type { InputBinding, PinnedVersion } from './attempt.ts';
import type { Comparison, Verdict } from './compare-outputs.ts';
import type { AlertInsert, NewRun } from './store-port.ts';
import type { ToolVersions } from './tool-versions.ts';

/** A version that a task run published. */
export interface RunVersion {
  readonly taskId: string;
  readonly mapIndex: number;
  readonly mapKey: string;
  /** Name of the path. */
  readonly path: string;
  readonly location: string;
  readonly version: string;
  readonly manifestHash: string;
}

export interface VerificationRecord {
  readonly id: string;
  /** The run that is verified. */
  readonly runId: string;
  readonly environment: string;
  readonly pipeline: string;
  /** The run that executes it again; null: it was clear without. */
  readonly shadowRunId: string | null;
  readonly actor: string;
  /** Chosen by chance. */
  readonly sampled: boolean;
  /** Null while it goes on, with the three that follow. */
  readonly verdict: Verdict | null;
  readonly result: Comparison | null;
  readonly finishedAt: string | null;
  readonly requestedAt: string;
}

export type NewVerification = Pick<VerificationRecord, 'runId' | 'environment' | 'pipeline' | 'actor' | 'sampled'>;

/** What a task of an earlier run read, and what stands in for what that run wrote itself. */
export interface EarlierInputs {
  readonly inputs: readonly InputBinding[];
  /** By the version then; null: the task that writes it has not written it again. */
  readonly replaced: ReadonlyMap<string, Pick<PinnedVersion, 'location' | 'version' | 'manifestHash'> | null>;
}

/** What verification asks of the database. Every method is one transaction. */
export interface VerificationStore {
  /** The newest verification of a run. */
  latest(runId: string): Promise<VerificationRecord | null>;
  /** The one of the run that goes on; null: none. */
  openOf(runId: string): Promise<string | null>;
  /** Versions that the run's task runs published, those that it took over included. */
  versionsOf(runId: string): Promise<readonly RunVersion[]>;
  /** What executed these tasks of the run, each once; null: an attempt of which that is not known. */
  toolsOf(runId: string, taskIds: readonly string[]): Promise<readonly (ToolVersions | null)[]>;
  /** Notes what a process executes tasks with. */
  recordTools(worker: string, tools: ToolVersions): Promise<void>;
  /** Notes what was clear without executing anything. Returns its id. */
  record(verification: NewVerification, result: Comparison): Promise<string>;
  /**
   * Creates the run that executes it again, unless one of `needed` was removed meanwhile. One that goes on already is
   * returned instead of a second.
   */
  begin(
    verification: NewVerification,
    run: NewRun,
    needed: readonly { readonly environment: string; readonly version: string }[],
  ): Promise<{ readonly kind: 'begun'; readonly id: string } | { readonly kind: 'gone'; readonly version: string }>;
  /** Those whose run has ended, oldest first. */
  ended(limit: number): Promise<readonly VerificationRecord[]>;
  /** False when somebody else was first; then no alert is written. */
  finish(id: string, result: Comparison, alerts: readonly AlertInsert[]): Promise<boolean>;
  /** Ids of successful scheduled runs that ended since, were never verified and may be; by chance, at most `limit`. */
  sample(environment: string, sinceMs: number, limit: number): Promise<readonly string[]>;
  /** True for one caller in each `everyMs`. */
  claimSample(environment: string, everyMs: number): Promise<boolean>;
}
