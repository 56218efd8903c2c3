/** What these tasks use of the one argument that Sluice gives to a `node:` function. */
export interface TaskContext {
  readonly params: Readonly<Record<string, unknown>>;
  /** Values of this map index, one per axis of the task's `matrix`. */
  readonly matrix: Readonly<Record<string, unknown>>;
  readonly interval: { readonly start: string; readonly end: string } | null;
  readonly ds: string | null;
  /** Folders to read, by alias. */
  readonly paths: Readonly<Record<string, string>>;
  /** Folders to write, by name; published when the task succeeds. */
  readonly out: Readonly<Record<string, string>>;
  log(message: string): void;
  metric(name: string, value: number, step?: number): void;
  output(name: string, value: unknown): void;
  progress(done: number, total: number, label?: string): void;
  summary(markdown: string): void;
}

/** The run's interval as calendar days, `end` exclusive; throws for a run without an interval. */
export function intervalDays(ctx: TaskContext): { readonly start: string; readonly end: string } {
  if (!ctx.interval) {
    throw new Error('This task needs a data interval: start the run with one, e.g. `sluice backfill --from … --to …`.');
  }
  return { start: ctx.interval.start.slice(0, 10), end: ctx.interval.end.slice(0, 10) };
}

/** A numeric parameter; throws when the pipeline passes anything else. */
export function numberParam(ctx: TaskContext, name: string): number {
  const value = ctx.params[name];
  if (typeof value !== 'number') throw new Error(`The parameter ${name} is ${JSON.stringify(value)}, not a number.`);
  return value;
}
