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

/** Adds what the tasks upstream said: `tasks.<id>.state` and `.outputs` (a list in map order for a fan-out). */
export function taskScope(run: OwnedRun, taskIndex: number, matrix: Readonly<Record<string, unknown>> | null): Scope {
  const { plan, cache } = run;
  const tasks: Record<string, { state: string; outputs: unknown }> = {};
  for (const parent of ancestors(run, taskIndex)) {
    const task = plan.pipeline.tasks[parent];
    const progress = cache.tasks[parent];
    if (!task || !progress) continue;
    const byIndex = run.outputs.get(parent);
    const outputs = task.matrix
      ? Array.from({ length: progress.total }, (_, index) => byIndex?.get(index) ?? {})
      : (byIndex?.get(0) ?? {});
    tasks[task.id] = { state: worstState([...progress.instances.values()].map((instance) => instance.state)), outputs };
  }
  const scope = runScope(run.record, plan.pipeline, run.environment);
  return {
    ...scope,
    tasks,
    ...(matrix ? { matrix } : {}),
    run: { ...scope.run, ...(run.cache.finalStarted ? { state: runningVerdict(run) } : {}) },
  } as Scope;
}

/** All tasks upstream, near and far; `finally` tasks see every other task. */
function ancestors(run: OwnedRun, taskIndex: number): Set<number> {
  const nodes = run.plan.graph.tasks;
  const found = new Set<number>();
  const open = [...(nodes[taskIndex]?.upstream ?? [])];
  if (nodes[taskIndex]?.final) nodes.forEach((node, index) => !node.final && open.push(index));
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (found.has(index)) continue;
    found.add(index);
    open.push(...(nodes[index]?.upstream ?? []));
  }
  return found;
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
