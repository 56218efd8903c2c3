import { TRIGGER_RULES, type Outcome, type Prepared, type TaskNode } from '#core';
import { aGraph, RunSimulator, seeded, type GroupSketch, type TaskSketch } from './simulate-run.ts';
import { RandomMarks } from './random-marks.ts';
import { endOfAttempts, ReferenceRun } from './reference-run.ts';

export interface RandomRunOptions {
  /** Tasks of the pipeline, at most. */
  readonly tasks: number;
  /** The cache is lost now and then, as when another scheduler takes over. */
  readonly takeovers: boolean;
  /** Somebody stops the run at some moment. */
  readonly stop?: boolean;
  /** Somebody marks tasks, task runs and the run now and then: then only what marks promise is held against it. */
  readonly marks?: boolean;
  /** Without the one rule whose verdict depends on whether a skip or a failure comes first. */
  readonly settled?: boolean;
}

const retries = (max: number) => ({ max, delayMs: 1000, backoff: 2, maxDelayMs: 60_000, jitter: 0, on: null });

/** Tasks of every rule, with fan-out, preparation, retries, caught failures and `finally` tasks. */
function randomTasks(random: () => number, most: number): TaskSketch[] {
  const size = 1 + Math.floor(random() * most);
  const chance = (share: number): boolean => random() < share;
  return Array.from({ length: size }, (_, index): TaskSketch => {
    const final = index > size - 3 && chance(0.3);
    const upstream = final
      ? []
      : Array.from({ length: index }, (_unused, parent) => parent)
          .filter(() => chance(2 / (index + 1)))
          .map((parent) => `t${parent}`);
    const dynamic = chance(0.15);
    return {
      id: `t${index}`,
      upstream,
      final,
      when: final
        ? 'all_done'
        : chance(0.6)
          ? 'all_success'
          : (TRIGGER_RULES[Math.floor(random() * TRIGGER_RULES.length)] ?? 'always'),
      caught: chance(0.2),
      needsPreparation: dynamic || chance(0.2),
      dynamicFanOut: dynamic,
      mapKeys:
        !dynamic && chance(0.2)
          ? Array.from({ length: 1 + Math.floor(random() * 5) }, (_unused, key) => `k${key}`)
          : null,
      maxParallel: chance(0.3) ? 1 + Math.floor(random() * 3) : 0,
      retries: retries(chance(0.3) ? 2 : 0),
    };
  }).filter((task, _index, tasks) => !task.upstream?.some((id) => tasks.find((other) => other.id === id)?.final));
}

/** Puts some neighbours into groups with a fan-out: literal ones, and those whose keys tasks before them give. */
function randomGroups(
  random: () => number,
  tasks: readonly TaskSketch[],
): { readonly tasks: readonly TaskSketch[]; readonly groups: readonly GroupSketch[] } {
  const chance = (share: number): boolean => random() < share;
  const grouped = [...tasks];
  const groups: GroupSketch[] = [];
  for (let from = 0; from < tasks.length; from++) {
    if (!chance(0.06)) continue;
    const id = `g${groups.length}`;
    const until = Math.min(tasks.length, from + 1 + Math.floor(random() * 6));
    const members = tasks.slice(from, until).filter(({ final }) => !final);
    const inside = new Set(members.map((task) => task.id));
    const before = tasks.slice(0, from).filter(({ final }) => !final);
    const upstream = before.filter(() => chance(1 / (from + 1))).map((task) => task.id);
    const isDynamic = chance(0.5);
    const mapKeys = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, key) => `k${key}`);
    groups.push({
      id,
      upstream: isDynamic ? upstream : [],
      mapKeys: isDynamic ? null : mapKeys,
      maxParallel: chance(0.3) ? 1 + Math.floor(random() * 2) : 0,
    });
    for (let index = from; index < until; index++) {
      const task = tasks[index]!;
      if (task.final) continue;
      const isRoot = !task.upstream?.some((parent) => inside.has(parent));
      const own = { group: id, needsPreparation: chance(0.4), dynamicFanOut: false, mapKeys: null, inner: null };
      const literal = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, key) => `i${key}`);
      const inner = chance(0.25) ? { mapKeys: chance(0.4) ? literal : null } : null;
      grouped[index] = {
        ...task,
        ...{ ...own, inner },
        upstream: [...new Set([...(task.upstream ?? []), ...(isRoot ? upstream : [])])],
      };
    }
    from = until;
  }
  return { tasks: grouped, groups };
}

/**
 * Runs a random pipeline to its end: the same seed gives the same run. Every decision is held against the reference; the
 * error of one that it does not explain names the seed.
 */
export function randomRun(seed: number, options: RandomRunOptions): RunSimulator {
  try {
    return simulate(seed, options);
  } catch (error) {
    throw new Error(`seed ${seed} ${JSON.stringify(options)}: ${(error as Error).message}`, { cause: error });
  }
}

