import { describe, expect, test } from '@jest/globals';
import type { Outcome, Prepared } from '#core';
import { aGraph, RunSimulator, seeded, type GroupSketch, type TaskSketch } from '../testing/simulate-run.ts';

const success: Outcome = { kind: 'success' };
const failure: Outcome = { kind: 'failed', exitCode: 3, message: 'exit code 3' };

const chain: TaskSketch[] = [
  { id: 'list' },
  { id: 'fetch', group: 'g', upstream: ['list'] },
  { id: 'load', group: 'g', upstream: ['fetch'] },
  { id: 'report', upstream: ['load'] },
];
const literal: GroupSketch = { id: 'g', mapKeys: ['x', 'y', 'z'] };
const dynamic: GroupSketch = { id: 'g', mapKeys: null, upstream: ['list'] };

function simulate(
  tasks: readonly TaskSketch[],
  group: GroupSketch,
  options: {
    outcome?: (id: string, mapIndex: number) => Outcome;
    prepared?: (id: string, mapIndex: number | null) => Prepared;
  } = {},
): RunSimulator {
  return new RunSimulator({
    graph: aGraph(tasks, 0, [group]),
    outcome: ({ id }, mapIndex) => options.outcome?.(id, mapIndex) ?? success,
    prepared: ({ id }, _ask, mapIndex) => options.prepared?.(id, mapIndex) ?? { kind: 'ready', mapKeys: null },
  });
}

/** Starts and ends what is ready of one task run. */
function finish(run: RunSimulator, task: string, mapIndex: number): void {
  run.admit([...run.rows.values()].find((row) => row.taskId === task && row.mapIndex === mapIndex)!);
  run.finish(String(run.attempts.length));
}

