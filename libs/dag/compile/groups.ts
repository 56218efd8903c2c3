import type { TaskGroup } from '#core';
import type { Names } from '../expression/check-expression.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { quote } from '../source/quote.ts';
import type { Compiling } from './compiling.ts';
import type { TaskGraph } from './graph.ts';
import { compileMatrix } from './matrix.ts';
import type { Sections } from './sections.ts';
import type { TaskNode } from './task-node.ts';

const MOST_TASK_RUNS = 1_000;

/** The group that a task names; null when it names none, or none that it can be in, which is reported. */
export function groupOf(
  id: string,
  wanted: string | undefined,
  section: 'first' | 'tasks' | 'finally',
  groups: Sections['groups'],
  compiling: Compiling,
): string | null {
  if (wanted === undefined || !groups.usable) return null;
  const place = [section, id, 'group'];
  if (section !== 'tasks') {
    compiling.atKey(place, `Task ${quote(id)} stands under ${section}, where there are no groups.`, 'Remove it.');
    return null;
  }
  if (Object.hasOwn(groups.entries, wanted)) return wanted;
  const hint = didYouMean(wanted, Object.keys(groups.entries), `Declare it: groups: { ${wanted}: {} }.`);
  compiling.at(place, `Task ${quote(id)} is in the group ${quote(wanted)}, which does not exist.`, hint);
  return null;
}

/** The groups of a pipeline; null when it has none. Reports those that nobody is in, and what cannot share a fan-out. */
export function compileGroups(
  { groups }: Sections,
  nodes: ReadonlyMap<string, TaskNode>,
  graph: TaskGraph,
  names: Names,
  isComplete: boolean,
  compiling: Compiling,
): Readonly<Record<string, TaskGroup>> | null {
  const compiled: Record<string, TaskGroup> = {};
  for (const [id, shape] of Object.entries(groups.entries)) {
    const path = ['groups', id];
    const members = [...nodes.values()].filter((node) => node.group === id);
    if (nodes.has(id))
      compiling.atKey(
        path,
        `The group ${quote(id)} has the name of a task.`,
        'Rename one of them: `needs` knows both.',
      );
    else if (isComplete && members.length === 0)
      compiling.atKey(
        path,
        `No task is in the group ${quote(id)}.`,
        `Write \`group: ${id}\` in its tasks, or remove it.`,
      );
    if (shape === null) continue;
    const upstream = [...(graph.groupNeeds.get(id) ?? [])].sort();
    const maxFanout = shape.max_fanout ?? MOST_TASK_RUNS;
    const visible = {
      has: (task: string) =>
        !isComplete ||
        upstream.some((before) => {
          const node = nodes.get(before);
          return before === task || (node !== undefined && graph.runsBefore(task, node));
        }),
    };
    const known: Names = { ...names, place: `group ${quote(id)}`, tasks: { visible, all: new Set(nodes.keys()) } };
    const matrix = compileMatrix(shape.matrix, maxFanout, [...path, 'matrix'], known, compiling);
    if (shape.matrix === undefined) {
      for (const key of ['max_parallel', 'max_fanout'] as const)
        if (shape[key] !== undefined)
          compiling.atKey([...path, key], `${key} has no meaning without matrix.`, 'Remove it, or add `matrix:`.');
    } else {
      for (const member of members) checkMember(member, id, compiling);
      checkDetours(id, members, graph, compiling);
    }
    const { description = '', max_parallel: maxParallel = 0 } = shape;
    compiled[id] = { description, upstream, matrix, maxParallel, maxFanout };
  }
  return Object.keys(compiled).length === 0 ? null : compiled;
}

/** What a task cannot have besides the fan-out of its group. */
function checkMember({ id, path, shape }: TaskNode, group: string, compiling: Compiling): void {
  const fansOut = `Task ${quote(id)} is in the group ${quote(group)}, which fans out`;
  if (shape?.max_fanout !== undefined && shape.matrix === undefined)
    compiling.atKey([...path, 'max_fanout'], `${fansOut} by its own max_fanout.`, `Move it to groups.${group}.`);
}

/** Each item of a group's fan-out goes its own way, so nothing that waits for all of them may stand between its tasks. */
function checkDetours(group: string, members: readonly TaskNode[], graph: TaskGraph, compiling: Compiling): void {
  const ids = new Set(members.map(({ id }) => id));
  for (const node of graph.order) {
    if (ids.has(node.id)) continue;
    const before = members.find((member) => graph.runsBefore(member.id, node));
    const after = before && members.find((member) => !node.final && graph.runsBefore(node.id, member));
    if (!before || !after) continue;
    compiling.atKey(
      node.path,
      `Task ${quote(node.id)} stands between ${quote(before.id)} and ${quote(after.id)} of the group ${quote(group)}, which fans out.`,
      `Put it into the group as well, or take one of the two out.`,
    );
    return;
  }
}
