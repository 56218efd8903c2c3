import {
  firstOf,
  isTerminal,
  itemOf,
  splitKey,
  type Decision,
  type GroupNode,
  type Outcome,
  type RunGraph,
  type TaskNode,
  type TaskState,
  type TriggerRule,
} from '#core';

/*
 * What `advance` may decide, said once more in the words of the trigger-rule table rather than in counters: slow, without
 * memory of its own but the list of what ended. Simulations hold every decision against it.
 */

export type End = 'success' | 'failed' | 'skipped' | 'upstream_failed';
export type Fate = 'wait' | 'run' | 'skipped' | 'upstream_failed';

interface Rule {
  readonly runs: (ends: readonly End[], isAll: boolean) => boolean;
  /** Null: still open. */
  readonly otherwise: (ends: readonly End[], isAll: boolean) => 'skipped' | 'upstream_failed' | null;
}

const has = (ends: readonly End[], ...wanted: readonly End[]): boolean => ends.some((end) => wanted.includes(end));
const only = (ends: readonly End[], ...wanted: readonly End[]): boolean => ends.every((end) => wanted.includes(end));
const bad = (ends: readonly End[]): boolean => has(ends, 'failed', 'upstream_failed');
const never = (): null => null;

/** A row of the table each: when the task runs, and what becomes of it otherwise. `isAll`: everything upstream has ended. */
const RULES: Readonly<Record<TriggerRule, Rule>> = {
  all_success: {
    runs: (ends, isAll) => isAll && only(ends, 'success'),
    otherwise: (ends) => (bad(ends) ? 'upstream_failed' : has(ends, 'skipped') ? 'skipped' : null),
  },
  all_failed: {
    runs: (ends, isAll) => isAll && only(ends, 'failed', 'upstream_failed'),
    otherwise: (ends) => (has(ends, 'success', 'skipped') ? 'skipped' : null),
  },
  all_done: { runs: (_ends, isAll) => isAll, otherwise: never },
  all_done_min_one_success: {
    runs: (ends, isAll) => isAll && !has(ends, 'skipped') && (has(ends, 'success') || ends.length === 0),
    otherwise: (ends, isAll) => (!isAll ? null : has(ends, 'skipped') ? 'skipped' : 'upstream_failed'),
  },
  all_skipped: {
    runs: (ends, isAll) => isAll && only(ends, 'skipped'),
    otherwise: (ends) => (has(ends, 'success', 'failed', 'upstream_failed') ? 'skipped' : null),
  },
  one_success: {
    runs: (ends, isAll) => has(ends, 'success') || (isAll && ends.length === 0),
    otherwise: (ends, isAll) => (!isAll ? null : only(ends, 'skipped') ? 'skipped' : 'upstream_failed'),
  },
  one_failed: { runs: bad, otherwise: (_ends, isAll) => (isAll ? 'skipped' : null) },
  one_done: {
    runs: (ends) => has(ends, 'success', 'failed', 'upstream_failed'),
    otherwise: (_ends, isAll) => (isAll ? 'skipped' : null),
  },
  none_failed: {
    runs: (ends, isAll) => isAll && !bad(ends),
    otherwise: (ends) => (bad(ends) ? 'upstream_failed' : null),
  },
  none_failed_min_one_success: {
    runs: (ends, isAll) => isAll && !bad(ends) && (has(ends, 'success') || ends.length === 0),
    otherwise: (ends, isAll) => (bad(ends) ? 'upstream_failed' : isAll ? 'skipped' : null),
  },
  none_skipped: {
    runs: (ends, isAll) => isAll && !has(ends, 'skipped'),
    otherwise: (ends) => (has(ends, 'skipped') ? 'skipped' : null),
  },
  always: { runs: () => true, otherwise: never },
};

/** What the rule says when these have ended upstream, in whatever order. */
export function fateBy(rule: TriggerRule, ends: readonly End[], isAll: boolean): Fate {
  const { runs, otherwise } = RULES[rule];
  return runs(ends, isAll) ? 'run' : (otherwise(ends, isAll) ?? 'wait');
}

/** How attempts one after the other end a task run, and how many are made. */
export function endOfAttempts(
  outcome: (number: number) => Outcome,
  retries: number,
): { readonly state: 'success' | 'failed' | 'skipped'; readonly attempts: number } {
  let failures = 0;
  let losses = 0;
  for (let number = 1; ; number++) {
    const { kind } = outcome(number);
    if (kind === 'success' || kind === 'skipped') return { state: kind, attempts: number };
    if (kind === 'lost' ? ++losses > 5 : ++failures > retries) return { state: 'failed', attempts: number };
  }
}