function simulate(seed: number, options: RandomRunOptions): RunSimulator {
  const random = seeded(seed);
  const drawn = randomTasks(random, options.tasks).map((task) =>
    options.settled && task.when === 'all_success' ? { ...task, when: 'none_failed' as const } : task,
  );
  const { tasks, groups } = randomGroups(random, drawn);
  // What becomes of a thing depends on what it is, not on when: so that runs with and without takeovers can be compared.
  const fate = (text: string): number =>
    seeded([...text].reduce((sum, char) => sum * 31 + char.charCodeAt(0), seed) >>> 0)();
  const outcome = (task: TaskNode, index: number, number: number): Outcome =>
    outcomeOf(fate(`${task.id}/${index}/${number}`));
  const someKeys = (id: string, least: number): readonly string[] =>
    Array.from({ length: Math.max(least, Math.floor(fate(`keys ${id}`) * 6)) }, (_, key) => `k${key}`);
  const graph = aGraph(tasks, random() < 0.3 ? 2 : 0, groups);
  const keysOf = (task: TaskNode): readonly string[] | null => {
    const group = graph.groups[task.group ?? -1];
    // Whether a group has no items is known sooner or later than how a task of it ends otherwise.
    if (group) return group.mapKeys ?? someKeys(group.id, options.settled ? 1 : 0);
    return task.dynamicFanOut ? someKeys(task.id, 0) : task.mapKeys;
  };
  const listOf = (task: TaskNode, item: number): readonly string[] =>
    task.inner?.mapKeys ?? someKeys(`${task.id}/${item}`, 0).map((key) => `i${key}`);
  const reference = new ReferenceRun(
    graph,
    (task) => keysOf(task)?.length ?? 1,
    (task, item) => (task.inner === null ? null : listOf(task, item).length),
  );
  const answers = (task: TaskNode, index: number) => answerOf(fate(`ask ${task.id}/${index}`));
  const run = new RunSimulator({
    graph,
    outcome,
    prepared: (task, ask, mapIndex, item) => {
      if (item !== null) return listBy(fate(`prepare list ${task.id}/${item}`), listOf(task, item));
      if (mapIndex !== null) return preparedBy(fate(`prepare ${task.id}/${mapIndex}`), ask, null);
      if (task.group === null) return preparedBy(fate(`prepare ${task.id}`), ask, keysOf(task));
      const isFault = fate(`prepare ${graph.groups[task.group]!.id}`) < 0.1;
      return isFault ? { kind: 'fail', reason: '' } : { kind: 'ready', mapKeys: keysOf(task) };
    },
    gateClosed: (task, index) => fate(`gate ${task.id}/${index}`) < 0.05,
    answers,
    pools: { slots: { narrow: 1, wide: 3 }, of: (id) => (fate(`pool ${id}`) < 0.3 ? 'narrow' : 'wide') },
    onDecision: (decision) => (options.marks ? undefined : reference.see(decision)),
  });
  const marks = new RandomMarks(run, random);
  run.send({ kind: 'start' });
  const stopAfter = options.stop ? Math.floor(random() * 40) : Infinity;
  for (let steps = 0; run.ended === null; steps++) {
    if (steps > 10_000) throw new Error('the run does not end');
    if (options.takeovers && random() < 0.1) run.crash({ isToStop: reference.stopped, marks: marks.made });
    if (options.marks && run.ended === null && random() < 0.05) marks.make();
    if (steps >= stopAfter && !reference.stopped) {
      reference.stopped = true;
      run.send({ kind: 'stop', verdict: 'cancelled' });
    }
    if (run.ended === null && !run.step(random)) throw new Error(`nothing is left to do after ${steps} steps`);
  }
  if (options.marks) marks.check();
  else if (!reference.stopped) checkAttempts(run, outcome, answers);
  return run;
}

function outcomeOf(value: number): Outcome {
  if (value < 0.65) return { kind: 'success' };
  if (value < 0.85) return { kind: 'failed', exitCode: 3, message: '' };
  return value < 0.93 ? { kind: 'skipped', message: '' } : { kind: 'lost', message: '' };
}

function answerOf(value: number): 'success' | 'failed' | 'skipped' | null {
  if (value > 0.08) return null;
  return value < 0.04 ? 'success' : value < 0.06 ? 'failed' : 'skipped';
}

function preparedBy(value: number, ask: number, mapKeys: readonly string[] | null): Prepared {
  if (value < 0.1) return { kind: 'skip', reason: '' };
  if (value < 0.15) return { kind: 'fail', reason: '' };
  if (value < 0.4 && ask < 3) return { kind: 'waiting', reason: '' };
  // What waits and executes nothing, with and without having waited.
  const isDone = mapKeys === null && (value < 0.2 || (value >= 0.4 && value < 0.45));
  return isDone ? { kind: 'done', reason: '' } : { kind: 'ready', mapKeys };
}

/** What its condition and its list come to: nothing is waited for. */
function listBy(value: number, mapKeys: readonly string[]): Prepared {
  if (value < 0.1) return { kind: 'skip', reason: '' };
  return value < 0.2 ? { kind: 'fail', reason: '' } : { kind: 'ready', mapKeys };
}

/** Every task run that was tried came to what its attempts say, by no more attempts than it takes. */
function checkAttempts(
  run: RunSimulator,
  outcome: (task: TaskNode, index: number, number: number) => Outcome,
  answers: (task: TaskNode, index: number) => ReturnType<typeof answerOf>,
): void {
  for (const row of run.rows.values()) {
    if (row.number === 0) continue;
    const task = run.options.graph.tasks.find(({ id }) => id === row.taskId)!;
    const expected = endOfAttempts((number) => outcome(task, row.mapIndex, number), task.retries.max);
    const state = expected.state === 'success' ? (answers(task, row.mapIndex) ?? 'success') : expected.state;
    if (row.state !== state || row.number !== expected.attempts)
      throw new Error(
        `${row.taskId}/${row.mapIndex} ended ${row.state} after ${row.number} attempts instead of ${state} after ${expected.attempts}`,
      );
  }
}
