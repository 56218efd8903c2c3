import type { TaskBody } from '#core';

/** A plugin, where its code comes from, and what it is given. */
export function pluginText({ plugin, wanted, with: given, found }: Extract<TaskBody, { kind: 'uses' }>): string {
  const where = found === null ? '' : ` (${found.package ?? `plugins/${plugin}`})`;
  const input = Object.keys(given).length === 0 ? '' : `\n${JSON.stringify(given, null, 2)}`;
  return `${plugin}@${found?.version ?? wanted}${where}${input}`;
}
