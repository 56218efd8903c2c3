import type { CacheAnswer } from './cache/find-cached.ts';
import type { AppliedEnvironment } from './ports.ts';
import type { ClaimedRun, InputBinding, LoadedTaskRun, ResultInQuestion, RunCache, RunEvent, WaitInsert } from '#core';
import { innerOf, itemOf, joinKeys, loadRunCache, onlyWaits, splitKey } from '#core';
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

/**
 * What is prepared: a task, what its group has in common, with `item` the list that it has for one item of its group, or
 * with `mapIndex` one task run in a group.
 */
export interface PreparedPlace {
  readonly taskIndex: number;
  readonly mapIndex?: number;
  readonly item?: number;
}

export interface WaitingPlace extends PreparedPlace {
  /** Of the next look, epoch milliseconds. */
  readonly at: number;
}

/** What is prepared for a task run: it, when it is in a group, else its task. */
export function placeOfTaskRun(run: OwnedRun, taskIndex: number, mapIndex: number): PreparedPlace {
  return isChained(run, taskIndex) ? { taskIndex, mapIndex } : { taskIndex };
}

export function placeOf({ taskIndex, mapIndex, item }: PreparedPlace): string {
  if (item !== undefined) return `${taskIndex}/list ${item}`;
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
  /** By item of its group, of a task that fans out once more there: its task runs, with the values of both. */
  readonly within?: Map<number, MapItem[]>;
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
  const { chain } = run.cache.tasks[taskIndex] ?? {};
  if (chain?.asWhole) return null;
  if (!chain?.inner) return itemAt(run, taskIndex, mapIndex);
  const item = itemOf(chain, mapIndex);
  const outer = itemAt(run, taskIndex, item);
  if (chain.inner.lists.get(item)?.phase === 'whole') return outer;
  const known = run.prepared.get(taskIndex)?.within?.get(item)?.[innerOf(mapIndex)];
  const literal = run.plan.literalInner[taskIndex]?.[innerOf(mapIndex)];
  return known ?? (outer && literal ? within(outer, literal) : null);
}

/** An item of the fan-out that a task has alone or with its group. */
export function itemAt(run: OwnedRun, taskIndex: number, item: number): MapItem | null {
  return run.prepared.get(taskIndex)?.items?.[item] ?? run.plan.literalItems[taskIndex]?.[item] ?? null;
}

function within(outer: MapItem, { key, values }: MapItem): MapItem {
  return { key: joinKeys(outer.key, key), values: { ...outer.values, ...values } };
}

/** Notes what a task fans out into within an item of its group. */
export function rememberList(run: OwnedRun, taskIndex: number, item: number, items: readonly MapItem[]): void {
  const prepared = run.prepared.get(taskIndex) ?? { inputs: [], items: null };
  const outer = itemAt(run, taskIndex, item) ?? { key: '', values: {} };
  const lists = prepared.within ?? new Map<number, MapItem[]>();
  const list = items.map((one) => within(outer, one));
  run.prepared.set(taskIndex, { ...prepared, within: lists.set(item, list) });
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
  const inputs = row.inputs ?? before?.inputs ?? [];
  const lists = before?.within ?? new Map<number, MapItem[]>();
  const items = [...(before?.items ?? [])];
  const item = itemOf(run.plan.graph.tasks[taskIndex] ?? {}, row.mapIndex);
  if (row.matrix && splitKey(row.mapKey) !== null) {
    const list = lists.get(item) ?? [];
    list[innerOf(row.mapIndex)] = { key: row.mapKey, values: row.matrix };
    lists.set(item, list);
  } else if (row.matrix) items[item] = { key: row.mapKey, values: row.matrix };
  const known = { inputs, items: items.length > 0 ? items : null };
  run.prepared.set(taskIndex, { ...before, ...known, ...(lists.size > 0 ? { within: lists } : {}) });
  if (isChained(run, taskIndex)) rememberEach(run, taskIndex, row.mapIndex, { inputs: row.inputs });
}
