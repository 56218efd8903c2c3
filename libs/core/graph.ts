import type { RetryPolicy } from './pipeline.ts';
import type { TriggerRule } from './states.ts';

/** What `advance` needs to know of a pipeline: shape and policies, no text, no expression. */
export interface RunGraph {
  readonly tasks: readonly TaskNode[];
  /** Task runs of the run that may be ready, queued or running at once; 0 = no limit. */
  readonly maxActiveTasks: number;
}

export interface TaskNode {
  readonly id: string;
  /** Indexes into `RunGraph.tasks`. */
  readonly upstream: readonly number[];
  readonly downstream: readonly number[];
  readonly when: TriggerRule;
  readonly final: boolean;
  /** A failure counts in trigger rules, but not in the run's verdict. */
  readonly caught: boolean;
  /**
   * True: before the task may become ready somebody must evaluate its condition, its fan-out or pin its inputs;
   * `advance` asks by a `prepare` decision and goes on with the `prepared` event.
   */
  readonly needsPreparation: boolean;
  /** Keys of a literal fan-out, else null. */
  readonly mapKeys: readonly string[] | null;
  /** True: the fan-out is given by an expression, so its keys are known only after preparation. */
  readonly dynamicFanOut: boolean;
  readonly maxParallel: number;
  readonly retries: RetryPolicy;
}

/** Builds the downstream lists. `tasks` name their upstream by id; every id must exist. */
export function buildGraph(
  tasks: readonly (Omit<TaskNode, 'upstream' | 'downstream'> & { readonly upstream: readonly string[] })[],
  maxActiveTasks: number,
): RunGraph {
  const indexOf = new Map(tasks.map((task, index) => [task.id, index]));
  const downstream: number[][] = tasks.map(() => []);
  const nodes = tasks.map((task, index) => {
    const upstream = task.upstream.map((id) => indexOf.get(id) as number);
    for (const parent of upstream) downstream[parent]?.push(index);
    return { ...task, upstream, downstream: downstream[index] ?? [] };
  });
  return { tasks: nodes, maxActiveTasks };
}
