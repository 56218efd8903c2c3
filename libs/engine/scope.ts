import type { CompiledPipeline, RunRecord } from '#core';
import { firstOf, itemOf } from '#core';
import type { Scope } from '#dag';
import { ds } from '#dag';
import type { OwnedRun } from './owned-run.ts';
import { itemAt, mapItem } from './owned-run.ts';
import type { AppliedEnvironment } from './ports.ts';

/** What expressions of a run see, without anything of a particular task. */
export function runScope(record: RunRecord, pipeline: CompiledPipeline, environment: AppliedEnvironment): Scope {
  const interval =
    record.intervalStart !== null && record.intervalEnd !== null
      ? { start: new Date(record.intervalStart), end: new Date(record.intervalEnd) }
      : null;
  const day = interval ? ds(interval, pipeline.schedule) : undefined;
  return {
    params: record.params,
    env: { name: record.environment, vars: environment.config.vars },
    run: {
      id: record.id,
      trigger: record.verifiedTrigger ?? record.trigger,
      release: record.release,
      interval: interval ? { start: iso(interval.start), end: iso(interval.end) } : null,
    },
    ...(interval && day !== undefined
      ? {
          ds: day,
          ds_nodash: day.replaceAll('-', ''),
          ts: iso(interval.start),
          data_interval_start: iso(interval.start),
          data_interval_end: iso(interval.end),
        }
      : {}),
  } as Scope;
}

/**
 * Adds what the tasks before it said: `tasks.<id>.state` and `.outputs` (a list in map order for a fan-out, but of a task
 * in the same group what it said for the same item). `mapIndex` null: of the task as a whole.
 */
export function taskScope(run: OwnedRun, taskIndex: number, mapIndex: number | null): Scope {
  if (mapIndex === null) return scopeWith(run, tasksOf(run), undefined);
  const item = itemOf(run.plan.graph.tasks[taskIndex] ?? {}, mapIndex);
  return scopeWith(run, tasksAt(run, taskIndex, item), mapItem(run, taskIndex, mapIndex)?.values);
}

/** What a task in a group sees for one item of it, before its own fan-out there is known. */
export function itemScope(run: OwnedRun, taskIndex: number, item: number): Scope {
  return scopeWith(run, tasksAt(run, taskIndex, item), itemAt(run, taskIndex, item)?.values);
}

function scopeWith(run: OwnedRun, tasks: TaskViews, matrix: Readonly<Record<string, unknown>> | undefined): Scope {
  const scope = runScope(run.record, run.plan.pipeline, run.environment);
  return {
    ...scope,
    tasks,
    ...(matrix ? { matrix } : {}),
    run: { ...scope.run, ...(run.cache.finalStarted ? { state: runningVerdict(run) } : {}) },
  } as Scope;
}

type TaskViews = NonNullable<Scope['tasks']>;
const views = new WeakMap<OwnedRun, TaskViews>();

/**
 * Every task of the run, looked at when an expression names it: the compiler lets it name only those upstream, and a
 * list of these made for each attempt would cost as much as the run is large.
 */
function tasksOf(run: OwnedRun): TaskViews {
  const known = views.get(run);
  if (known) return known;
  const made: TaskViews = {};
  run.plan.pipeline.tasks.forEach(({ id }, index) =>
    Object.defineProperty(made, id, { enumerable: true, get: () => taskView(run, index) }),
  );
  views.set(run, made);
  return made;
}

/** The same from within a group. Its tasks are looked at in passing: a copy of all would cost as much as the run is large. */
function tasksAt(run: OwnedRun, taskIndex: number, item: number): TaskViews {
  const all = tasksOf(run);
  const { tasks, groups } = run.plan.graph;
  const group = groups[tasks[taskIndex]?.group ?? -1];
  if (!group || group.members.length < 2) return all;
  const members = new Map(group.members.map((member) => [tasks[member]?.id, member]));
  return new Proxy(all, {
    get: (_, id) => {
      const member = members.get(String(id));
      return member === undefined ? all[String(id)] : viewAt(run, member, item);
    },
  });
}

function viewAt(run: OwnedRun, taskIndex: number, item: number): TaskViews[string] {
  const progress = run.cache.tasks[taskIndex];
  const isWhole = progress?.chain?.asWhole ?? false;
  if (progress?.chain?.inner && !isWhole) return viewOfList(run, taskIndex, item);
  const instance = progress?.instances.get(isWhole ? 0 : item);
  const none = progress?.chain?.inner ? [] : {};
  return { state: instance?.state ?? 'none', outputs: run.outputs.get(taskIndex)?.get(item) ?? none };
}

/** Of a task that fans out within its group, what one item of that has: outputs are a list, which is empty when it has no list. */
function viewOfList(run: OwnedRun, taskIndex: number, item: number): TaskViews[string] {
  const progress = run.cache.tasks[taskIndex];
  const list = progress?.chain?.inner?.lists.get(item);
  const first = firstOf({ inner: {} }, item);
  const mapIndexes = Array.from({ length: list?.total ?? 0 }, (_, index) => first + index);
  const states = mapIndexes.map((mapIndex) => progress?.instances.get(mapIndex)?.state ?? 'none');
  const byIndex = run.outputs.get(taskIndex);
  const outputs = list?.phase === 'known' ? mapIndexes.map((mapIndex) => byIndex?.get(mapIndex) ?? {}) : [];
  return { state: worstState(states), outputs };
}

function taskView(run: OwnedRun, taskIndex: number): TaskViews[string] {
  const byIndex = run.outputs.get(taskIndex);
  const progress = run.cache.tasks[taskIndex];
  const { inner = null, group = null } = run.plan.graph.tasks[taskIndex] ?? {};
  const items = run.cache.groups[group ?? -1]?.mapKeys ?? [];
  const outputs = inner
    ? [...items.keys()].map((item) => viewAt(run, taskIndex, item).outputs)
    : run.plan.pipeline.tasks[taskIndex]?.matrix
      ? Array.from({ length: progress?.total ?? 0 }, (_, index) => byIndex?.get(index) ?? {})
      : (byIndex?.get(0) ?? {});
  return { state: worstState([...(progress?.instances.values() ?? [])].map(({ state }) => state)), outputs };
}

const SEVERITY = [
  'failed',
  'upstream_failed',
  'cancelled',
  'lost',
  'retrying',
  'running',
  'queued',
  'ready',
  'waiting',
  'success',
  'skipped',
  'none',
];

/** One state for a fan-out: the one that people would want to know first. */
export function worstState(states: readonly string[]): string {
  return SEVERITY.find((state) => states.includes(state)) ?? 'none';
}

function runningVerdict(run: OwnedRun): string {
  const { verdict, stopping } = run.cache;
  if (verdict !== null) return verdict.state;
  return stopping ?? (run.cache.anyFailed ? 'failed' : 'success');
}

function iso(date: Date): string {
  return date.toISOString();
}
