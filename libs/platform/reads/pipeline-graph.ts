import type { z } from 'zod';
import type { CompiledPipeline, CompiledTask } from '#core';
import type { graphTask } from '#contracts';
import { pipelineDigest } from '#dag';
import type { GraphLayouts } from '../graph-layout.ts';
import type { GraphLayout } from '../layer-graph.ts';

export type GraphTask = z.infer<typeof graphTask>;

/** A compiled pipeline never changes, and with two thousand tasks this would be a good part of each answer. */
const graphs = new WeakMap<CompiledPipeline, readonly GraphTask[]>();

export function graphTasksOf(pipeline: CompiledPipeline): GraphTask[] {
  const tasks = graphs.get(pipeline) ?? pipeline.tasks.map((task) => toGraphTask(task, pipeline));
  graphs.set(pipeline, tasks);
  return [...tasks];
}

export function toGraphTask(task: CompiledTask, { groups }: Pick<CompiledPipeline, 'groups'>): GraphTask {
  return {
    id: task.id,
    kind: task.body.kind,
    upstream: [...task.upstream],
    reads: task.reads.map((read) => (read.pipeline === null ? read.path : `${read.pipeline}.${read.path}`)),
    writes: [...task.writes],
    metrics: [...task.metrics],
    when: task.when,
    mapped: task.matrix !== null,
    group:
      task.group === undefined ? null : { id: task.group, mapped: (groups?.[task.group]?.matrix ?? null) !== null },
    final: task.final,
    line: task.line,
    origin: [...(task.origin ?? [])],
  };
}

/** A compiled pipeline never changes; its digest and its boxes are as dear as the rest of a page with two thousand tasks. */
const known = new WeakMap<CompiledPipeline, Promise<GraphLayout>>();

/** Where to draw the tasks. `finally` tasks stand right of everything else, although no edge leads to them. */
export function layoutOf(layouts: GraphLayouts, pipeline: CompiledPipeline): Promise<GraphLayout> {
  const found = known.get(pipeline);
  if (found !== undefined) return found;
  const layout = findLayout(layouts, pipeline);
  known.set(pipeline, layout);
  // What failed is tried again.
  layout.catch(() => known.delete(pipeline));
  return layout;
}

async function findLayout(layouts: GraphLayouts, pipeline: CompiledPipeline): Promise<GraphLayout> {
  const edges = new Set(pipeline.tasks.flatMap((task) => task.upstream.map((from) => `${from}>${task.id}`)));
  const followed = new Set(pipeline.tasks.flatMap((task) => task.upstream));
  const ends = pipeline.tasks.filter((task) => !task.final && !followed.has(task.id)).map((task) => task.id);
  const layout = await layouts.layout(
    pipelineDigest(pipeline),
    pipeline.tasks.map(({ id, final, upstream, group }) => ({
      id,
      ...(group === undefined ? {} : { group }),
      upstream: final && upstream.length === 0 ? ends : upstream,
    })),
  );
  return { ...layout, edges: layout.edges.filter(({ from, to }) => edges.has(`${from}>${to}`)) };
}
