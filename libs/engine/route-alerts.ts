import type { AlertEvent, AlertInsert, CompiledPipeline, EnvironmentConfig, RunRecord, StoredAlert } from '#core';
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

/** One message for each target of an event; those that cannot be reached say why. */
export function toAll(
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
