import type { Assignment, AssignmentBody, CompiledTask, OutputBinding, TaskBody } from '#core';
import { unreachable } from '#core';
import type { Evaluated, Scope } from '#dag';
import { evaluate, renderTemplate } from '#dag';
import { httpRequest } from './http-request.ts';
import { renderLocation } from './locations.ts';
import type { MapItem } from './graph-of.ts';
import type { OwnedRun } from './owned-run.ts';
import { taskScope } from './scope.ts';

export interface AttemptIdentity {
  readonly attemptId: string;
  readonly taskIndex: number;
  readonly mapIndex: number;
  readonly number: number;
  readonly fence: number;
}

/** Resolves everything that an executor needs. A mistake that only shows now (an output that is not a list, …) is a message. */
export function buildAssignment(
  run: OwnedRun,
  attempt: AttemptIdentity,
): { ok: true; assignment: Assignment } | { ok: false; message: string } {
  const { record, plan, environment } = run;
  const task = plan.pipeline.tasks[attempt.taskIndex];
  if (!task) return { ok: false, message: `release ${record.release} has no such task` };
  const item = mapItem(run, attempt.taskIndex, attempt.mapIndex);
  const scope = taskScope(run, attempt.taskIndex, item?.values ?? null);
  const problems: string[] = [];
  const value = <T>(what: string, result: Evaluated<T>, fallback: T): T => {
    if (result.ok) return result.value;
    problems.push(`${what}: ${result.message}`);
    return fallback;
  };

  const expressions = 'expressions' in task.body ? task.body.expressions : {};
  const values = Object.fromEntries(
    Object.entries(expressions).map(([name, expr]) => [
      name,
      value(`\`${expr}\``, evaluate(expr, scope), null as unknown),
    ]),
  );
  const userEnv = Object.fromEntries(
    Object.entries({ ...plan.pipeline.env, ...task.env }).map(([name, text]) => [
      name,
      value(`env ${name}`, renderTemplate(text, scope), ''),
    ]),
  );
  const reads = run.prepared.get(attempt.taskIndex)?.inputs ?? [];
  const writes: OutputBinding[] = [];
  for (const path of task.writes) {
    const rendered = renderLocation(plan.pipeline, path, scope, item?.key ?? '');
    if (!rendered.ok) problems.push(rendered.message);
    else
      writes.push({
        name: path,
        variable: `${reads.some((read) => read.name === path) ? 'OUT' : 'PATH'}_${path.toUpperCase()}`,
        location: rendered.location,
      });
  }
  const body = task.body.kind === 'http' ? httpRequest(task.body, scope, value) : bodyOf(task.body, values);
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
      number: attempt.number,
      fence: attempt.fence,
      release: record.release,
      body,
      env: {
        ...standardEnv(run, task, attempt, scope),
        ...(task.body.kind === 'run' ? textValues(values) : {}),
        ...userEnv,
      },
      secrets: Object.fromEntries(
        task.secrets.flatMap((name) =>
          environment.config.secrets[name] ? [[name, environment.config.secrets[name]]] : [],
        ),
      ),
      reads,
      writes,
      timeoutMs: task.timeoutMs,
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

export function mapItem(run: OwnedRun, taskIndex: number, mapIndex: number): MapItem | null {
  return run.prepared.get(taskIndex)?.items?.[mapIndex] ?? run.plan.literalItems[taskIndex]?.[mapIndex] ?? null;
}

function bodyOf(body: Exclude<TaskBody, { kind: 'http' }>, values: Readonly<Record<string, unknown>>): AssignmentBody {
  switch (body.kind) {
    case 'run':
      return { kind: 'run', script: body.script };
    case 'node':
    case 'python':
      return body;
    case 'sql':
      return { kind: 'sql', file: body.file, text: body.text, variables: values };
    default:
      return unreachable(body);
  }
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
  };
}

function textValues(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, item]) => [name, asText(item)]));
}

function asText(value: unknown): string {
  return typeof value === 'string'
    ? value
    : value === null || value === undefined
      ? ''
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value as number);
}
