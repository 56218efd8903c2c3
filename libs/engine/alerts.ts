import type {
  AlertEvent,
  AlertInsert,
  CompiledPipeline,
  Decision,
  EnvironmentConfig,
  RunRecord,
  StoredAlert,
  TaskRunChange,
} from '#core';
import type { Judged } from './judge-result.ts';
import { warningOf } from './judge-result.ts';
import type { OwnedRun } from './owned-run.ts';
import type { AppliedEnvironment } from './ports.ts';

/** What the process knows about alerting that no file says. */
export interface AlertDefaults {
  /** Base URL of the web view, without a slash at the end. */
  readonly publicUrl: string;
  /** True when buttons in Slack messages reach the API. */
  readonly decidesInSlack: boolean;
  /** Why a kind of channel cannot be used in an environment; null: it can. */
  readonly unavailable: (kind: 'slack' | 'email', environment: EnvironmentConfig) => string | null;
}

/** Whoever is told of failures is told of these, too. */
const FOLLOW_FAILURES: readonly AlertEvent[] = ['run.recovered', 'pipeline.paused'];

/** More would push everything else out of a message. */
const MOST_CHECKS = 4;

/** Targets of one event: the pipeline's own rules, and the environment's routes. Muted events have none. */
export function routes(event: AlertEvent, pipeline: CompiledPipeline, environment: EnvironmentConfig): string[] {
  if (environment.alerts.mute.includes(event)) return [];
  const targets = pipeline.alerts
    .filter((rule) => rule.on.includes(event) || (FOLLOW_FAILURES.includes(event) && rule.on.includes('run.failed')))
    .flatMap((rule) => rule.to);
  if (environment.alerts.on.includes(event)) {
    if (environment.alerts.slack) targets.push(`slack:${environment.alerts.slack.channel}`);
    targets.push(...(environment.alerts.email?.to ?? []).map((address) => `email:${address}`));
  }
  return [...new Set(targets)];
}

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
  for (const change of changes) {
    if (change.to === 'retrying') alerts.push(...retryingAlerts(run, change, defaults));
    if (change.to === 'waiting') alerts.push(...approvalAlerts(run, change, defaults));
  }
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

/** Tells that somebody is asked; who waits for anything else tells nobody. */
function approvalAlerts(run: OwnedRun, { taskIndex }: TaskRunChange, defaults: AlertDefaults): AlertInsert[] {
  const wait = run.waits.get(taskIndex);
  if (wait?.target.kind !== 'approve') return [];
  const { taskId, what, timeoutAt, onTimeout, target } = wait;
  const { id } = run.record;
  const ending = onTimeout === 'fail' ? 'Fails at' : 'Is skipped at';
  return toAll(
    'task.approval',
    id,
    run.record,
    run.plan.pipeline,
    run.environment,
    `Task "${taskId}" asks: ${what}`,
    defaults,
    {
      log: null,
      details: [
        { label: 'Who may answer', value: target.groups.join(', ') || 'whoever may approve here' },
        ...(timeoutAt === null ? [] : [{ label: ending, value: new Date(timeoutAt).toISOString() }]),
        { label: 'Answer', value: `sluice runs approve ${id} ${taskId}` },
      ],
    },
  );
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

function toAll(
  event: AlertEvent,
  aboutRun: string,
  run: RunRecord,
  pipeline: CompiledPipeline,
  environment: AppliedEnvironment,
  title: string,
  defaults: AlertDefaults,
  more: Pick<StoredAlert, 'log' | 'details'>,
): AlertInsert[] {
  const runUrl = `${defaults.publicUrl}/runs/${run.id}`;
  const message: StoredAlert = {
    event,
    environment: run.environment,
    pipeline: run.pipeline,
    runId: run.id,
    release: run.release,
    interval:
      run.intervalStart !== null && run.intervalEnd !== null
        ? { start: run.intervalStart, end: run.intervalEnd }
        : null,
    owner: pipeline.owner,
    title,
    runUrl,
    logUrl: more.log
      ? `${runUrl}/tasks/${more.log.taskId}?tab=logs&map=${more.log.mapIndex}&try=${more.log.number}`
      : null,
    at: run.createdAt,
    ...more,
  };
  return routes(event, pipeline, environment.config).map((target) => {
    const reason = defaults.unavailable(target.startsWith('slack:') ? 'slack' : 'email', environment.config);
    return {
      environment: run.environment,
      pipeline: run.pipeline,
      runId: aboutRun,
      event,
      target,
      message,
      state: reason === null ? 'pending' : 'muted',
      detail: reason,
    };
  });
}
