import type {
  Decision,
  LinkedGroup,
  LinkedTask,
  Outcome,
  Prepared,
  RunCache,
  RunEvent,
  RunGraph,
  StoredTaskRun,
  TaskNode,
  TaskState,
} from '#core';
import { advance, buildGraph, isInQuestion, isTerminal, loadRunCache, newRunCache, TRANSITIONS } from '#core';

/** A small pseudo-random generator: the same seed gives the same sequence everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type TaskSketch = Partial<LinkedTask> & { readonly id: string };
export type GroupSketch = Partial<LinkedGroup> & { readonly id: string };

/** A graph from what matters to a test; everything else is the default of a pipeline file. */
export function aGraph(
  tasks: readonly TaskSketch[],
  maxActiveTasks = 0,
  groups: readonly GroupSketch[] = [],
): RunGraph {
  return buildGraph(
    tasks.map((task) => ({
      when: 'all_success' as const,
      final: false,
      caught: false,
      needsPreparation: false,
      mapKeys: null,
      dynamicFanOut: false,
      inner: null,
      maxParallel: 0,
      retries: { max: 0, delayMs: 1000, backoff: 1, maxDelayMs: 1000, jitter: 0, on: null },
      ...task,
      upstream: task.upstream ?? [],
    })),
    maxActiveTasks,
    groups.map((group) => ({ upstream: [], mapKeys: null, maxParallel: 0, ...group })),
  );
}

export interface SimulatorOptions {
  readonly graph: RunGraph;
  /** How each attempt ends. */
  readonly outcome: (task: TaskNode, mapIndex: number, number: number) => Outcome;
  /**
   * How each preparation ends; asked again after `waiting`. Of a task in a group the map index, or null: its group's keys;
   * with `item` the list of this item of it.
   */
  readonly prepared?: (task: TaskNode, ask: number, mapIndex: number | null, item: number | null) => Prepared;
  /** Whether the gate of a task run that succeeds is closed. */
  readonly gateClosed?: (task: TaskNode, mapIndex: number) => boolean;
  /** How somebody answers whose word a success needs before it counts; null: it needs nobody's. */
  readonly answers?: (task: TaskNode, mapIndex: number) => 'success' | 'failed' | 'skipped' | null;
  /** Slots that a task run takes of a pool; without pools everything is admitted. */
  readonly pools?: { readonly slots: Readonly<Record<string, number>>; readonly of: (taskId: string) => string };
  /** Sees every decision before it is stored. */
  readonly onDecision?: (decision: Decision) => void;
}

/**
 * Stands in for database, admission and executor of one run: stores what `advance` decides, checks every step against
 * the transition table, and can lose the cache at any time.
 */
export class RunSimulator {
  cache: RunCache;
  now = 0;
  ended: Extract<Decision, { kind: 'end-run' }> | null = null;
  readonly rows = new Map<string, StoredTaskRun>();
  /** Attempts in the order in which they began. */
  readonly attempts: { task: string; mapIndex: number; number: number; id: string; open: boolean }[] = [];
  /** Preparations that were asked for and not answered, by what they are about. */
  readonly preparing = new Map<string, Extract<Decision, { kind: 'prepare' }>>();
  readonly cancelled = new Set<string>();
  /** How often each preparation was answered. */
  readonly #asks = new Map<string, number>();
  mostActive = 0;

  constructor(readonly options: SimulatorOptions) {
    this.cache = newRunCache('1', options.graph);
  }

  send(...events: RunEvent[]): Decision[] {
    const decisions = advance(this.cache, events, this.now);
    for (const decision of decisions) this.store(decision);
    return decisions;
  }

