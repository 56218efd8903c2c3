import type { AlertInsert, CompiledPipeline, Decision, RunRecord, TaskRunChange } from '#core';
import { approvalAlerts } from './approval-alerts.ts';
import type { Judged } from './judge-result.ts';
import { warningOf } from './judge-result.ts';
import type { OwnedRun } from './owned-run.ts';
import type { AppliedEnvironment } from './ports.ts';
import { toAll, type AlertDefaults } from './route-alerts.ts';

/** More would push everything else out of a message. */
const MOST_CHECKS = 4;

/** Outbox rows that belong into the commit of these decisions. `run.recovered` is decided after the commit: see `recoveredAlerts`. */
export function alertsFor(
  run: OwnedRun,
  changes: readonly TaskRunChange[],
  decisions: readonly Decision[],
  defaults: AlertDefaults,
): AlertInsert[] {
  // The promotion that asked for it speaks for its runs.
  if (run.record.shadow) return [];
  const alerts: AlertInsert[] = [];
  for (const change of changes) if (change.to === 'retrying') alerts.push(...retryingAlerts(run, change, defaults));
  alerts.push(...approvalAlerts(run, changes, defaults));
  for (const decision of decisions) {
    if (decision.kind === 'end-run' && (decision.state === 'failed' || decision.state === 'timed_out'))
      alerts.push(...failedAlerts(run, decision, defaults));
  }
  return alerts;
}

function retryingAlerts(run: OwnedRun, change: TaskRunChange, defaults: AlertDefaults): AlertInsert[] {
  const task = run.plan.pipeline.tasks[change.taskIndex];
  if (!task) return [];
  const title = `Task "${task.id}" failed on try ${change.number} and will be tried again: ${change.reason ?? 'no reason given'}`;
  return toAll('task.retrying', run.record.id, run.record, run.plan.pipeline, run.environment, title, defaults, {
    log: { taskId: task.id, mapIndex: change.mapIndex, number: change.number },
    details: [{ label: 'Next try', value: change.retryAt === null ? 'now' : new Date(change.retryAt).toISOString() }],
  });
}

/** Tells, once for each task of a run, that checks did not hold which fail nothing: they warn or put rows aside. */
export function warnedAlerts(
  run: OwnedRun,
  { taskIndex, mapIndex, number }: { taskIndex: number; mapIndex: number; number: number },
  { outcome, checks }: Judged,
  defaults: AlertDefaults,
): AlertInsert[] {
  const task = run.plan.pipeline.tasks[taskIndex];
  const warned = outcome.kind === 'success' ? checks.filter(({ state }) => state !== 'passed') : [];
  const [first] = warned;
  if (!task || first === undefined || run.record.shadow || run.warned.has(taskIndex)) return [];
  run.warned.add(taskIndex);
  const { id } = run.record;
  const others = warned.length === 1 ? '' : `, and ${warned.length - 1} more`;
  return toAll(
    'check.warned',
    id,
    run.record,
    run.plan.pipeline,
    run.environment,
    `Task "${task.id}": ${warningOf(first)}${others}`,
    defaults,
    {
      log: { taskId: task.id, mapIndex, number },
      details: [
        ...warned.slice(0, MOST_CHECKS).map((check) => ({ label: check.name, value: warningOf(check) })),
        { label: 'All of them', value: `sluice checks --run ${id}` },
      ],
    },
  );
}

function failedAlerts(
  run: OwnedRun,
  decision: Extract<Decision, { kind: 'end-run' }>,
  defaults: AlertDefaults,
): AlertInsert[] {
  const failed = firstFailed(run);
  const tries = failed
    ? `on try ${failed.number} of ${(run.plan.pipeline.tasks[failed.taskIndex]?.retries.max ?? 0) + 1}`
    : '';
  const taskId = failed ? (run.plan.pipeline.tasks[failed.taskIndex]?.id ?? '') : '';
  const title = failed
    ? `Task "${taskId}" failed ${tries}: ${failed.reason ?? decision.reason ?? ''}`
    : (decision.reason ?? 'The run failed');
  const counts: Record<string, number> = {};
  for (const task of run.cache.tasks)
    for (const instance of task.instances.values()) counts[instance.state] = (counts[instance.state] ?? 0) + 1;
  return toAll('run.failed', run.record.id, run.record, run.plan.pipeline, run.environment, title, defaults, {
    log: failed && failed.number > 0 ? { taskId, mapIndex: failed.mapIndex, number: failed.number } : null,
    details: [
      {
        label: 'Tasks',
        value: Object.entries(counts)
          .map(([state, count]) => `${count} ${state.replace('_', ' ')}`)
          .join(', '),
      },
    ],
  });
}

function firstFailed(
  run: OwnedRun,
): { taskIndex: number; mapIndex: number; number: number; reason: string | null } | null {
  for (const [taskIndex, task] of run.cache.tasks.entries())
    for (const instance of task.instances.values())
      if (instance.state === 'failed')
        return {
          taskIndex,
          mapIndex: instance.mapIndex,
          number: instance.number,
          reason: run.failures.get(`${taskIndex}/${instance.mapIndex}`) ?? null,
        };
  return null;
}

/** Tells the people who were told that run `mended` failed that `run` made it good. */
export function recoveredAlerts(
  mended: string,
  run: RunRecord,
  pipeline: CompiledPipeline,
  environment: AppliedEnvironment,
  defaults: AlertDefaults,
): AlertInsert[] {
  return toAll('run.recovered', mended, run, pipeline, environment, `Run ${run.id} succeeded`, defaults, {
    log: null,
    details: [{ label: 'Recovered by', value: `run ${run.id}` }],
  });
}

export function lateAlerts(
  run: RunRecord,
  pipeline: CompiledPipeline,
  environment: AppliedEnvironment,
  defaults: AlertDefaults,
): AlertInsert[] {
  const title = `Run ${run.id} is ${run.state} past its deadline of ${Math.round((pipeline.deadlineMs ?? 0) / 1000)} s`;
  return toAll('run.late', run.id, run, pipeline, environment, title, defaults, {
    log: null,
    details: [{ label: 'Created', value: run.createdAt }],
  });
}

/** Tells that runs which start each other were stopped. */
export function loopingAlerts(
  run: RunRecord,
  reason: string,
  pipeline: CompiledPipeline,
  environment: AppliedEnvironment,
  defaults: AlertDefaults,
): AlertInsert[] {
  const title = `Run ${run.id} was not started: ${reason}`;
  return toAll('run.looping', run.id, run, pipeline, environment, title, defaults, {
    log: null,
    details: [{ label: 'Remedy', value: 'Look at what started it, run by run, and take one start away.' }],
  });
}

/** Tells that nothing of a pipeline starts by itself any more. */
export function pausedAlerts(
  run: RunRecord,
  reason: string,
  pipeline: CompiledPipeline,
  environment: AppliedEnvironment,
  defaults: AlertDefaults,
): AlertInsert[] {
  const title = `${run.pipeline} is paused in ${run.environment}: ${reason}`;
  return toAll('pipeline.paused', run.id, run, pipeline, environment, title, defaults, {
    log: null,
    details: [{ label: 'Continue', value: `sluice unpause ${run.pipeline} --env ${run.environment}` }],
  });
}

/** Tells that a run which was executed again wrote something else. */
export function driftedAlerts(
  run: RunRecord,
  detail: string,
  pipeline: CompiledPipeline,
  environment: AppliedEnvironment,
  defaults: AlertDefaults,
): AlertInsert[] {
  const title = `Run ${run.id} wrote something else when it was executed again`;
  return toAll('run.drifted', run.id, run, pipeline, environment, title, defaults, {
    log: null,
    details: [{ label: 'Difference', value: detail }],
  });
}
