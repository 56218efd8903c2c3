/**
 * What an expression may see. A member that is absent is an error of the expression that names it
 * ("this run has no data interval"), never an empty value.
 */
export interface Scope {
  readonly params: Readonly<Record<string, unknown>>;
  readonly env: { readonly name: string; readonly vars: Readonly<Record<string, unknown>> };
  readonly run: RunScope;
  /** Local date of the interval's start in the schedule's zone: `2026-01-31`. */
  readonly ds?: string;
  /** The same without dashes: `20260131`. */
  readonly ds_nodash?: string;
  /** Start of the interval, ISO 8601, UTC. */
  readonly ts?: string;
  readonly data_interval_start?: string;
  readonly data_interval_end?: string;
  /** Folders by alias, as in `$PATH_<ALIAS>`. */
  readonly paths?: Readonly<Record<string, unknown>>;
  readonly matrix?: Readonly<Record<string, unknown>>;
  /** Upstream tasks; `outputs` of a fanned-out task is a list in the order of its map index. */
  readonly tasks?: Readonly<Record<string, { readonly state: string; readonly outputs: unknown }>>;
  readonly metrics?: Readonly<Record<string, unknown>>;
  readonly baseline?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** What an HTTP request was answered; `body` is JSON where it parses, headers are named in lower case. */
  readonly response?: {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
  /** Only in `wait: { expr: … }`. */
  readonly now?: Date;
  /** Payload of the event that starts a run: only where its parameters are made from it. */
  readonly event?: unknown;
}

export interface RunScope {
  readonly id: string;
  readonly trigger: string;
  readonly release: string;
  readonly interval: { readonly start: string; readonly end: string } | null;
  /** Only in `finally:` tasks: how the run stands. */
  readonly state?: string;
}

export type Evaluated<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };
