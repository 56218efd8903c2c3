import type { CompiledPipeline } from '#core';
import type { Names } from '../expression/check-expression.ts';
import { quote } from '../source/quote.ts';
import type { Compiling } from './compiling.ts';
import { buildGraph } from './graph.ts';
import { compileGroups, groupOf } from './groups.ts';
import { compileReads, compileWrites } from './reads.ts';
import type { Sections } from './sections.ts';
import { compileTask } from './task.ts';
import type { TaskNode } from './task-node.ts';
import { findWriters, reportUnwritten } from './writers.ts';

interface Pipeline {
  readonly pipeline: string;
  readonly paths: CompiledPipeline['paths'];
  readonly names: Names;
}

/**
 * All tasks in topological order, those under `finally:` last, and their groups. Links are found first, because names
 * depend on them.
 */
export function compileTasks(
  sections: Sections,
  { pipeline, paths, names }: Pipeline,
  compiling: Compiling,
): Pick<CompiledPipeline, 'tasks' | 'groups'> {
  const nodes = readNodes(sections, { pipeline, paths }, compiling);
  const all = [...nodes.values()];
  const { usable } = sections.tasks;
  if (usable && Object.keys(sections.tasks.entries).length === 0)
    compiling.at(
      compiling.map.has(['tasks']) ? ['tasks'] : [],
      'The pipeline has no tasks.',
      'Add one, such as `tasks: { hello: { run: echo hello } }`. YAML that is no pipeline stands below a folder whose name begins with `_`.',
    );
  // What a faulty task links is unknown, and what depends on the links cannot be judged then.
  const isComplete =
    usable &&
    sections.first.usable &&
    sections.finally.usable &&
    sections.paths.usable &&
    sections.groups.usable &&
    all.every((node) => node.shape !== null);
  const writers = findWriters(all, paths, pipeline, compiling);
  if (isComplete && all.length > 0) reportUnwritten(all, writers, paths, compiling);
  const graph = buildGraph(nodes, writers, sections.groups, compiling);
  const ids = new Set(nodes.keys());
  const groups = compileGroups(sections, nodes, graph, names, isComplete, compiling);
  const tasks = graph.order.flatMap((node) => {
    const visible = { has: (id: string) => !isComplete || graph.runsBefore(id, node) };
    const upstream = [...(graph.upstream.get(node.id) ?? [])];
    const group = groups?.[node.group ?? ''] ?? null;
    const defaults = sections.simple.defaults ?? {};
    const around = { defaults, paths, names, tasks: { visible, all: ids }, upstream, group };
    return compileTask(node, around, compiling) ?? [];
  });
  return { tasks, ...(groups === null ? {} : { groups }) };
}

function readNodes(
  sections: Sections,
  { pipeline, paths }: Omit<Pipeline, 'names'>,
  compiling: Compiling,
): Map<string, TaskNode> {
  const declared = { pipeline, paths, usable: sections.paths.usable };
  const nodes = new Map<string, TaskNode>();
  for (const section of ['first', 'tasks', 'finally'] as const) {
    for (const [id, shape] of Object.entries(sections[section].entries)) {
      const path = [section, id];
      const other = nodes.get(id);
      if (other !== undefined) {
        const message = `The task ${quote(id)} stands under ${String(other.path[0])} and under ${section}.`;
        compiling.atKey(path, message, 'Rename one of them.');
        continue;
      }
      const writes = compileWrites(shape?.writes ?? [], [...path, 'writes'], declared, compiling);
      const reads = compileReads(shape?.reads, writes, [...path, 'reads'], declared, compiling);
      const group = groupOf(id, shape?.group, section, sections.groups, compiling);
      nodes.set(id, {
        id,
        first: section === 'first',
        final: section === 'finally',
        group,
        path,
        shape,
        reads,
        writes,
      });
    }
  }
  return nodes;
}
