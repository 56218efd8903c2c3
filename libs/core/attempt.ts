import type { FilePlace, HttpExpectation, SparkFiles, TableCheck } from './pipeline.ts';
import type { Resources } from './resources.ts';

/** Everything an executor needs to execute one attempt; fully resolved, JSON, no secret values. */
export interface Assignment {
  readonly attemptId: string;
  readonly runId: string;
  readonly environment: string;
  readonly pipeline: string;
  readonly taskId: string;
  readonly mapIndex: number;
  /** Label of the map index, e.g. `lr=0.1,depth=4`; empty when not fanned out. Safe as one path segment. */
  readonly mapKey: string;
  /** Whose slots it takes. */
  readonly pool: string;
  /** 1 for the first attempt. */
  readonly number: number;
  /** Rises with every attempt of the task run; storage and database refuse lower ones. */
  readonly fence: number;
  /** Digest of the release. */
  readonly release: string;
  readonly body: AssignmentBody;
  /** Everything but secrets and folders: DS, PARAM_*, SLUICE_*, user `env:`, `__E1`, … */
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, { readonly env: string } | { readonly file: string }>>;
  readonly reads: readonly InputBinding[];
  readonly writes: readonly OutputBinding[];
  /** Its variables hold URIs, and nothing is copied to the machine. Absent: folders. */
  readonly io?: 'uri';
  /** What its files are looked at for before they are published. Absent: nothing. */
  readonly tables?: { readonly checks: readonly TableCheck[]; readonly reference: string | null };
  readonly timeoutMs: number | null;
  /** What it may take of the machine. Absent: nothing that is counted. */
  readonly resources?: Resources;
  /**
   * Processes that execute it together, each of which may take its `resources`; where one fails and `min` others are left,
   * these go on. Absent: one process executes it.
   */
  readonly replicas?: { readonly count: number; readonly min: number };
  /** The `ctx` values that node and python functions get; see docs. */
  readonly context: AttemptContext;
  readonly logs: { readonly maxBytes: number; readonly maxLineBytes: number };
}

export type AssignmentBody =
  | { readonly kind: 'run'; readonly script: string }
  | { readonly kind: 'node'; readonly file: string; readonly export: string }
  | {
      readonly kind: 'python';
      readonly file: string | null;
      readonly module: string | null;
      readonly function: string | null;
    }
  | {
      readonly kind: 'notebook';
      readonly file: string;
      /** What is injected, by name. */
      readonly parameters: Readonly<Record<string, unknown>>;
      readonly save: FilePlace | null;
    }
  | (SparkFiles & {
      readonly kind: 'spark';
      readonly args: readonly string[];
      readonly conf: Readonly<Record<string, string>>;
      /** `local[2]`, `spark://host:7077`, … */
      readonly master: string;
    })
  /** `variables` are set with DuckDB's `set variable` before the text runs. */
  | {
      readonly kind: 'sql';
      readonly file: string | null;
      readonly text: string | null;
      readonly variables: Readonly<Record<string, unknown>>;
    }
  | (HttpExpectation & {
      readonly kind: 'http';
      readonly method: string;
      readonly url: string;
      /** By name in lower case. */
      readonly headers: Readonly<Record<string, string>>;
      readonly content: string | null;
      /** The content is JSON. */
      readonly isJson?: true;
      /** What the expressions see besides `response`. */
      readonly scope: Readonly<Record<string, unknown>>;
    })
  | {
      readonly kind: 'uses';
      readonly plugin: string;
      readonly version: string;
      readonly package: string | null;
      readonly entry: string;
      readonly input: Readonly<Record<string, unknown>>;
    };

export interface AttemptContext {
  readonly params: Readonly<Record<string, unknown>>;
  readonly matrix: Readonly<Record<string, unknown>>;
  readonly interval: { readonly start: string; readonly end: string } | null;
  readonly ds: string | null;
  readonly environment: string;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly runId: string;
}

