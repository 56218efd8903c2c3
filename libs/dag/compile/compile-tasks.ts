import type { CompiledPipeline, CompiledTask } from '#core';
import type { Names } from '../expression/check-expression.ts';
import { quote } from '../source/quote.ts';
import type { Compiling } from './compiling.ts';
import { buildGraph } from './graph.ts';
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

/** All tasks in topological order, those under `finally:` last. Links are found first, because names depend on them. */
export function compileTasks(
  sections: Sections,
  { pipeline, paths, names }: Pipeline,
  compiling: Compiling,
): CompiledTask[] {
  const nodes = readNodes(sections, { pipeline, paths }, compiling);
  const all = [...nodes.values()];
  const { usable } = sections.tasks;
  if (usable && Object.keys(sections.tasks.entries).length === 0)
    compiling.at(
      compiling.map.has(['tasks']) ? ['tasks'] : [],
      'The pipeline has no tasks.',
      'Add one, such as `tasks: { hello: { run: echo hello } }`.',
    );
  // What a faulty task links is unknown, and what depends on the links cannot be judged then.
  const isComplete =
    usable &&
    sections.first.usable &&
    sections.finally.usable &&
    sections.paths.usable &&
    all.every((node) => node.shape !== null);
  const writers = findWriters(all, paths, pipeline, compiling);
  if (isComplete && all.length > 0) reportUnwritten(all, writers, paths, compiling);
  const graph = buildGraph(nodes, writers, compiling);
  const ids = new Set(nodes.keys());
  return graph.order.flatMap((node) => {
    const visible = { has: (id: string) => !isComplete || graph.runsBefore(id, node) };
    const upstream = [...(graph.upstream.get(node.id) ?? [])];
    const around = { defaults: sections.simple.defaults ?? {}, paths, names, tasks: { visible, all: ids }, upstream };
    return compileTask(node, around, compiling) ?? [];
  });
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
      nodes.set(id, { id, first: section === 'first', final: section === 'finally', path, shape, reads, writes });
    }
  }
  return nodes;
}
