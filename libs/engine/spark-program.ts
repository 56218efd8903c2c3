import type { AssignmentBody, Resources, TaskBody } from '#core';
import type { Scope } from '#dag';
import { renderJson } from '#dag';
import { asText, type Value } from './task-values.ts';

/** The program with every value in its place; `value` collects what cannot be resolved. */
export function sparkProgram(
  body: Extract<TaskBody, { kind: 'spark' }>,
  resources: Resources | undefined,
  scope: Scope,
  value: Value,
): Extract<AssignmentBody, { kind: 'spark' }> {
  const { args, conf, master, ...rest } = body;
  const settings = value('conf', renderJson(conf, scope), {}) as Readonly<Record<string, unknown>>;
  const threads = resources?.cpu === undefined ? '*' : Math.ceil(resources.cpu);
  return {
    ...rest,
    args: (value('args', renderJson(args, scope), []) as readonly unknown[]).map(asText),
    conf: Object.fromEntries(Object.entries(settings).map(([name, setting]) => [name, asText(setting)])),
    master: master === null ? `local[${threads}]` : asText(value('master', renderJson(master, scope), '')),
  };
}