/** A path to read: `variable` becomes a folder with the pinned version, or a folder of links, one per partition. */
export interface InputBinding {
  /** Alias as declared. */
  readonly name: string;
  /** `PATH_RAW`. */
  readonly variable: string;
  /** One entry without `link`: the variable is that folder. Entries with `link`: a folder holding these names. Empty: an empty folder. */
  readonly versions: readonly PinnedVersion[];
}

/** An immutable version, pinned when the first attempt is created and kept over retries. */
export interface PinnedVersion {
  /** Name inside the folder of links, e.g. `ds=2026-01-01`; null when the version is the folder itself. */
  readonly link: string | null;
  /** Location as published, relative to the environment's root: `flight-delays/raw/ds=2026-01-01`. */
  readonly location: string;
  /** Id of the version folder; see the storage port. */
  readonly version: string;
  readonly manifestHash: string;
  /** Environment whose storage holds it, by a grant. Absent: the run's own. */
  readonly environment?: string;
}

/** A path to write: `variable` becomes an empty staging folder that is published on success. */
export interface OutputBinding {
  readonly name: string;
  /** `PATH_X`, or `OUT_X` when the task also reads it. */
  readonly variable: string;
  /** Rendered location relative to the environment's root, map key included: where the pointer will be. */
  readonly location: string;
}

/** How an attempt ended. `success` may still become `failed` when a check or gate says so. */
export type Outcome =
  | { readonly kind: 'success' }
  | { readonly kind: 'skipped'; readonly message: string }
  | { readonly kind: 'failed'; readonly exitCode: number | null; readonly message: string }
  | { readonly kind: 'timed_out'; readonly message: string }
  | { readonly kind: 'cancelled'; readonly message: string }
  /** Exit code 75 or `::retry-after::`: try again later without using up a retry. */
  | { readonly kind: 'deferred'; readonly afterMs: number; readonly message: string }
  /** The executing process died. */
  | { readonly kind: 'lost'; readonly message: string };

export interface MetricPoint {
  readonly name: string;
  readonly value: number;
  readonly step: number | null;
  /** Epoch milliseconds. */
  readonly ts: number;
}

export interface PublishedVersion {
  /** The output binding's name. */
  readonly name: string;
  readonly location: string;
  readonly version: string;
  /** SHA-256 of the manifest's canonical form, hex. */
  readonly manifestHash: string;
  readonly files: number;
  readonly bytes: number;
}

/** The whole result of one attempt; also what the evidence file holds. */
export interface AttemptResult {
  readonly attemptId: string;
  readonly runId: string;
  readonly fence: number;
  readonly outcome: Outcome;
  /** Epoch milliseconds of the executing machine. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly metrics: readonly MetricPoint[];
  readonly summary: string | null;
  readonly versions: readonly PublishedVersion[];
  readonly logLines: number;
  /** Of checks over rows. Absent: none. */
  readonly checks?: readonly CheckResult[];
}

export const CHECK_STATES = ['passed', 'warned', 'quarantined', 'failed'] as const;
export type CheckState = (typeof CHECK_STATES)[number];

/** What one check of a task came to. */
export interface CheckResult {
  readonly name: string;
  /** Null: it looks at outputs and metrics. */
  readonly path: string | null;
  readonly state: CheckState;
  /** Rows that were looked at, and those that are bad; null: it does not count rows. */
  readonly rows: number | null;
  readonly bad: number | null;
  /** One sentence. */
  readonly detail: string;
  /** Some of the bad rows. */
  readonly sample: readonly Readonly<Record<string, unknown>>[];
}

/** What an executor tells the engine. `progress` is a hint for screens only. */
export type AttemptReport =
  | {
      readonly kind: 'started';
      readonly attemptId: string;
      readonly runId: string;
      readonly fence: number;
      readonly at: number;
      readonly pid: number | null;
      readonly worker: string;
    }
  | {
      readonly kind: 'progress';
      readonly attemptId: string;
      readonly runId: string;
      readonly done: number;
      readonly total: number;
      readonly label: string;
    }
  | { readonly kind: 'finished'; readonly result: AttemptResult };