  /** Forgets everything in memory and goes on from what is stored, as another owner would, who also finds a wish to stop and marks. */
  crash({ isToStop = false, marks = [] }: { isToStop?: boolean; marks?: readonly RunEvent[] } = {}): void {
    this.preparing.clear();
    this.cache = loadRunCache('1', this.options.graph, [...this.rows.values()]);
    const stop: RunEvent[] = isToStop ? [{ kind: 'stop', verdict: 'cancelled' }] : [];
    this.send({ kind: 'start' }, ...stop, ...marks);
  }

  /** Gives a slot to a ready task run. */
  admit(row: StoredTaskRun): void {
    const taskIndex = this.indexOf(row.taskId);
    const id = String(this.attempts.length + 1);
    if (
      this.attempts.some((attempt) => attempt.open && attempt.task === row.taskId && attempt.mapIndex === row.mapIndex)
    )
      throw new Error(`two live attempts of ${row.taskId}`);
    this.attempts.push({ task: row.taskId, mapIndex: row.mapIndex, number: row.number + 1, id, open: true });
    this.rows.set(key(row), { ...row, state: 'queued', number: row.number + 1, fence: row.fence + 1, attemptId: id });
    this.send({
      kind: 'admitted',
      taskIndex,
      mapIndex: row.mapIndex,
      attemptId: id,
      number: row.number + 1,
      fence: row.fence + 1,
    });
    this.mostActive = Math.max(this.mostActive, this.attempts.filter((attempt) => attempt.open).length);
  }

  finish(id: string): void {
    const attempt = this.attempts.find((each) => each.id === id);
    const node = this.options.graph.tasks[this.indexOf(attempt?.task ?? '')];
    if (!attempt?.open || !node) throw new Error(`no open attempt ${id}`);
    attempt.open = false;
    const outcome: Outcome = this.cancelled.has(id)
      ? { kind: 'cancelled', message: 'cancelled' }
      : this.options.outcome(node, attempt.mapIndex, attempt.number);
    const about = { taskIndex: this.indexOf(attempt.task), mapIndex: attempt.mapIndex, attemptId: id };
    const gateClosed = outcome.kind === 'success' && (this.options.gateClosed?.(node, attempt.mapIndex) ?? false);
    const isAsked = outcome.kind === 'success' && (this.options.answers?.(node, attempt.mapIndex) ?? null) !== null;
    const gate = { gateClosed, ...(isAsked ? { asks: 'does it count?' } : {}) };
    this.send({ kind: 'started', ...about }, { kind: 'ended', ...about, outcome, ...gate });
    // Terminal states absorb: the same report once more changes nothing.
    if (this.send({ kind: 'ended', ...about, outcome, ...gate }).length > 0)
      throw new Error('a repeated report changed something');
  }

  /** Does one possible thing, chosen by `random`; false when nothing is left to do. */
  step(random: () => number): boolean {
    const ready = [...this.rows.values()].filter((row) => row.state === 'ready' && this.hasSlot(row.taskId));
    const open = this.attempts.filter((attempt) => attempt.open);
    const timers = [...this.cache.timers];
    const choices = [
      ...ready.map((row) => () => this.admit(row)),
      ...open.map((attempt) => () => this.finish(attempt.id)),
      ...[...this.rows.values()].filter(isInQuestion).map((row) => () => this.answerQuestion(row)),
      ...[...this.preparing.values()].map((asked) => () => this.answer(asked)),
      ...(timers.length > 0 ? [() => this.wait(Math.min(...timers.map((timer) => timer.retryAt ?? 0)))] : []),
    ];
    const choice = choices[Math.floor(random() * choices.length)];
    choice?.();
    return choice !== undefined;
  }

  runToEnd(random: () => number, maxSteps = 100_000): this {
    if (this.rows.size === 0 && this.ended === null) this.send({ kind: 'start' });
    for (let steps = 0; this.ended === null; steps++)
      if (steps > maxSteps || !this.step(random)) throw new Error('the run does not end');
    return this;
  }

  state(task: string, mapIndex = 0): TaskState {
    return this.rows.get(`${task}/${mapIndex}`)?.state ?? 'none';
  }

