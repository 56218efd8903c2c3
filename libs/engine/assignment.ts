import type { Assignment, AssignmentBody, CompiledTask } from '#core';
import { SluiceError, unreachable } from '#core';
import { renderJson, type Scope } from '#dag';
import { httpRequest } from './http-request.ts';
import { pluginUse } from './plugin-use.ts';
import type { OwnedRun } from './owned-run.ts';
import { preparedOf } from './owned-run.ts';
import { sparkProgram } from './spark-program.ts';
import { asText, collectingInto, taskValues, type Value } from './task-values.ts';
import { waitBodyOf } from './waits/prepare-wait.ts';

export interface AttemptIdentity {
  readonly attemptId: string;
  readonly taskIndex: number;
  readonly mapIndex: number;
  readonly number: number;
  readonly fence: number;
  /** Null: its task has none. */
  readonly replicas: number | null;
}

/** Resolves everything that an executor needs. A mistake that only shows now (an output that is not a list, …) is a message. */
export function buildAssignment(
  run: OwnedRun,
  attempt: AttemptIdentity,
): { ok: true; assignment: Assignment } | { ok: false; message: string } {
  const { record, plan, environment } = run;
  const task = plan.pipeline.tasks[attempt.taskIndex];
  if (!task) return { ok: false, message: `release ${record.release} has no such task` };
  if (waitBodyOf(task) !== null) return { ok: false, message: `task "${task.id}" executes nothing` };
  const resolved = taskValues(run, attempt.taskIndex, attempt.mapIndex);
  if (!resolved.ok) return resolved;
  const { item, scope, expressions, env, writes } = resolved.values;
  const problems: string[] = [];
  const body = bodyOf(task, scope, expressions, collectingInto(problems));
  if (problems.length > 0) return { ok: false, message: problems.join('; ') };

  return {
    ok: true,
    assignment: {
      attemptId: attempt.attemptId,
      runId: record.id,
      environment: record.environment,
      pipeline: record.pipeline,
      taskId: task.id,
      mapIndex: attempt.mapIndex,
      mapKey: item?.key ?? '',
      pool: task.pool,
      number: attempt.number,
      fence: attempt.fence,
      release: record.release,
      body,
      env: {
        ...standardEnv(run, task, attempt, scope),
        ...(task.body.kind === 'run' ? textValues(expressions) : {}),
        ...env,
      },
      secrets: Object.fromEntries(
        task.secrets.flatMap((name) =>
          environment.config.secrets[name] ? [[name, environment.config.secrets[name]]] : [],
        ),
      ),
      reads: preparedOf(run, attempt.taskIndex, attempt.mapIndex).inputs ?? [],
      writes,
      ...(task.io === undefined ? {} : { io: task.io }),
      ...(task.tableChecks === undefined
        ? {}
        : { tables: { checks: task.tableChecks, reference: record.intervalEnd } }),
      timeoutMs: task.timeoutMs,
      ...(task.resources === undefined ? {} : { resources: task.resources }),
      ...replicasOf(task, attempt),
      context: {
        params: record.params,
        matrix: item?.values ?? {},
        interval:
          record.intervalStart !== null && record.intervalEnd !== null
            ? { start: record.intervalStart, end: record.intervalEnd }
            : null,
        ds: scope.ds ?? null,
        environment: record.environment,
        vars: environment.config.vars,
        runId: record.id,
      },
      logs: environment.config.logs,
    },
  };
}

function bodyOf(
  { body, resources }: CompiledTask,
  scope: Scope,
  values: Readonly<Record<string, unknown>>,
  value: Value,
): AssignmentBody {
  switch (body.kind) {
    case 'run':
      return { kind: 'run', script: body.script };
    case 'node':
    case 'python':
      return body;
    case 'sql':
      return { kind: 'sql', file: body.file, text: body.text, variables: values };
    case 'notebook': {
      const own = value('params', renderJson(body.params, scope), {}) as Readonly<Record<string, unknown>>;
      return { kind: 'notebook', file: body.file, parameters: { ...scope.params, ...own }, save: body.save };
    }
    case 'spark':
      return sparkProgram(body, resources, scope, value);
    case 'http':
      return httpRequest(body, scope, value);
    case 'uses':
      return pluginUse(body, scope, value);
    case 'wait':
    case 'approve':
    case 'call':
      throw new SluiceError('internal', `no attempt is made of ${body.kind} tasks`);
    default:
      return unreachable(body);
  }
}

/** One that an elastic task is left with goes without others, and knows of it as they would. */
function replicasOf({ replicas }: CompiledTask, attempt: AttemptIdentity): Pick<Assignment, 'replicas'> {
  if (replicas === undefined) return {};
  return { replicas: { count: attempt.replicas ?? replicas.max, min: replicas.min } };
}

/** DS, DATA_INTERVAL_*, PARAM_*, SLUICE_*: strings; objects as JSON. */
function standardEnv(
  run: OwnedRun,
  task: CompiledTask,
  attempt: AttemptIdentity,
  scope: Scope,
): Record<string, string> {
  const { record } = run;
  return {
    ...(scope.ds === undefined ? {} : { DS: scope.ds }),
    ...(record.intervalStart === null ? {} : { DATA_INTERVAL_START: record.intervalStart }),
    ...(record.intervalEnd === null ? {} : { DATA_INTERVAL_END: record.intervalEnd }),
    ...Object.fromEntries(
      Object.entries(record.params).map(([name, param]) => [`PARAM_${name.toUpperCase()}`, asText(param)]),
    ),
    ...Object.fromEntries(
      Object.entries(run.environment.config.data).map(([name, folder]) => [`DATA_${name.toUpperCase()}`, folder]),
    ),
    SLUICE_ENV: record.environment,
    SLUICE_PIPELINE: record.pipeline,
    SLUICE_RUN_ID: record.id,
    SLUICE_TASK_ID: task.id,
    SLUICE_MAP_INDEX: String(attempt.mapIndex),
    SLUICE_TRY: String(attempt.number),
    SLUICE_RELEASE: record.release,
    SLUICE_FENCE: String(attempt.fence),
    ...Object.fromEntries(
      Object.entries(task.resources ?? {}).map(([name, amount]) => [`SLUICE_${name.toUpperCase()}`, String(amount)]),
    ),
  };
}

function textValues(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, item]) => [name, asText(item)]));
}
