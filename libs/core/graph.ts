import type { RetryPolicy } from './pipeline.ts';
import type { TriggerRule } from './states.ts';

/** What `advance` needs to know of a pipeline: shape and policies, no text, no expression. */
export interface RunGraph {
  readonly tasks: readonly TaskNode[];
  /** Task runs of the run that may be ready, queued or running at once; 0 = no limit. */
  readonly maxActiveTasks: number;
  readonly groups: readonly GroupNode[];
}

export interface TaskNode {
  readonly id: string;
  /** Indexes into `RunGraph.tasks`. */
  readonly upstream: readonly number[];
  readonly downstream: readonly number[];
  /** Index into `RunGraph.groups`; null: its fan-out, if it has one, is its own. */
  readonly group: number | null;
  /** Those downstream that are in its group: each item of theirs comes after the same one of this task. */
  readonly followers: readonly number[];
  /** All others downstream, which come after the task as a whole. */
  readonly beyond: readonly number[];
  /** Groups whose keys are asked for when this task and others have ended. */
  readonly opens: readonly number[];
  readonly when: TriggerRule;
  readonly final: boolean;
  /** A failure counts in trigger rules, but not in the run's verdict. */
  readonly caught: boolean;
  /**
   * True: before the task may become ready somebody must evaluate its condition, its fan-out or pin its inputs;
   * `advance` asks by a `prepare` decision and goes on with the `prepared` event. In a group, each map index by itself.
   */
  readonly needsPreparation: boolean;
  /** Keys of a literal fan-out, else null. */
  readonly mapKeys: readonly string[] | null;
  /** True: the fan-out is given by an expression, so its keys are known only after preparation. */
  readonly dynamicFanOut: boolean;
  /** Of a task in a group: its own fan-out within each item of the group's; see `map-index.ts`. Null: it has none. */
  readonly inner: InnerFanOut | null;
  readonly maxParallel: number;
  readonly retries: RetryPolicy;
}

export interface InnerFanOut {
  /** Keys of a literal list, the same for each item of the group; null: asked for each item, when its rule says run. */
  readonly mapKeys: readonly string[] | null;
}

/** Tasks that share one fan-out, each item of which is a chain of its own. */
export interface GroupNode {
  readonly id: string;
  /** Indexes into `RunGraph.tasks`, in their order. */
  readonly members: readonly number[];
  /** Tasks that must have ended before the keys are asked for. */
  readonly upstream: readonly number[];
  /** Null: known when one of its tasks was prepared as a whole. */
  readonly mapKeys: readonly string[] | null;
  /** Items that may be under way at once; 0 = no limit. */
  readonly maxParallel: number;
}

/** A task whose links are ids. */
export type LinkedTask = Omit<TaskNode, 'upstream' | 'downstream' | 'group' | 'followers' | 'beyond' | 'opens'> & {
  readonly upstream: readonly string[];
  /** Id of its group; absent or null: none. */
  readonly group?: string | null;
};

export type LinkedGroup = Omit<GroupNode, 'members' | 'upstream'> & { readonly upstream: readonly string[] };

/** Builds the links. `tasks` and `groups` name others by id; every id must exist. */
export function buildGraph(
  tasks: readonly LinkedTask[],
  maxActiveTasks: number,
  groups: readonly LinkedGroup[] = [],
): RunGraph {
  const indexOf = new Map(tasks.map((task, index) => [task.id, index]));
  const indexesOf = (ids: readonly string[]): number[] => ids.map((id) => indexOf.get(id) as number);
  const groupIndexOf = new Map(groups.map(({ id }, index) => [id, index]));
  const groupOf = tasks.map(({ group }) => groupIndexOf.get(group ?? '') ?? null);
  const downstream: number[][] = tasks.map(() => []);
  const members: number[][] = groups.map(() => []);
  for (const [index, task] of tasks.entries()) {
    for (const parent of indexesOf(task.upstream)) downstream[parent]?.push(index);
    members[groupOf[index] ?? -1]?.push(index);
  }
  const opens: number[][] = tasks.map(() => []);
  for (const [index, group] of groups.entries())
    for (const parent of indexesOf(group.upstream)) opens[parent]?.push(index);
  const nodes = tasks.map((task, index): TaskNode => {
    const group = groupOf[index] ?? null;
    const children = downstream[index] ?? [];
    const follows = (child: number): boolean => group !== null && groupOf[child] === group;
    return {
      ...task,
      upstream: indexesOf(task.upstream),
      downstream: children,
      group,
      followers: group === null ? NONE : children.filter(follows),
      beyond: group === null ? children : children.filter((child) => !follows(child)),
      opens: opens[index] ?? [],
    };
  });
  const groupNodes = groups.map((group, index) => ({
    ...group,
    members: members[index] ?? [],
    upstream: indexesOf(group.upstream),
  }));
  return { tasks: nodes, maxActiveTasks, groups: groupNodes };
}

const NONE: readonly number[] = [];
