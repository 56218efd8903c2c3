import type { CompiledPipeline, CompiledTask } from './pipeline.ts';

/** What two releases' pipelines differ in, by meaning: the place of a task in its file, comments and key order are nothing. */
export interface PipelineDiff {
  readonly pipeline: string;
  readonly change: DiffKind;
  /** Of the pipeline itself; empty unless it changed. */
  readonly fields: readonly FieldChange[];
  /** Those that differ, by id; empty unless the pipeline changed. */
  readonly tasks: readonly TaskDiff[];
}

export interface TaskDiff {
  readonly task: string;
  readonly change: DiffKind;
  readonly fields: readonly FieldChange[];
}

export type DiffKind = 'added' | 'removed' | 'changed';

/** One field: `schedule.cron`, `retries.max`. A side is absent when the field was not there. */
export interface FieldChange {
  readonly field: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Sorted by name; pipelines that mean the same are left out. Cost grows with the number of pipelines, not its square. */
export function diffPipelines(
  before: readonly CompiledPipeline[],
  after: readonly CompiledPipeline[],
): readonly PipelineDiff[] {
  return pairs(before, after, (pipeline) => pipeline.name).flatMap(([pipeline, old, now]): PipelineDiff[] => {
    if (old === null || now === null)
      return [{ pipeline, change: old === null ? 'added' : 'removed', fields: [], tasks: [] }];
    if (old === now) return [];
    const fields = changesBetween(without(old, ['tasks', 'format', 'name']), without(now, ['tasks', 'format', 'name']));
    const tasks = diffTasks(old.tasks, now.tasks);
    return fields.length + tasks.length === 0 ? [] : [{ pipeline, change: 'changed', fields, tasks }];
  });
}

function diffTasks(before: readonly CompiledTask[], after: readonly CompiledTask[]): readonly TaskDiff[] {
  return pairs(before, after, (task) => task.id).flatMap(([task, old, now]): TaskDiff[] => {
    if (old === null || now === null) return [{ task, change: old === null ? 'added' : 'removed', fields: [] }];
    const fields = changesBetween(without(old, ['id', 'line', 'origin']), without(now, ['id', 'line', 'origin']));
    return fields.length === 0 ? [] : [{ task, change: 'changed', fields }];
  });
}

/** Every key of either side, sorted, with what each side has. */
function pairs<T>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (item: T) => string,
): [string, T | null, T | null][] {
  const old = new Map(before.map((item) => [keyOf(item), item]));
  const now = new Map(after.map((item) => [keyOf(item), item]));
  const keys = [...new Set([...old.keys(), ...now.keys()])].sort();
  return keys.map((key) => [key, old.get(key) ?? null, now.get(key) ?? null]);
}

/** What two values differ in, by field of plain objects, to any depth; lists are compared whole. */
export function changesBetween(before: unknown, after: unknown, field = ''): FieldChange[] {
  if (isPlain(before) && isPlain(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) =>
      changesBetween(own(before, key), own(after, key), field === '' ? key : `${field}.${key}`),
    );
  }
  if (isSame(before, after)) return [];
  return [{ field, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
}

function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => isSame(item, b[i]));
  if (!isPlain(a) || !isPlain(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A key such as `__proto__` or `constructor` is nothing but a name here. */
function own(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function without(value: object, keys: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}