interface Row {
  readonly state: TaskState;
  readonly countsAs: End;
  /** True: it ended before any attempt, and stands for the whole task. */
  readonly untried: boolean;
  /** True: it stands for one item of its group, in which the task would have had a list of its own. */
  readonly forItem: boolean;
  /** True: it is, or was, tried, or it waits. */
  readonly begun: boolean;
}

/** Watches the decisions about one run; throws at the first that it cannot explain. */
export class ReferenceRun {
  readonly #rows = new Map<string, Map<number, Row>>();
  stopped = false;

  /**
   * `size`: how many task runs a task has when it is not ended as a whole, or items, when those have lists of their own;
   * `sizeOf`: of these how many task runs.
   */
  constructor(
    private readonly graph: RunGraph,
    private readonly size: (task: TaskNode) => number,
    private readonly sizeOf: (task: TaskNode, item: number) => number | null,
  ) {}

  see(decision: Decision): void {
    if (decision.kind === 'end-run') return this.#seeEnd(decision);
    if (decision.kind !== 'task-run') return;
    const task = this.graph.tasks[decision.taskIndex]!;
    const rows = this.#rows.get(task.id) ?? new Map<number, Row>();
    if (decision.from === 'none') this.#seeBirth(task, decision);
    this.#rows.set(task.id, rows);
    const { to: state, gateClosed, number } = decision;
    // `cancelled` counts as a failure, a closed gate as a skip.
    const countsAs = state === 'cancelled' ? 'failed' : state === 'success' && gateClosed ? 'skipped' : (state as End);
    const untried = isTerminal(state) && number === 0;
    // In a group each map index may end untried; what has no key stands for all of them.
    const asWhole = untried && (task.group === null || decision.mapKey === '');
    const forItem = untried && task.inner !== null && !asWhole && splitKey(decision.mapKey) === null;
    rows.set(decision.mapIndex, { state, countsAs, untried: asWhole, forItem, begun: !untried });
    this.#checkLimits(task);
  }

