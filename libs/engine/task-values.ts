import type { OutputBinding } from '#core';
import { quarantineOf } from '#core';
import type { Evaluated, Scope } from '#dag';
import { evaluate, renderTemplate } from '#dag';
import type { MapItem } from './graph-of.ts';
import { renderLocation } from './locations.ts';
import type { OwnedRun } from './owned-run.ts';
import { mapItem } from './owned-run.ts';
import { taskScope } from './scope.ts';

/** What the texts of one task run come to. */
export interface TaskValues {
  readonly item: MapItem | null;
  readonly scope: Scope;
  /** Bound expressions of the body, by variable. */
  readonly expressions: Readonly<Record<string, unknown>>;
  /** `env:` of pipeline and task. */
  readonly env: Readonly<Record<string, string>>;
  readonly writes: readonly OutputBinding[];
}

/** A mistake that only shows now (an output that is not a list, …) is a message. */
export function taskValues(
  run: OwnedRun,
  taskIndex: number,
  mapIndex: number,
): { ok: true; values: TaskValues } | { ok: false; message: string } {
  const { plan, record } = run;
  const task = plan.pipeline.tasks[taskIndex];
  if (!task) return { ok: false, message: `release ${record.release} has no such task` };
  const item = mapItem(run, taskIndex, mapIndex);
  const scope = taskScope(run, taskIndex, mapIndex);
  const problems: string[] = [];
  const value = collectingInto(problems);

  const expressions = Object.fromEntries(
    Object.entries('expressions' in task.body ? task.body.expressions : {}).map(([name, expr]) => [
      name,
      value(`\`${expr}\``, evaluate(expr, scope), null as unknown),
    ]),
  );
  const env = Object.fromEntries(
    Object.entries({ ...plan.pipeline.env, ...task.env }).map(([name, text]) => [
      name,
      value(`env ${name}`, renderTemplate(text, scope), ''),
    ]),
  );
  const writes: OutputBinding[] = [];
  for (const path of task.writes) {
    const rendered = renderLocation(plan.pipeline, path, scope, item?.key ?? '');
    if (!rendered.ok) problems.push(rendered.message);
    else
      writes.push({
        name: path,
        variable: `${task.reads.some((read) => read.alias === path) ? 'OUT' : 'PATH'}_${path.toUpperCase()}`,
        location: rendered.location,
      });
    if (rendered.ok && task.tableChecks?.some((check) => check.path === path && check.onFail === 'quarantine'))
      writes.push({
        name: quarantineOf(path),
        variable: `QUARANTINE_${path.toUpperCase()}`,
        location: `_quarantine/${rendered.location}`,
      });
  }
  if (problems.length > 0) return { ok: false, message: problems.join('; ') };
  return { ok: true, values: { item, scope, expressions, env, writes } };
}

/** The value of what was evaluated; what cannot be is noted under its name, and `fallback` stands for it. */
export type Value = <T>(what: string, result: Evaluated<T>, fallback: T) => T;

export function collectingInto(problems: string[]): Value {
  return (what, result, fallback) => {
    if (result.ok) return result.value;
    problems.push(`${what}: ${result.message}`);
    return fallback;
  };
}

/** As variables and arguments carry it: objects as JSON. */
export function asText(value: unknown): string {
  return typeof value === 'string'
    ? value
    : value === null || value === undefined
      ? ''
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value as number);
}
