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
  /** Tasks whose data is not there yet, with the time of the next look (epoch milliseconds). */
  readonly waiting: Map<number, number>;
  /** By task index: what is noted when the task begins to wait. */
  readonly waits: Map<number, WaitInsert>;
  /** By `taskIndex/mapIndex`: results that somebody let pass, and that are to be written. */
  readonly approved: Map<string, ResultInQuestion>;
  /** By task index: tasks of whose checks somebody was told. */
  readonly warned: Set<number>;
  /** When task runs became ready (epoch milliseconds), by `taskIndex/mapIndex`; not known of those that were loaded. */
  readonly readyAt: Map<string, number>;
  /** Task indexes whose preparation is under way. */
  readonly preparing: Set<number>;
}

export interface PreparedTask {
  readonly inputs: readonly InputBinding[];
  readonly items: readonly MapItem[] | null;
  /** By map index, of a task with `cache: true` that this process prepared. */
  readonly cache?: ReadonlyMap<number, CacheAnswer>;
  /** Of a task without attempts, once it has come to its end. */
  readonly outputs?: Readonly<Record<string, unknown>>;
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
  run.prepared.set(taskIndex, { inputs: row.inputs ?? before?.inputs ?? [], items: items.length > 0 ? items : null });
}
