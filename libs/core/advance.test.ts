import { describe, expect, test } from '@jest/globals';
import { TRIGGER_RULES, type Outcome, type Prepared } from '#core';
import { aGraph, allTerminal, RunSimulator, seeded, type TaskSketch } from '../testing/simulate-run.ts';

const success: Outcome = { kind: 'success' };
const failure: Outcome = { kind: 'failed', exitCode: 3, message: 'exit code 3' };
const retries = (max: number) => ({ max, delayMs: 1000, backoff: 2, maxDelayMs: 60_000, jitter: 0, on: null });

function simulate(
  tasks: readonly TaskSketch[],
  outcomes: Record<string, Outcome[]> = {},
  options: { maxActiveTasks?: number; prepared?: (id: string) => Prepared } = {},
): RunSimulator {
  return new RunSimulator({
    graph: aGraph(tasks, options.maxActiveTasks),
    outcome: (task, _index, number) => outcomes[task.id]?.[number - 1] ?? outcomes[task.id]?.at(-1) ?? success,
    prepared: (task) => options.prepared?.(task.id) ?? { kind: 'ready', mapKeys: task.mapKeys },
  }).runToEnd(seeded(1));
}

describe('a run', () => {
  test('runs a diamond in order and succeeds', () => {
    const run = simulate([
      { id: 'a' },
      { id: 'b', upstream: ['a'] },
      { id: 'c', upstream: ['a'] },
      { id: 'd', upstream: ['b', 'c'] },
    ]);
    expect(run.ended).toEqual({ kind: 'end-run', state: 'success', reason: null });
    const order = run.attempts.map((attempt) => attempt.task);
    expect([order[0], order[3]]).toEqual(['a', 'd']);
  });

  test('fails when a task fails that nobody caught, even if an all_done leaf succeeds', () => {
    const run = simulate(
      [{ id: 'a' }, { id: 'b', upstream: ['a'] }, { id: 'last', upstream: ['b'], when: 'all_done' }],
      { a: [failure] },
    );
    expect(run.states()).toEqual({ 'a/0': 'failed', 'b/0': 'upstream_failed', 'last/0': 'success' });
    expect(run.ended).toEqual({ kind: 'end-run', state: 'failed', reason: 'task "a" failed' });
  });

  test('succeeds when the failure is caught, while rules downstream still see it', () => {
    const run = simulate(
      [
        { id: 'a', caught: true },
        { id: 'b', upstream: ['a'] },
        { id: 'mend', upstream: ['a'], when: 'one_failed' },
      ],
      { a: [failure] },
    );
    expect(run.states()).toEqual({ 'a/0': 'failed', 'b/0': 'upstream_failed', 'mend/0': 'success' });
    expect(run.ended?.state).toBe('success');
  });

  test('retries with growing delays, then fails', () => {
    const run = simulate([{ id: 'a', retries: retries(2) }], { a: [failure] });
    expect(run.attempts.map((attempt) => attempt.number)).toEqual([1, 2, 3]);
    expect(run.now).toBe(1000 + 2000);
    expect(run.ended?.state).toBe('failed');
  });

  test('repeats a lost attempt without using up a retry, at most five times', () => {
    const lost: Outcome = { kind: 'lost', message: 'died' };
    expect(simulate([{ id: 'a' }], { a: [lost, lost, success] }).ended?.state).toBe('success');
    const run = simulate([{ id: 'a' }], { a: [lost] });
    expect([run.attempts.length, run.ended?.state]).toEqual([6, 'failed']);
  });

  test('waits as long as an attempt asks for, at most twenty times', () => {
    const later: Outcome = { kind: 'deferred', afterMs: 60_000, message: 'not yet' };
    const run = simulate([{ id: 'a' }], { a: [later, later, success] });
    expect([run.now, run.ended?.state]).toEqual([120_000, 'success']);
    expect(simulate([{ id: 'a' }], { a: [later] }).attempts).toHaveLength(21);
  });

  test('runs finally tasks after everything else, whatever happened, and fails if they fail', () => {
    const tasks: TaskSketch[] = [{ id: 'a' }, { id: 'tidy', final: true, when: 'all_done' }];
    expect(simulate(tasks, { a: [failure] }).states()).toEqual({ 'a/0': 'failed', 'tidy/0': 'success' });
    expect(simulate(tasks, { tidy: [failure] }).ended).toMatchObject({ state: 'failed', reason: 'task "tidy" failed' });
  });
});