  states(): Record<string, TaskState> {
    return Object.fromEntries([...this.rows.values()].map((row) => [key(row), row.state]).sort());
  }

  private answer(asked: Extract<Decision, { kind: 'prepare' }>): void {
    const { taskIndex, mapIndex, item } = asked;
    const node = this.options.graph.tasks[taskIndex];
    if (!node) return;
    this.preparing.delete(askedKey(asked));
    const ask = (this.#asks.get(askedKey(asked)) ?? 0) + 1;
    this.#asks.set(askedKey(asked), ask);
    const result = this.options.prepared?.(node, ask, mapIndex ?? null, item ?? null) ?? {
      kind: 'ready',
      mapKeys: node.mapKeys,
    };
    this.send({ ...asked, kind: 'prepared', result });
    // Whoever prepares looks again by itself, until the task has ended meanwhile.
    if (result.kind === 'waiting' && this.state(node.id, mapIndex) === 'waiting')
      this.preparing.set(askedKey(asked), asked);
  }

  private answerQuestion({ taskId, mapIndex }: StoredTaskRun): void {
    const taskIndex = this.indexOf(taskId);
    const node = this.options.graph.tasks[taskIndex];
    const state = (node && this.options.answers?.(node, mapIndex)) ?? 'failed';
    this.send({ kind: 'answered', taskIndex, mapIndex, state, reason: 'somebody said so' });
  }

  private hasSlot(taskId: string): boolean {
    const { pools } = this.options;
    if (pools === undefined) return true;
    const pool = pools.of(taskId);
    return this.attempts.filter((one) => one.open && pools.of(one.task) === pool).length < (pools.slots[pool] ?? 0);
  }

  private wait(until: number): void {
    this.now = Math.max(this.now, until);
    this.send({ kind: 'tick' });
  }

  private store(decision: Decision): void {
    this.options.onDecision?.(decision);
    if (decision.kind === 'prepare') this.preparing.set(askedKey(decision), decision);
    if (decision.kind === 'cancel-attempt') this.cancelled.add(decision.attemptId);
    if (decision.kind === 'end-run') {
      if (this.ended) throw new Error('the run ended twice');
      this.ended = decision;
    }
    if (decision.kind !== 'task-run') return;
    const taskId = this.options.graph.tasks[decision.taskIndex]?.id ?? '';
    const before = this.rows.get(`${taskId}/${decision.mapIndex}`);
    if ((before?.state ?? 'none') !== decision.from)
      throw new Error(`${taskId} is ${before?.state ?? 'none'}, decided from ${decision.from}`);
    if (!TRANSITIONS[decision.from].includes(decision.to))
      throw new Error(`illegal: ${taskId} ${decision.from} → ${decision.to}`);
    const { mapIndex, mapKey, to: state, number, fence, retriesUsed, lost, deferred, retryAt, gateClosed } = decision;
    const attemptId = state === 'running' ? (before?.attemptId ?? null) : null;
    this.rows.set(`${taskId}/${mapIndex}`, {
      taskId,
      mapIndex,
      mapKey,
      state,
      number,
      fence,
      retriesUsed,
      lost,
      deferred,
      retryAt,
      gateClosed,
      attemptId,
    });
  }

  private indexOf(taskId: string): number {
    return this.options.graph.tasks.findIndex((task) => task.id === taskId);
  }
}

export function allTerminal(simulator: RunSimulator): boolean {
  return [...simulator.rows.values()].every((row) => isTerminal(row.state));
}

function askedKey({ taskIndex, mapIndex, item }: { taskIndex: number; mapIndex?: number; item?: number }): string {
  if (item !== undefined) return `${taskIndex}/list of ${item}`;
  return mapIndex === undefined ? String(taskIndex) : `${taskIndex}/${mapIndex}`;
}

function key(row: { taskId: string; mapIndex: number }): string {
  return `${row.taskId}/${row.mapIndex}`;
}
