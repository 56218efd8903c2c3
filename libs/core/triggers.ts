/*
 * What starts runs besides time: data that other pipelines publish, other pipelines' ends, and events from outside.
 * Everything here happens within one environment.
 */

/** Absent keys: nothing of that kind starts a run. */
export interface Triggers {
  readonly datasets?: DatasetTrigger;
  readonly after?: readonly AfterTrigger[];
  /** By the event's name. */
  readonly events?: Readonly<Record<string, EventTrigger>>;
}

export interface DatasetTrigger {
  readonly expression: DatasetExpression;
  /** New versions count together when they lie within this time; null: however far apart. */
  readonly windowMs: number | null;
  /** No run while the newest version of a dataset that the expression names is older than this; null: however old. */
  readonly freshnessMs: number | null;
}

export type DatasetExpression =
  | { readonly pipeline: string; readonly path: string }
  | { readonly all: readonly DatasetExpression[] }
  | { readonly any: readonly DatasetExpression[] };

export interface AfterTrigger {
  readonly pipeline: string;
  /** `failed`: timed out as well; `any`: cancelled as well. */
  readonly on: 'success' | 'failed' | 'any';
}

export interface EventTrigger {
  /** Parameters of the run: texts may hold `${{ event.… }}`; a text that is nothing else keeps the value's type. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Name of the secret, in the environment file, with which senders sign; null: nobody has to. */
  readonly secret: string | null;
}

/** A run that was started by others, at the end of a chain this long, starts nothing any more: loops end here. */
export const MAX_DEPTH = 20;

/** Something that a pipeline waits for and that no run of it was started for yet. */
export interface Unseen {
  readonly id: string;
  /** Pipeline that published or ended. */
  readonly source: string;
  /** Path that has a new version; null: a run ended. */
  readonly path: string | null;
  readonly runId: string;
  /** How the run ended; of a version: `success`. */
  readonly state: string;
  readonly intervalStart: string | null;
  readonly intervalEnd: string | null;
  /** Of the run. */
  readonly depth: number;
  readonly at: string;
}

/** Every dataset that an expression names, each once, in the order of its writing. */
export function datasetsOf(expression: DatasetExpression): { readonly pipeline: string; readonly path: string }[] {
  const found = new Map<string, { readonly pipeline: string; readonly path: string }>();
  const visit = (part: DatasetExpression): void => {
    if ('path' in part) found.set(nameOf(part.pipeline, part.path), part);
    else for (const inner of 'all' in part ? part.all : part.any) visit(inner);
  };
  visit(expression);
  return [...found.values()];
}

/**
 * The new versions that start a run; null: not yet. `newest`: when each dataset was last published, by `pipeline.path`;
 * asked only with `freshness`. Both limits count back from the newest version at hand, so that nothing but another
 * version changes the answer.
 */
export function startingVersions(
  { expression, windowMs, freshnessMs }: DatasetTrigger,
  unseen: readonly Unseen[],
  newest: ReadonlyMap<string, string>,
): readonly Unseen[] | null {
  const named = new Set(datasetsOf(expression).map(({ pipeline, path }) => nameOf(pipeline, path)));
  const versions = unseen.filter(({ source, path }) => path !== null && named.has(nameOf(source, path)));
  const latest = Math.max(...versions.map(({ at }) => Date.parse(at)));
  const within = versions.filter(({ at }) => windowMs === null || Date.parse(at) >= latest - windowMs);
  const isNew = new Set(within.map(({ source, path }) => nameOf(source, path ?? '')));
  if (!holds(expression, isNew)) return null;
  const isStale = (name: string): boolean => {
    const at = newest.get(name);
    return freshnessMs !== null && (at === undefined || Date.parse(at) < latest - freshnessMs);
  };
  return [...named].some(isStale) ? null : within;
}

function holds(expression: DatasetExpression, isNew: ReadonlySet<string>): boolean {
  if ('path' in expression) return isNew.has(nameOf(expression.pipeline, expression.path));
  return 'all' in expression
    ? expression.all.every((part) => holds(part, isNew))
    : expression.any.some((part) => holds(part, isNew));
}

/** True when a run of another pipeline that ended so starts one. */
export function followsEnd(after: readonly AfterTrigger[], source: string, state: string): boolean {
  return after.some(({ pipeline, on }) => pipeline === source && ENDS[on].includes(state));
}

const ENDS: Readonly<Record<AfterTrigger['on'], readonly string[]>> = {
  success: ['success'],
  failed: ['failed', 'timed_out'],
  any: ['success', 'failed', 'timed_out', 'cancelled'],
};

/** From the first start to the last end of these intervals; null when none of them is about one. */
export function spanOf(
  intervals: readonly Pick<Unseen, 'intervalStart' | 'intervalEnd'>[],
): { readonly start: string; readonly end: string } | null {
  const starts = intervals.flatMap(({ intervalStart }) => intervalStart ?? []);
  const ends = intervals.flatMap(({ intervalEnd }) => intervalEnd ?? []);
  const [start, end] = [starts.sort()[0], ends.sort().at(-1)];
  return start === undefined || end === undefined ? null : { start, end };
}

function nameOf(pipeline: string, path: string): string {
  return `${pipeline}.${path}`;
}