  #seeBirth(task: TaskNode, { to, reason, mapIndex, mapKey }: Extract<Decision, { kind: 'task-run' }>): void {
    if (to === 'cancelled') {
      if (!this.stopped) this.#refuse(task, 'is cancelled, and nobody stopped the run');
      return;
    }
    if (this.stopped && !task.final) this.#refuse(task, `becomes ${to} after the run was stopped`);
    if (task.final && this.graph.tasks.some((other) => !other.final && !this.#isDone(other)))
      this.#refuse(task, 'is a finally task and begins before everything else has ended');
    const parents = task.upstream.map((parent) => this.graph.tasks[parent]!);
    const item = itemOf(task, mapIndex);
    const seen = parents.map((parent) => this.#seenBy(task, parent, item));
    const ends = seen.flatMap(({ ends: ended }) => ended);
    const isAll = seen.every(({ isDone }) => isDone);
    const fate = fateBy(task.when, ends, isAll);
    // Whatever the rule says: there is nothing of which it could say so.
    const isWhole = task.group !== null && mapKey === '';
    if (isWhole && this.size(task) === 0 && to === 'skipped') return;
    // The keys of its group cannot be worked out.
    if (isWhole && this.graph.groups[task.group]!.mapKeys === null && fate === 'run' && to === 'failed') return;
    if (task.inner !== null && !isWhole && splitKey(mapKey) === null) return this.#seeItemEnd(task, mapIndex, to, fate);
    if (task.inner !== null && !isWhole && mapIndex - firstOf(task, item) >= this.sizeOf(task, item)!)
      this.#refuse(task, `has the task run ${mapIndex} beyond the list of item ${item}`);
    // What the preparation says comes after the rule: a condition, no items, an author's mistake.
    const allowed: Record<Fate, readonly TaskState[]> = {
      wait: [],
      run: ['ready', 'waiting', ...(task.needsPreparation ? (['success', 'skipped', 'failed'] as const) : [])],
      skipped: ['skipped'],
      upstream_failed: ['upstream_failed'],
    };
    if (!allowed[fate].includes(to))
      this.#refuse(task, `becomes ${to} (${reason}) where ${task.when} over [${ends.join(', ')}] says ${fate}`);
  }

  /** One task run says how an item ended of which the list is not, or never became, known. */
  #seeItemEnd(task: TaskNode, mapIndex: number, to: TaskState, fate: Fate): void {
    const asked = task.inner?.mapKeys === null ? (['skipped', 'failed'] as const) : [];
    const allowed: readonly TaskState[] = fate === 'run' ? asked : fate === 'wait' ? [] : [fate];
    if (mapIndex !== firstOf(task, itemOf(task, mapIndex)) || !allowed.includes(to))
      this.#refuse(task, `becomes ${to} at ${mapIndex} for all of its item where ${task.when} says ${fate}`);
  }

  /** What a task, or an item of it, sees of one upstream task: all of it, or within a group the same item. */
  #seenBy(task: TaskNode, parent: TaskNode, item: number): { ends: readonly End[]; isDone: boolean } {
    const isWhole = this.#rows.get(parent.id)?.get(0)?.untried === true;
    if (task.group === null || task.group !== parent.group || isWhole)
      return { ends: this.#endsOf(parent), isDone: this.#isDone(parent) };
    const ended = this.#rowsAt(parent, item).filter(({ state }) => isTerminal(state));
    return { ends: ended.map(({ countsAs }) => countsAs), isDone: this.#isDoneAt(parent, item) };
  }

  #rowsAt(task: TaskNode, item: number): Row[] {
    return [...(this.#rows.get(task.id) ?? [])].flatMap(([mapIndex, row]) =>
      itemOf(task, mapIndex) === item ? [row] : [],
    );
  }

  #isDoneAt(task: TaskNode, item: number): boolean {
    const rows = this.#rowsAt(task, item);
    if (!rows.every(({ state }) => isTerminal(state))) return false;
    return rows.length === (this.sizeOf(task, item) ?? 1) || rows.some(({ forItem }) => forItem);
  }

  /** Items that began and did not end in every task of the group. */
  #underWay(group: GroupNode): number {
    const chains = group.members
      .map((member) => this.graph.tasks[member]!)
      .filter(({ id }) => this.#rows.get(id)?.get(0)?.untried !== true);
    const begun = new Set(
      chains.flatMap((task) =>
        [...(this.#rows.get(task.id) ?? [])].flatMap(([index, row]) => (row.begun ? [itemOf(task, index)] : [])),
      ),
    );
    return [...begun].filter((item) => chains.some((task) => !this.#isDoneAt(task, item))).length;
  }

  #checkLimits(task: TaskNode): void {
    const group = this.graph.groups[task.group ?? -1];
    if (group && group.maxParallel > 0 && !this.stopped && this.#underWay(group) > group.maxParallel)
      this.#refuse(task, `exceeds max_parallel of ${group.id}`);
    const active = (one: TaskNode): number =>
      this.#rowsOf(one).filter(({ state }) => !isTerminal(state) && state !== 'waiting').length;
    if (task.maxParallel > 0 && active(task) > task.maxParallel) this.#refuse(task, 'exceeds its max_parallel');
    const { maxActiveTasks } = this.graph;
    if (maxActiveTasks > 0 && this.graph.tasks.reduce((sum, one) => sum + active(one), 0) > maxActiveTasks)
      this.#refuse(task, 'exceeds max_active_tasks');
  }

  #seeEnd({ state }: Extract<Decision, { kind: 'end-run' }>): void {
    for (const task of this.graph.tasks) if (!this.#isDone(task)) this.#refuse(task, 'is open when the run ends');
    const failed = this.graph.tasks.some(
      (task) => !task.caught && this.#rowsOf(task).some((row) => row.state === 'failed'),
    );
    const expected = this.stopped ? 'cancelled' : failed ? 'failed' : 'success';
    if (state !== expected) throw new Error(`the run ended ${state} instead of ${expected}`);
  }

  #endsOf(task: TaskNode): End[] {
    return this.#rowsOf(task)
      .filter(({ state }) => isTerminal(state))
      .map(({ countsAs }) => countsAs);
  }

  #isDone(task: TaskNode): boolean {
    const rows = this.#rowsOf(task);
    if (rows.length === 0 || !rows.every(({ state }) => isTerminal(state))) return false;
    // What a stop found unborn stays so.
    if (rows.some(({ untried }) => untried) || (this.stopped && !task.final)) return true;
    if (task.inner === null) return rows.length === this.size(task);
    return Array.from({ length: this.size(task) }, (_, item) => item).every((item) => this.#isDoneAt(task, item));
  }

  #rowsOf(task: TaskNode): readonly Row[] {
    return [...(this.#rows.get(task.id)?.values() ?? [])];
  }

  #refuse(task: TaskNode, what: string): never {
    throw new Error(`${task.id} ${what}`);
  }
}
