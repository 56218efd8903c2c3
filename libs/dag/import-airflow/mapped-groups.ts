import type { AirflowTask, Expand } from './airflow-dag.ts';
import { outputOf, type Conversion } from './conversion.ts';
import { toFanOut, type FanOut } from './fan-out.ts';
import { textOf, TypedValue } from './typed-value.ts';

/** A group that is mapped as a whole: a group with a `matrix`, after the tasks whose outputs it is mapped over. */
export type MappedGroup =
  | { readonly ok: true; readonly fanOut: Extract<FanOut, { ok: true }>; readonly needs: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** By their ids, the groups of a DAG that are mapped as a whole. `final`: tasks that stand under `finally:`. */
export function mappedGroups(conversion: Conversion, final: ReadonlySet<string>): Map<string, MappedGroup> {
  const { tasks } = conversion.dag;
  const found = new Map<string, MappedGroup>();
  for (const { mappedGroup } of tasks) {
    if (mappedGroup === null || found.has(mappedGroup.id)) continue;
    const members = tasks.filter((task) => task.mappedGroup?.id === mappedGroup.id && !final.has(task.id));
    found.set(
      mappedGroup.id,
      mappedGroup.expand === null ? notCarried() : toGroup(mappedGroup.expand, members, conversion),
    );
  }
  return found;
}

function notCarried(): MappedGroup {
  return { ok: false, reason: 'it is mapped over maps of arguments (`expand_kwargs`)' };
}

function toGroup(expand: Expand, members: readonly AirflowTask[], conversion: Conversion): MappedGroup {
  const { before, taskNames } = conversion;
  const between = conversion.dag.tasks.find(
    ({ id }) =>
      !members.some((member) => member.id === id) &&
      members.some((member) => before.get(id)?.has(member.id)) &&
      members.some((member) => before.get(member.id)?.has(id)),
  );
  if (between !== undefined) return { ok: false, reason: `"${between.id}" stands between its tasks` };
  const sources = Object.values(expand.axes).flatMap((value) =>
    value instanceof TypedValue && value.type === 'xcom' ? [textOf(value.members.task)] : [],
  );
  const last = members.find(({ id }) => sources.every((source) => before.get(id)?.has(source)));
  if (last === undefined) return { ok: false, reason: 'it is mapped over the output of a task that is not before it' };
  const fanOut = toFanOut(expand, outputOf(last, conversion));
  if (!fanOut.ok) return fanOut;
  return { ok: true, fanOut, needs: [...new Set(sources)].map((source) => taskNames.give(source)) };
}
