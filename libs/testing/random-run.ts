import { TRIGGER_RULES, type Outcome, type Prepared, type TaskNode } from '#core';
import { aGraph, RunSimulator, seeded, type TaskSketch } from './simulate-run.ts';
import { endOfAttempts, ReferenceRun } from './reference-run.ts';

export interface RandomRunOptions {
  /** Tasks of the pipeline, at most. */
  readonly tasks: number;
  /** The cache is lost now and then, as when another scheduler takes over. */
  readonly takeovers: boolean;
  /** Somebody stops the run at some moment. */
  readonly stop?: boolean;
  /** Without the one rule whose verdict depends on whether a skip or a failure comes first. */
  readonly settled?: boolean;
}

const retries = (max: number) => ({ max, delayMs: 1000, backoff: 2, maxDelayMs: 60_000, jitter: 0, on: null });

/** A pipeline of every rule, with fan-out, preparation, retries, caught failures and `finally` tasks. */
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
  const tasks = randomTasks(random, options.tasks).map((task) =>
    options.settled && task.when === 'all_success' ? { ...task, when: 'none_failed' as const } : task,
  );
  // What becomes of a thing depends on what it is, not on when: so that runs with and without takeovers can be compared.
  const fate = (text: string): number =>
    seeded([...text].reduce((sum, char) => sum * 31 + char.charCodeAt(0), seed) >>> 0)();
  const outcome = (task: TaskNode, index: number, number: number): Outcome =>
    outcomeOf(fate(`${task.id}/${index}/${number}`));
  const keysOf = (task: TaskNode): readonly string[] | null =>
    task.dynamicFanOut
      ? Array.from({ length: Math.floor(fate(`keys ${task.id}`) * 6) }, (_, key) => `k${key}`)
      : task.mapKeys;
  const graph = aGraph(tasks, random() < 0.3 ? 2 : 0);
  const reference = new ReferenceRun(graph, (task) => keysOf(task)?.length ?? 1);
  const answers = (task: TaskNode, index: number) => answerOf(fate(`ask ${task.id}/${index}`));
  const run = new RunSimulator({
    graph,
    outcome,
    prepared: (task, ask) => preparedBy(fate(`prepare ${task.id}`), ask, keysOf(task)),
    gateClosed: (task, index) => fate(`gate ${task.id}/${index}`) < 0.05,
    answers,
    pools: { slots: { narrow: 1, wide: 3 }, of: (id) => (fate(`pool ${id}`) < 0.3 ? 'narrow' : 'wide') },
    onDecision: (decision) => reference.see(decision),
  });
  run.send({ kind: 'start' });
  const stopAfter = options.stop ? Math.floor(random() * 40) : Infinity;
  for (let steps = 0; run.ended === null; steps++) {
    if (steps > 10_000) throw new Error('the run does not end');
    if (options.takeovers && random() < 0.1) run.crash({ isToStop: reference.stopped });
    if (steps >= stopAfter && !reference.stopped) {
      reference.stopped = true;
      run.send({ kind: 'stop', verdict: 'cancelled' });
    }
    if (run.ended === null && !run.step(random)) throw new Error(`nothing is left to do after ${steps} steps`);
  }
  if (!reference.stopped) checkAttempts(run, outcome, answers);
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
