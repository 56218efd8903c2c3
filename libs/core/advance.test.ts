import { describe, expect, test } from '@jest/globals';
import type { Outcome, Prepared } from '#core';
import { aGraph, RunSimulator, seeded, type TaskSketch } from '../testing/simulate-run.ts';

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

  test('task runs whose results are there already succeed untried, and hold no place of max_parallel', () => {
    const sketch: TaskSketch[] = [
      { id: 'a', mapKeys: ['x', 'y', 'z'], maxParallel: 1, needsPreparation: true },
      { id: 'b', upstream: ['a'] },
    ];
    const prepared = (cached: number[]) => () =>
      ({ kind: 'ready', mapKeys: ['x', 'y', 'z'], cached: new Set(cached) }) as const;
    const some = simulate(sketch, {}, { prepared: prepared([0, 2]) });
    expect(some.attempts.map(({ task, mapIndex }) => `${task}/${mapIndex}`)).toEqual(['a/1', 'b/0']);
    expect(some.ended?.state).toBe('success');
    const all = simulate(sketch, {}, { prepared: prepared([0, 1, 2]) });
    expect(all.attempts.map(({ task }) => task)).toEqual(['b']);
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

  test('a task whose data came waits on while max_active_tasks is reached', () => {
    const tasks = [{ id: 'a', needsPreparation: true }, { id: 'b' }];
    const run = new RunSimulator({ graph: aGraph(tasks, 1), outcome: () => success });
    run.send({ kind: 'start' });
    run.send({ kind: 'prepared', taskIndex: 0, result: { kind: 'waiting', reason: 'not there' } });
    run.send({ kind: 'prepared', taskIndex: 0, result: { kind: 'ready', mapKeys: null } });
    expect([run.state('a'), run.state('b')]).toEqual(['waiting', 'ready']);
    run.admit([...run.rows.values()].find(({ taskId }) => taskId === 'b')!);
    run.finish('1');
    expect([run.state('a'), run.state('b')]).toEqual(['ready', 'success']);
  });
});

describe('stopping', () => {
  test('a run that only waits for data ends, and data that comes later changes nothing', () => {
    const run = new RunSimulator({ graph: aGraph([{ id: 'a', needsPreparation: true }]), outcome: () => success });
    run.send({ kind: 'start' });
    run.send({ kind: 'prepared', taskIndex: 0, result: { kind: 'waiting', reason: 'not there' } });
    run.send({ kind: 'stop', verdict: 'cancelled' });
    expect([run.state('a'), run.ended?.state]).toEqual(['cancelled', 'cancelled']);
    expect(run.send({ kind: 'prepared', taskIndex: 0, result: { kind: 'ready', mapKeys: null } })).toEqual([]);
  });

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
