import type { CompiledPipeline, RunRecord } from '#core';
import type { Scope } from '#dag';
import { ds } from '#dag';
import type { OwnedRun } from './owned-run.ts';
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

/** Adds what the tasks before it said: `tasks.<id>.state` and `.outputs` (a list in map order for a fan-out). */
export function taskScope(run: OwnedRun, matrix: Readonly<Record<string, unknown>> | null): Scope {
  const scope = runScope(run.record, run.plan.pipeline, run.environment);
  return {
    ...scope,
    tasks: tasksOf(run),
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

function taskView(run: OwnedRun, taskIndex: number): TaskViews[string] {
  const byIndex = run.outputs.get(taskIndex);
  const progress = run.cache.tasks[taskIndex];
  const outputs = run.plan.pipeline.tasks[taskIndex]?.matrix
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