describe('fan-out', () => {
  const wide: TaskSketch[] = [
    { id: 'a', mapKeys: ['x', 'y', 'z'] },
    { id: 'b', upstream: ['a'] },
  ];

  test('a child waits for every task run, and one failure counts', () => {
    expect(
      simulate(wide)
        .attempts.map((attempt) => attempt.task)
        .at(-1),
    ).toBe('b');
    const run = new RunSimulator({
      graph: aGraph(wide),
      outcome: (task, index) => (task.id === 'a' && index === 1 ? failure : success),
    }).runToEnd(seeded(2));
    expect(run.states()).toEqual({ 'a/0': 'success', 'a/1': 'failed', 'a/2': 'success', 'b/0': 'upstream_failed' });
  });

  test('max_parallel and max_active_tasks bound what is ready at once', () => {
    const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
    const parallel = simulate([{ id: 'a', mapKeys: keys, maxParallel: 3 }]);
    expect([parallel.mostActive <= 3, parallel.attempts.length]).toEqual([true, 20]);
    const active = simulate(
      [
        { id: 'a', mapKeys: keys },
        { id: 'b', mapKeys: keys },
      ],
      {},
      { maxActiveTasks: 4 },
    );
    expect([active.mostActive <= 4, active.attempts.length]).toEqual([true, 40]);
  });

  test('keys that are known only at run time are asked for; none at all skips the task', () => {
    const dynamic: TaskSketch[] = [
      { id: 'list' },
      { id: 'each', upstream: ['list'], needsPreparation: true, dynamicFanOut: true },
      { id: 'after', upstream: ['each'] },
    ];
    const two = simulate(dynamic, {}, { prepared: () => ({ kind: 'ready', mapKeys: ['p', 'q'] }) });
    expect(two.states()).toEqual({
      'list/0': 'success',
      'each/0': 'success',
      'each/1': 'success',
      'after/0': 'success',
    });
    const none = simulate(dynamic, {}, { prepared: () => ({ kind: 'ready', mapKeys: [] }) });
    expect(none.states()).toEqual({ 'list/0': 'success', 'each/0': 'skipped', 'after/0': 'skipped' });
  });
});

describe('preparation', () => {
  const conditional: TaskSketch[] = [
    { id: 'a', needsPreparation: true },
    { id: 'b', upstream: ['a'] },
  ];

  test('a false condition skips before any attempt is made', () => {
    const run = simulate(conditional, {}, { prepared: () => ({ kind: 'skip', reason: 'no' }) });
    expect([run.states(), run.attempts]).toEqual([{ 'a/0': 'skipped', 'b/0': 'skipped' }, []]);
  });

  test('a task that waits for data holds no slot and goes on when it is told so', () => {
    const run = new RunSimulator({ graph: aGraph(conditional), outcome: () => success });
    run.send({ kind: 'start' });
    run.send({ kind: 'prepared', taskIndex: 0, result: { kind: 'waiting', reason: 'not there' } });
    expect([run.state('a'), run.cache.active]).toEqual(['waiting', 0]);
    run.send({ kind: 'prepared', taskIndex: 0, result: { kind: 'ready', mapKeys: null } });
    expect(run.state('a')).toBe('ready');
  });
});

describe('stopping', () => {
  test('a cancelled run stops what runs, never starts the rest, and still runs finally', () => {
    const run = new RunSimulator({
      graph: aGraph([{ id: 'a' }, { id: 'b', upstream: ['a'] }, { id: 'tidy', final: true, when: 'all_done' }]),
      outcome: () => success,
    });
    run.send({ kind: 'start' });
    run.admit([...run.rows.values()][0] as never);
    run.send({ kind: 'stop', verdict: 'cancelled' });
    expect([...run.cancelled]).toEqual(['1']);
    run.runToEnd(seeded(1));
    expect(run.states()).toEqual({ 'a/0': 'cancelled', 'b/0': 'cancelled', 'tidy/0': 'success' });
    expect(run.ended?.state).toBe('cancelled');
  });

  test('an attempt that its executor gave up without being asked is a loss, not a cancellation', () => {
    const run = simulate([{ id: 'a' }], { a: [{ kind: 'cancelled', message: 'shut down' }, success] });
    expect([run.attempts.length, run.ended?.state]).toEqual([2, 'success']);
  });
});

