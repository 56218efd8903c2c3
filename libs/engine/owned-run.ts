import type { CacheAnswer } from './cache/find-cached.ts';
import type { AppliedEnvironment } from './ports.ts';
import type { ClaimedRun, InputBinding, LoadedTaskRun, ResultInQuestion, RunCache, RunEvent, WaitInsert } from '#core';
import { loadRunCache, onlyWaits } from '#core';
import type { MapItem, RunPlan } from './graph-of.ts';

/** A run that this process owns: its record, its plan, its cache and what was prepared for its tasks. */
export interface OwnedRun {
  readonly record: ClaimedRun;
  readonly plan: RunPlan;
  readonly environment: AppliedEnvironment;
  readonly cache: RunCache;
  /** Events that wait for the next batch. */
  events: RunEvent[];
  /** Attempts whose end is in the batch that is being written. */
  readonly flushed: string[];
  /** By task index: inputs and fan-out, as far as this process prepared or loaded them. */
  readonly prepared: Map<number, PreparedTask>;
  /** By task index, then map index. */
  readonly outputs: Map<number, Map<number, Readonly<Record<string, unknown>>>>;
  /** Why task runs failed, by `taskIndex/mapIndex`, for alerts. */
  readonly failures: Map<string, string>;
  /** Tasks, and task runs in groups, whose data is not there yet, by `placeOf`. */
  readonly waiting: Map<string, WaitingPlace>;
  /** What is noted when a task run begins to wait, by `taskIndex/mapIndex`. */
  readonly waits: Map<string, WaitInsert>;
  /** By `taskIndex/mapIndex`: results that somebody let pass, and that are to be written. */
  readonly approved: Map<string, ResultInQuestion>;
  /** Tasks, by index, that the interval before does not hold: asked once for all of their items. */
  readonly pastMet: Set<number>;
  /** By task index: tasks of whose checks somebody was told. */
  readonly warned: Set<number>;
  /** When task runs became ready (epoch milliseconds), by `taskIndex/mapIndex`; not known of those that were loaded. */
  readonly readyAt: Map<string, number>;
  /** What is being prepared, by `placeOf`. */
  readonly preparing: Set<string>;
}

/** What is prepared: a task, what its group has in common, or with `mapIndex` one task run in a group. */
export interface PreparedPlace {
  readonly taskIndex: number;
  readonly mapIndex?: number;
}

export interface WaitingPlace extends PreparedPlace {
  /** Of the next look, epoch milliseconds. */
  readonly at: number;
}

/** What is prepared for a task run: it, when it is in a group, else its task. */
export function placeOfTaskRun(run: OwnedRun, taskIndex: number, mapIndex: number): PreparedPlace {
  return isChained(run, taskIndex) ? { taskIndex, mapIndex } : { taskIndex };
}

export function placeOf({ taskIndex, mapIndex }: PreparedPlace): string {
  return mapIndex === undefined ? String(taskIndex) : `${taskIndex}/${mapIndex}`;
}

export interface PreparedTask {
  readonly inputs: readonly InputBinding[];
  readonly items: readonly MapItem[] | null;
  /** By map index, of a task with `cache: true` that this process prepared. */
  readonly cache?: ReadonlyMap<number, CacheAnswer>;
  /** Of a task without attempts, once it has come to its end. */
  readonly outputs?: Readonly<Record<string, unknown>>;
  /** By map index, of a task in a group: each is prepared by itself, and has these instead. */
  readonly each?: Map<number, PreparedEach>;
}

/** What is known of one task run before it is tried. */
export interface PreparedEach {
  readonly inputs: readonly InputBinding[] | null;
  readonly cache?: CacheAnswer;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** True: each of its task runs is prepared by itself. */
export function isChained(run: OwnedRun, taskIndex: number): boolean {
  return (run.plan.graph.tasks[taskIndex]?.group ?? null) !== null;
}

/** What this process knows of a task run from its preparation. */
export function preparedOf(run: OwnedRun, taskIndex: number, mapIndex: number): PreparedEach {
  const prepared = run.prepared.get(taskIndex);
  if (isChained(run, taskIndex)) return prepared?.each?.get(mapIndex) ?? { inputs: null };
  const cache = prepared?.cache?.get(mapIndex);
  return {
    inputs: prepared?.inputs ?? null,
    ...(cache === undefined ? {} : { cache }),
    ...(prepared?.outputs === undefined ? {} : { outputs: prepared.outputs }),
  };
}

export function rememberEach(run: OwnedRun, taskIndex: number, mapIndex: number, each: PreparedEach): void {
  const prepared = run.prepared.get(taskIndex) ?? { inputs: [], items: null };
  const all = prepared.each ?? new Map<number, PreparedEach>();
  run.prepared.set(taskIndex, { ...prepared, each: all.set(mapIndex, each) });
}

/** Its place in the fan-out; null: the task has none, or its task run stands for all of it. */
export function mapItem(run: OwnedRun, taskIndex: number, mapIndex: number): MapItem | null {
  if (run.cache.tasks[taskIndex]?.chain?.asWhole) return null;
  return run.prepared.get(taskIndex)?.items?.[mapIndex] ?? run.plan.literalItems[taskIndex]?.[mapIndex] ?? null;
}

/** Rebuilds an owned run from what is stored. */
export function ownRun(
  record: ClaimedRun,
  plan: RunPlan,
  environment: AppliedEnvironment,
  rows: readonly LoadedTaskRun[],
): OwnedRun {
  const owned: OwnedRun = {
    record,
    plan,
    environment,
    cache: loadRunCache(record.id, plan.graph, rows),
    events: [{ kind: 'start' }],
    flushed: [],
    prepared: new Map(),
    outputs: new Map(),
    failures: new Map(),
    waiting: new Map(),
    waits: new Map(),
    approved: new Map(),
    pastMet: new Set(),
    warned: new Set(),
    readyAt: new Map(),
    preparing: new Set(),
  };
  for (const row of rows) {
    const index = plan.indexOf.get(row.taskId);
    if (index === undefined) continue;
    if (row.outputs) rememberOutputs(owned, index, row.mapIndex, row.outputs);
    if (row.inputs || row.matrix) rememberPrepared(owned, index, row);
  }
  if (record.cancelRequested) owned.events.push({ kind: 'stop', verdict: 'cancelled' });
  return owned;
}

/** True: until one of its waits ends, or somebody asks, nothing of it is to be done here. */
export function isIdle(run: OwnedRun): boolean {
  return run.events.length === 0 && run.preparing.size === 0 && run.waiting.size === 0 && onlyWaits(run.cache);
}

export function rememberOutputs(
  run: OwnedRun,
  taskIndex: number,
  mapIndex: number,
  outputs: Readonly<Record<string, unknown>>,
): void {
  if (Object.keys(outputs).length === 0) return;
  const byIndex = run.outputs.get(taskIndex) ?? new Map<number, Readonly<Record<string, unknown>>>();
  byIndex.set(mapIndex, outputs);
  run.outputs.set(taskIndex, byIndex);
}

function rememberPrepared(run: OwnedRun, taskIndex: number, row: LoadedTaskRun): void {
  const before = run.prepared.get(taskIndex);
  const items = [...(before?.items ?? [])];
  if (row.matrix) items[row.mapIndex] = { key: row.mapKey, values: row.matrix };
  const inputs = row.inputs ?? before?.inputs ?? [];
  run.prepared.set(taskIndex, { ...before, inputs, items: items.length > 0 ? items : null });
  if (isChained(run, taskIndex)) rememberEach(run, taskIndex, row.mapIndex, { inputs: row.inputs });
}
