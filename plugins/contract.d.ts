/**
 * The contract of a plugin: the file that `entry:` of its plugin.yaml names exports `run`, which is called once for each
 * attempt of a task with `uses:`. Outputs are what it returns; whatever it throws fails the attempt.
 */
export type Plugin<Input> = (ctx: PluginContext, input: Input) => Promise<Outputs | void> | Outputs | void;

export type Outputs = Record<string, unknown>;

/** The same that functions of `node:` tasks get. `input` is what `with:` says, judged by the JSON Schema of plugin.yaml. */
export interface PluginContext {
  readonly environment: string;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly matrix: Readonly<Record<string, unknown>>;
  readonly runId: string;
  readonly attempt: { readonly id: string; readonly number: number; readonly fence: number };
  readonly interval: { readonly start: string; readonly end: string } | null;
  /** Local date of the interval's start. */
  readonly ds: string | null;
  readonly env: Readonly<Record<string, string>>;
  /** Only those that the task names; masked in the log. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Folders of what the task reads and writes, by the name of the path. */
  readonly paths: Readonly<Record<string, string>>;
  readonly out: Readonly<Record<string, string>>;
  /** Read-only: the files of the release. */
  readonly releaseDir: string;
  /** A folder that is removed after the attempt. */
  readonly scratch: string;
  /** Aborts when the attempt is cancelled or times out; who looks at it gets time to tidy up. */
  readonly signal: AbortSignal;
  log(...values: unknown[]): void;
  metric(name: string, value: number, step?: number): void;
  output(name: string, value: unknown): void;
  progress(done: number, total: number, label?: string): void;
  /** Markdown for the page of the task. */
  summary(markdown: string): void;
  /** Ends the attempt as skipped. */
  skip(message?: string): never;
  /** Ends the attempt; it is tried again after `60s`, `1h30m`, … without using up a retry. */
  retryAfter(duration: string, message?: string): never;
}
