import type { AssignmentBody, TaskBody } from '#core';
import type { Scope } from '#dag';
import { inputFaults, renderJson } from '#dag';
import type { Value } from './task-values.ts';

/** What a plugin is given, judged once more now that every value is known. */
export function pluginUse(
  { plugin, wanted, with: given, found }: Extract<TaskBody, { kind: 'uses' }>,
  scope: Scope,
  value: Value,
): Extract<AssignmentBody, { kind: 'uses' }> {
  const name = `plugin ${plugin}@${found?.version ?? wanted}`;
  const input = value(`with of ${name}`, renderJson(given, scope), {}) as Readonly<Record<string, unknown>>;
  const faults = found === null ? [{ message: 'it is not in the release.' }] : inputFaults(found.input, input);
  for (const { message } of faults) value(name, { ok: false, message }, null);
  const { version, package: inPackage, entry } = found ?? { version: wanted, package: null, entry: '' };
  return { kind: 'uses', plugin, version, package: inPackage, entry, input };
}
