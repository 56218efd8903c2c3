import type { CompiledPipeline, CompiledTask, InnerFanOut, LinkedGroup, Matrix, RunGraph } from '#core';
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
  /** The same of what tasks fan out into within each item of their group. */
  readonly literalInner: readonly (readonly MapItem[] | null)[];
  /** Tasks of the interval after may wait for tasks of this one. */
  readonly hasPast: boolean;
}

export interface MapItem {
  readonly key: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** `pools` are the environment's: a task that names another one is prepared, which fails it with the reason. */
export function planRun(pipeline: CompiledPipeline, pools: Readonly<Record<string, number>>): RunPlan {
  const literalItems = literalItemsOf(pipeline.tasks.map(({ matrix }) => matrix));
  const literalInner = literalItemsOf(pipeline.tasks.map(({ inner }) => inner?.matrix ?? null));
  const graph = buildGraph(
    pipeline.tasks.map((task, index) => ({
      id: task.id,
      upstream: task.upstream,
      group: groupOf(task, pipeline),
      when: task.when,
      final: task.final,
      caught: task.catch,
      needsPreparation: needsPreparation(task, pools),
      mapKeys: literalItems[index]?.map((item) => item.key) ?? null,
      dynamicFanOut: task.matrix?.kind === 'dynamic',
      inner: innerOf(task, literalInner[index] ?? null),
      maxParallel: task.maxParallel,
      retries: task.retries,
    })),
    pipeline.maxActiveTasks,
    groupsOf(pipeline, literalItems),
  );
  const hasPast = pipeline.tasks.some(({ past }) => past !== undefined);
  return {
    pipeline,
    graph,
    literalItems,
    literalInner,
    hasPast,
    indexOf: new Map(pipeline.tasks.map((task, index) => [task.id, index])),
  };
}

function needsPreparation(task: CompiledTask, pools: Readonly<Record<string, number>>): boolean {
  const slots = pools[task.pool];
  return (
    waitBodyOf(task) !== null ||
    // Of one that fans out within a group both are asked for its items, which are prepared before.
    (task.inner === undefined && (task.condition !== null || task.matrix?.kind === 'dynamic')) ||
    task.reads.length > 0 ||
    task.cache !== undefined ||
    task.resources !== undefined ||
    task.past !== undefined ||
    slots === undefined ||
    slots < task.slots * (task.replicas?.min ?? 1)
  );
}

/** Each item of a wait or a call goes its own way even where no other task does: it is a group of one. */
function groupOf(task: CompiledTask, { groups }: CompiledPipeline): string | null {
  if (task.matrix === null) return null;
  return isShared(task, groups) ? (task.group ?? null) : waitBodyOf(task) === null ? null : task.id;
}

/** True: its fan-out is that of its group. */
function isShared({ group }: CompiledTask, groups: CompiledPipeline['groups']): boolean {
  return group !== undefined && (groups?.[group]?.matrix ?? null) !== null;
}

function groupsOf(pipeline: CompiledPipeline, literalItems: RunPlan['literalItems']): LinkedGroup[] {
  const { tasks, groups = {} } = pipeline;
  const keysOf = (index: number): readonly string[] | null => literalItems[index]?.map(({ key }) => key) ?? null;
  const shared = Object.entries(groups).flatMap(([id, { matrix, upstream, maxParallel }]): LinkedGroup[] => {
    const first = tasks.findIndex(({ group }) => group === id);
    if (matrix === null || first < 0) return [];
    // What a literal fan-out is made of is there from the beginning.
    return [{ id, upstream: matrix.kind === 'dynamic' ? upstream : [], mapKeys: keysOf(first), maxParallel }];
  });
  const ofOne = tasks.flatMap((task, index): LinkedGroup[] => {
    if (isShared(task, groups) || groupOf(task, pipeline) === null) return [];
    // The condition is one for all of its items, so it is asked with the keys.
    return [{ id: task.id, upstream: [], mapKeys: task.condition === null ? keysOf(index) : null, maxParallel: 0 }];
  });
  return [...shared, ...ofOne];
}

/** Its condition is asked with the list. */
function innerOf({ inner, condition }: CompiledTask, literal: readonly MapItem[] | null): InnerFanOut | null {
  if (inner === undefined) return null;
  return { mapKeys: condition === null ? (literal?.map(({ key }) => key) ?? null) : null };
}

/** Tasks of a group have the same list. */
function literalItemsOf(matrices: readonly (Matrix | null)[]): (readonly MapItem[] | null)[] {
  const known = new Map<Matrix, readonly MapItem[]>();
  return matrices.map((matrix) => {
    if (matrix?.kind !== 'literal') return null;
    const items = known.get(matrix) ?? itemsOf(matrix);
    known.set(matrix, items);
    return items;
  });
}

function itemsOf(matrix: Matrix): readonly MapItem[] {
  const expanded = expandMatrix(matrix, () => undefined);
  return expanded.ok ? expanded.items : [];
}