describe('a group', () => {
  test('goes on at each map index as soon as that one has ended before, and what follows it waits for all', () => {
    const run = simulate(chain, literal);
    run.send({ kind: 'start' });
    finish(run, 'list', 0);
    finish(run, 'fetch', 1);
    expect(run.states()).toEqual({
      ...{ 'list/0': 'success', 'fetch/0': 'ready', 'fetch/1': 'success', 'fetch/2': 'ready' },
      'load/1': 'ready',
    });
    run.runToEnd(seeded(1));
    expect(run.attempts.at(-1)?.task).toBe('report');
    expect(run.ended?.state).toBe('success');
  });

  test('a failure ends its own map index only', () => {
    const run = simulate(chain, literal, {
      outcome: (id, index) => (id === 'fetch' && index === 1 ? failure : success),
    });
    expect(run.runToEnd(seeded(1)).states()).toEqual({
      ...{ 'list/0': 'success', 'fetch/0': 'success', 'fetch/1': 'failed', 'fetch/2': 'success' },
      ...{ 'load/0': 'success', 'load/1': 'upstream_failed', 'load/2': 'success', 'report/0': 'upstream_failed' },
    });
  });

  test('is one row for each task where nothing of it could begin', () => {
    const run = simulate(chain, literal, { outcome: () => failure });
    expect(run.runToEnd(seeded(1)).states()).toEqual({
      ...{ 'list/0': 'failed', 'fetch/0': 'upstream_failed', 'load/0': 'upstream_failed' },
      'report/0': 'upstream_failed',
    });
  });

  test('asks once for keys that an expression gives; none at all skip every task of it', () => {
    const asked: string[] = [];
    const prepared = (keys: readonly string[]) => (id: string, mapIndex: number | null) => {
      asked.push(`${id} ${mapIndex}`);
      return { kind: 'ready', mapKeys: keys } as const;
    };
    const two = simulate(chain, dynamic, { prepared: prepared(['p', 'q']) }).runToEnd(seeded(1));
    expect([asked, Object.keys(two.states())]).toEqual([
      ['fetch null'],
      ['fetch/0', 'fetch/1', 'list/0', 'load/0', 'load/1', 'report/0'],
    ]);
    const none = simulate(chain, dynamic, { prepared: prepared([]) }).runToEnd(seeded(1));
    expect(none.states()).toEqual({
      ...{ 'list/0': 'success', 'fetch/0': 'skipped', 'load/0': 'skipped', 'report/0': 'skipped' },
    });
  });

  test('keys wait for what gives them, even where a rule would start at once', () => {
    const eager = chain.map((task) => (task.id === 'load' ? { ...task, when: 'always' as const } : task));
    const run = simulate(eager, dynamic, { prepared: () => ({ kind: 'ready', mapKeys: ['p'] }) });
    run.send({ kind: 'start' });
    expect([run.states(), run.preparing.size]).toEqual([{ 'list/0': 'ready' }, 0]);
    expect(run.runToEnd(seeded(1)).ended?.state).toBe('success');
  });

  test('keys that cannot be worked out fail the tasks that want them', () => {
    const run = simulate(chain, dynamic, { prepared: () => ({ kind: 'fail', reason: 'no list' }) });
    expect(run.runToEnd(seeded(1)).states()).toEqual({
      ...{ 'list/0': 'success', 'fetch/0': 'failed', 'load/0': 'upstream_failed', 'report/0': 'upstream_failed' },
    });
  });

  test('max_parallel of it bounds the map indexes under way, each of which ends before another begins', () => {
    const run = simulate(chain, { ...literal, maxParallel: 1 }).runToEnd(seeded(7));
    const order = run.attempts.map(({ task, mapIndex }) => `${task}/${mapIndex}`);
    expect(order).toEqual(['list/0', 'fetch/0', 'load/0', 'fetch/1', 'load/1', 'fetch/2', 'load/2', 'report/0']);
  });

  test('each map index is prepared by itself: one waits, one is skipped, one is done', () => {
    const tasks = chain.map((task) => (task.id === 'fetch' ? { ...task, needsPreparation: true } : task));
    const run = simulate(tasks, literal);
    run.send({ kind: 'start' });
    finish(run, 'list', 0);
    const answer = (mapIndex: number, result: Prepared) =>
      run.send({ kind: 'prepared', taskIndex: 1, mapIndex, result });
    answer(0, { kind: 'waiting', reason: 'not there' });
    answer(1, { kind: 'skip', reason: 'no' });
    answer(2, { kind: 'done', reason: 'there' });
    expect([run.states(), run.cache.active]).toEqual([
      {
        ...{ 'list/0': 'success', 'fetch/0': 'waiting', 'fetch/1': 'skipped', 'fetch/2': 'success' },
        ...{ 'load/1': 'skipped', 'load/2': 'ready', 'report/0': 'skipped' },
      },
      1,
    ]);
    run.crash();
    answer(0, { kind: 'ready', mapKeys: null });
    expect(run.state('fetch', 0)).toBe('ready');
  });

  test('max_parallel of a task bounds what waits at once', () => {
    const waits = [{ id: 'wait', group: 'g', needsPreparation: true, maxParallel: 2 }];
    const run = simulate(waits, literal);
    run.send({ kind: 'start' });
    for (const mapIndex of [0, 1])
      run.send({ kind: 'prepared', taskIndex: 0, mapIndex, result: { kind: 'waiting', reason: '' } });
    expect([run.states(), run.preparing.size]).toEqual([{ 'wait/0': 'waiting', 'wait/1': 'waiting' }, 2]);
    run.send({ kind: 'prepared', taskIndex: 0, mapIndex: 1, result: { kind: 'done', reason: '' } });
    expect([...run.preparing.keys()]).toContain('0/2');
  });

  test('a stop ends what waits and what never began', () => {
    const tasks = chain.slice(1, 3).map((task) => ({ ...task, upstream: task.id === 'load' ? ['fetch'] : [] }));
    const run = simulate(tasks, literal);
    run.send({ kind: 'start' });
    finish(run, 'fetch', 0);
    run.send({ kind: 'stop', verdict: 'cancelled' });
    expect([run.states(), run.ended?.state]).toEqual([
      { 'fetch/0': 'success', 'fetch/1': 'cancelled', 'fetch/2': 'cancelled', 'load/0': 'cancelled' },
      'cancelled',
    ]);
  });

  test('costs what its map indexes touch, not how many there are', () => {
    const mapKeys = Array.from({ length: 100_000 }, (_, index) => `k${index}`);
    const tasks: TaskSketch[] = [
      { id: 'fetch', group: 'g', maxParallel: 10 },
      { id: 'load', group: 'g', upstream: ['fetch'] },
    ];
    const graph = aGraph(tasks, 0, [{ ...literal, mapKeys }]);
    const run = new RunSimulator({ graph, outcome: () => success });
    run.send({ kind: 'start' });
    const began = performance.now();
    for (let mapIndex = 0; mapIndex < 200; mapIndex++) {
      finish(run, 'fetch', mapIndex);
      finish(run, 'load', mapIndex);
    }
    // A walk over all map indexes with each event takes many times as long.
    expect(performance.now() - began).toBeLessThan(1000);
    expect(run.rows.size).toBeLessThan(500);
  });
});
