import type { CompiledPipeline, CompiledTask, RunGraph } from '#core';
import { buildGraph } from '#core';
import { expandMatrix } from '#dag';
import { waitBodyOf } from './waits/prepare-wait.ts';

/** What one run of a pipeline needs again and again; computed once per (release, pipeline, environment). */
export interface RunPlan {
  readonly pipeline: CompiledPipeline;
  readonly graph: RunGraph;
  readonly indexOf: ReadonlyMap<string, number>;
  /** Values of literal fan-outs by task index and map index. */
  readonly literalItems: readonly (readonly MapItem[] | null)[];
  /** Tasks of the interval after may wait for tasks of this one. */
  readonly hasPast: boolean;
}

export interface MapItem {
  readonly key: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** `pools` are the environment's: a task that names another one is prepared, which fails it with the reason. */
export function planRun(pipeline: CompiledPipeline, pools: Readonly<Record<string, number>>): RunPlan {
  const literalItems = pipeline.tasks.map(literalItemsOf);
  const graph = buildGraph(
    pipeline.tasks.map((task, index) => ({
      id: task.id,
      upstream: task.upstream,
      when: task.when,
      final: task.final,
      caught: task.catch,
      needsPreparation: needsPreparation(task, pools),
      mapKeys: literalItems[index]?.map((item) => item.key) ?? null,
      dynamicFanOut: task.matrix?.kind === 'dynamic',
      maxParallel: task.maxParallel,
      retries: task.retries,
    })),
    pipeline.maxActiveTasks,
  );
  const hasPast = pipeline.tasks.some(({ past }) => past !== undefined);
  return {
    pipeline,
    graph,
    literalItems,
    hasPast,
    indexOf: new Map(pipeline.tasks.map((task, index) => [task.id, index])),
  };
}

function needsPreparation(task: CompiledTask, pools: Readonly<Record<string, number>>): boolean {
  const slots = pools[task.pool];
  return (
    waitBodyOf(task) !== null ||
    task.condition !== null ||
    task.matrix?.kind === 'dynamic' ||
    task.reads.length > 0 ||
    task.cache !== undefined ||
    task.resources !== undefined ||
    task.past !== undefined ||
    slots === undefined ||
    slots < task.slots
  );
}

function literalItemsOf(task: CompiledTask): readonly MapItem[] | null {
  if (task.matrix?.kind !== 'literal') return null;
  const expanded = expandMatrix(task.matrix, () => undefined);
  return expanded.ok ? expanded.items : [];
}
