import type { AirflowTask } from './airflow-dag.ts';
import type { MappedGroup } from './mapped-groups.ts';
import { kindOf } from './operators.ts';
import { reachable } from './priorities.ts';

/**
 * What branches and short circuits mean for the tasks after them, as CEL by task. Airflow skips the direct children of
 * a branch that were not chosen and are not behind one that was, and everything behind a short circuit.
 */
export function branchConditions(
  tasks: readonly AirflowTask[],
  nameOf: (id: string) => string,
  mapped: ReadonlyMap<string, MappedGroup>,
): Map<string, string[]> {
  const conditions = new Map<string, string[]>();
  const after = new Map<string, string[]>(tasks.map((task) => [task.id, []]));
  for (const { id, upstream } of tasks) for (const each of upstream) after.get(each)?.push(id);
  const groupOf = new Map(tasks.map((task) => [task.id, task.mappedGroup?.id]));
  const demand = (branch: string, task: string, condition: string): void => {
    // What is chosen for each item of a mapped group says nothing about what comes after all of them.
    if (groupOf.get(branch) !== undefined && groupOf.get(branch) !== groupOf.get(task)) return;
    conditions.set(task, [...(conditions.get(task) ?? []), condition]);
  };
  for (const { id, operator, expand, callable, mappedGroup } of tasks) {
    if (callable === null || expand !== null) continue;
    if (mappedGroup !== null && mapped.get(mappedGroup.id)?.ok !== true) continue;
    const kind = kindOf(operator);
    if (kind === 'short_circuit')
      for (const child of reachable(id, after)) demand(id, child, `tasks.${nameOf(id)}.outputs.proceed`);
    if (kind !== 'branch') continue;
    const children = after.get(id) ?? [];
    const behind = new Map(children.map((child) => [child, reachable(child, after)]));
    for (const child of children) {
      const ways = children.filter((other) => other === child || behind.get(other)?.has(child));
      const names = JSON.stringify([...new Set(ways.flatMap(withGroups))]);
      demand(id, child, `${names}.exists(way, way in tasks.${nameOf(id)}.outputs.branch)`);
    }
  }
  return conditions;
}

/** A branch may name a group instead of the tasks it begins with. */
function withGroups(id: string): string[] {
  const names = id.split('.');
  return names.map((_, index) => names.slice(0, names.length - index).join('.'));
}