/** Random pipelines with every rule, fan-out, preparation, retries, finally, caught failures. */
function randomTasks(random: () => number): TaskSketch[] {
  const size = 1 + Math.floor(random() * 25);
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

/** `settled`: without the one rule whose verdict depends on whether a skip or a failure comes first. */
function randomRun(seed: number, options: { crashes: boolean; settled: boolean }): RunSimulator {
  const random = seeded(seed);
  const tasks = randomTasks(random).map((task) =>
    options.settled && task.when === 'all_success' ? { ...task, when: 'none_failed' as const } : task,
  );
  // How an attempt ends depends on what it is, not on when: so that runs with and without crashes can be compared.
  const fate = (text: string): number =>
    seeded([...text].reduce((sum, char) => sum * 31 + char.charCodeAt(0), seed) >>> 0)();
  const run = new RunSimulator({
    graph: aGraph(tasks, random() < 0.3 ? 2 : 0),
    outcome: (task, index, number) => {
      const value = fate(`${task.id}/${index}/${number}`);
      return value < 0.65
        ? success
        : value < 0.85
          ? failure
          : value < 0.93
            ? { kind: 'skipped', message: '' }
            : { kind: 'lost', message: '' };
    },
    prepared: (task) => {
      const value = fate(`prepare ${task.id}`);
      if (value < 0.1) return { kind: 'skip', reason: '' };
      if (value < 0.15) return { kind: 'fail', reason: '' };
      return {
        kind: 'ready',
        mapKeys: task.dynamicFanOut
          ? Array.from({ length: Math.floor(value * 6) }, (_, key) => `k${key}`)
          : task.mapKeys,
      };
    },
  });
  run.send({ kind: 'start' });
  for (let steps = 0; run.ended === null; steps++) {
    if (steps > 10_000) throw new Error(`seed ${seed}: the run does not end`);
    if (options.crashes && random() < 0.1) run.crash();
    if (run.ended === null && !run.step(random) && run.ended === null)
      throw new Error(`seed ${seed}: nothing left to do after ${steps} steps`);
  }
  return run;
}

test('400 random runs: every one ends, by legal steps, with all task runs terminal and the fan-out limits kept', () => {
  for (let seed = 1; seed <= 400; seed++) {
    const run = randomRun(seed, { crashes: seed % 2 === 0, settled: false });
    expect({ seed, terminal: allTerminal(run) }).toEqual({ seed, terminal: true });
  }
});

test('losing the cache at any moment changes no result: 400 random runs with crashes end as those without', () => {
  for (let seed = 1; seed <= 400; seed++) {
    const [whole, broken] = [
      randomRun(seed, { crashes: false, settled: true }),
      randomRun(seed, { crashes: true, settled: true }),
    ];
    expect({ seed, states: broken.states(), end: broken.ended }).toEqual({
      seed,
      states: whole.states(),
      end: whole.ended,
    });
  }
});

test('a run may be stopped at any moment and ends cancelled, with nothing left open', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seeded(seed);
    const run = new RunSimulator({ graph: aGraph(randomTasks(random)), outcome: () => success });
    run.send({ kind: 'start' });
    for (let steps = Math.floor(random() * 15); steps > 0 && run.ended === null; steps--) run.step(random);
    if (run.ended) continue;
    run.send({ kind: 'stop', verdict: 'cancelled' });
    if (random() < 0.5 && run.ended === null) {
      run.crash();
      run.send({ kind: 'stop', verdict: 'cancelled' });
    }
    run.runToEnd(random);
    expect({ seed, state: (run.ended as { state: string } | null)?.state, terminal: allTerminal(run) }).toEqual({
      seed,
      state: 'cancelled',
      terminal: true,
    });
  }
});
