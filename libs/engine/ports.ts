import type { CompiledPipeline, EnvironmentConfig } from '#core';

/** The compiled pipelines of a release; a cache in front of the release store. Throws `not_found` for an unknown digest. */
export interface Pipelines {
  get(release: string, pipeline: string): Promise<CompiledPipeline | null>;
  all(release: string): Promise<readonly CompiledPipeline[]>;
}

/** Digests of what tasks of a release can use, by path below `dags/`: every file that is not a pipeline's. */
export type ReleaseListing = (release: string) => Promise<ReadonlyMap<string, string>>;

/** The environments as applied. */
export interface Environments {
  get(name: string): AppliedEnvironment | null;
  all(): readonly AppliedEnvironment[];
}

export interface AppliedEnvironment {
  readonly config: EnvironmentConfig;
  /** SHA-256 of the canonical configuration. */
  readonly hash: string;
}

/** Asks an address once: bounded in time and size, without following redirects. Throws when there is no answer. */
export type HttpLook = (request: {
  readonly environment: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Name of the environment's secret to send as a bearer token. */
  readonly bearer: string | null;
}) => Promise<{
  readonly status: number;
  /** JSON where it parses, else text. */
  readonly body: unknown;
  readonly retryAfterMs: number | null;
}>;

/** What the engine reports of itself; the platform logs and counts it. */
export interface Observer {
  event(name: ObservedEvent, fields: Readonly<Record<string, unknown>>): void;
  /** Something failed that the engine will try again. */
  problem(what: string, error: unknown, fields?: Readonly<Record<string, unknown>>): void;
}

export type ObservedEvent =
  | 'runs-activated'
  | 'runs-claimed'
  | 'runs-created'
  | 'run-ended'
  | 'attempt-ended'
  | 'task-run-ended'
  | 'attempts-dispatched'
  | 'attempts-lost'
  | 'batch-applied'
  | 'leases-lost'
  | 'release-followed'
  | 'runs-archived'
  | 'alert-sent'
  | 'alert-retried'
  | 'alert-rejected';
