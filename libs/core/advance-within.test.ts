import { describe, expect, test } from '@jest/globals';
import { firstOf, type Outcome, type Prepared } from '#core';
import { aGraph, RunSimulator, seeded, type GroupSketch, type TaskSketch } from '../testing/simulate-run.ts';

const success: Outcome = { kind: 'success' };
const failure: Outcome = { kind: 'failed', exitCode: 3, message: 'exit code 3' };

const chain: TaskSketch[] = [
  { id: 'list', group: 'g' },
  { id: 'fit', group: 'g', upstream: ['list'], inner: { mapKeys: null } },
  { id: 'best', group: 'g', upstream: ['fit'] },
  { id: 'report', upstream: ['best', 'fit'] },
];
const group: GroupSketch = { id: 'g', mapKeys: ['x', 'y'] };
const literal = chain.map((task) => (task.inner ? { ...task, inner: { mapKeys: ['a', 'b'] } } : task));

/** Map index of an inner item. */
const at = (item: number, inner: number): number => firstOf({ inner: {} }, item) + inner;

function simulate(
  tasks: readonly TaskSketch[],
  options: {
    group?: Partial<GroupSketch>;
    outcome?: (id: string, mapIndex: number) => Outcome;
    list?: (item: number) => Prepared;
    prepared?: (id: string, mapIndex: number | null) => Prepared;
  } = {},
): RunSimulator {
  return new RunSimulator({
    graph: aGraph(tasks, 0, [{ ...group, ...options.group }]),
    outcome: ({ id }, mapIndex) => options.outcome?.(id, mapIndex) ?? success,
    prepared: ({ id }, _ask, mapIndex, item) =>
      item === null
        ? (options.prepared?.(id, mapIndex) ?? { kind: 'ready', mapKeys: null })
        : (options.list?.(item) ?? ready('a', 'b')),
  });
}

function ready(...mapKeys: string[]): Prepared {
  return { kind: 'ready', mapKeys };
}

function finish(run: RunSimulator, task: string, mapIndex: number): void {
  run.admit([...run.rows.values()].find((row) => row.taskId === task && row.mapIndex === mapIndex)!);
  run.finish(String(run.attempts.length));
}

function names(run: RunSimulator): Record<string, string> {
  return Object.fromEntries(
    [...run.rows.values()].map(({ taskId, mapKey, state }) => [mapKey === '' ? taskId : `${taskId}[${mapKey}]`, state]),
  );
}

describe('a fan-out within a group', () => {
  test('asks for the list of an item when its rule says run, and is as long as that item says', () => {
    const run = simulate(chain, { list: (item) => (item === 0 ? ready('a', 'b', 'c') : ready('d')) });
    run.send({ kind: 'start' });
    expect(run.preparing.size).toBe(0);
    finish(run, 'list', 1);
    expect([...run.preparing.values()]).toEqual([{ kind: 'prepare', taskIndex: 1, item: 1 }]);
    run.runToEnd(seeded(1));
    expect(names(run)).toEqual({
      ...{ 'list[x]': 'success', 'list[y]': 'success', 'best[x]': 'success', 'best[y]': 'success' },
      ...{ 'fit[x/a]': 'success', 'fit[x/b]': 'success', 'fit[x/c]': 'success', 'fit[y/d]': 'success' },
      report: 'success',
    });
  });

  test('is followed when all of the same item have ended, and by the other items not at all', () => {
    const run = simulate(literal);
    run.send({ kind: 'start' });
    for (const item of [0, 1]) finish(run, 'list', item);
    finish(run, 'fit', at(1, 1));
    expect(run.state('best', 1)).toBe('none');
    finish(run, 'fit', at(1, 0));
    expect([run.state('best', 0), run.state('best', 1), run.state('report')]).toEqual(['none', 'ready', 'none']);
  });

  test('a failure in it fails what follows its item only', () => {
    const run = simulate(literal, {
      outcome: (id, index) => (id === 'fit' && index === at(1, 0) ? failure : success),
    }).runToEnd(seeded(2));
    expect(names(run)).toMatchObject({
      ...{ 'fit[y/a]': 'failed', 'fit[y/b]': 'success', 'best[x]': 'success', 'best[y]': 'upstream_failed' },
      report: 'upstream_failed',
    });
  });

  test('an item without a list of its own is one task run that says why', () => {
    const answers: Prepared[] = [ready(), { kind: 'fail', reason: 'no list' }, { kind: 'skip', reason: 'no' }];
    const run = simulate(chain, {
      group: { mapKeys: ['x', 'y', 'z', 'w'] },
      list: (item) => answers[item]!,
      outcome: (id, index) => (id === 'list' && index === 3 ? failure : success),
    }).runToEnd(seeded(3));
    expect(names(run)).toMatchObject({
      ...{ 'fit[x]': 'skipped', 'fit[y]': 'failed', 'fit[z]': 'skipped', 'fit[w]': 'upstream_failed' },
      ...{ 'best[x]': 'skipped', 'best[y]': 'upstream_failed', 'best[z]': 'skipped', 'best[w]': 'upstream_failed' },
    });
  });

  test('max_parallel of the task bounds its task runs, that of the group the items', () => {
    const order = (run: RunSimulator): string =>
      run.attempts.map(({ task, mapIndex }) => `${task}/${mapIndex}`).join(' ');
    const items = simulate(literal, { group: { maxParallel: 1 } }).runToEnd(seeded(7));
    expect(order(items)).toMatch(/^list\/0 fit\/[01] fit\/[01] best\/0 list\/1 fit\/1000[01] fit\/1000[01] best\/1 /);
    const one = simulate(literal.map((task) => (task.inner ? { ...task, maxParallel: 1 } : task)));
    one.send({ kind: 'start' });
    for (const item of [0, 1]) finish(one, 'list', item);
    expect([...one.rows.values()].filter(({ taskId, state }) => taskId === 'fit' && state === 'ready')).toHaveLength(1);
  });

  test('each of its task runs is prepared by itself, and waits by itself', () => {
    const run = simulate(
      literal.map((task) => (task.inner ? { ...task, needsPreparation: true } : task)),
      { group: { mapKeys: ['x'] } },
    );
    run.send({ kind: 'start' });
    finish(run, 'list', 0);
    const answer = (mapIndex: number, result: Prepared) =>
      run.send({ kind: 'prepared', taskIndex: 1, mapIndex, result });
    answer(at(0, 0), { kind: 'waiting', reason: 'not there' });
    answer(at(0, 1), { kind: 'done', reason: 'there' });
    run.crash();
    expect(names(run)).toEqual({ 'list[x]': 'success', 'fit[x/a]': 'waiting', 'fit[x/b]': 'success' });
    answer(at(0, 0), { kind: 'done', reason: 'there' });
    expect(run.state('best', 0)).toBe('ready');
  });

  test('whoever takes over asks for the lists of items that have begun; one that is not known again ends as it is', () => {
    let isThere = true;
    const run = simulate(chain, { list: () => (isThere ? ready('a', 'b', 'c') : { kind: 'fail', reason: 'gone' }) });
    run.send({ kind: 'start' });
    finish(run, 'list', 0);
    run.step(() => 0.99);
    expect(names(run)).toMatchObject({ 'fit[x/a]': 'ready', 'fit[x/b]': 'ready', 'fit[x/c]': 'ready' });
    finish(run, 'fit', at(0, 0));
    // One of its rows was not written.
    run.rows.delete(`fit/${at(0, 2)}`);
    isThere = false;
    run.crash();
    expect([...run.preparing.values()]).toEqual([{ kind: 'prepare', taskIndex: 1, item: 0 }]);
    finish(run, 'fit', at(0, 1));
    expect(run.state('best', 0)).toBe('none');
    run.send({ kind: 'prepared', taskIndex: 1, item: 0, result: { kind: 'fail', reason: 'gone' } });
    expect(run.state('best', 0)).toBe('ready');
  });

  test('a mark of the task ends every item, also those of which nothing has begun', () => {
    const run = simulate(literal);
    run.send({ kind: 'start' });
    finish(run, 'list', 1);
    run.send({ kind: 'mark', taskIndex: 1, mapIndex: null, state: 'success', reason: 'marked' });
    expect(names(run)).toMatchObject({ 'fit[x]': 'success', 'fit[y/a]': 'success', 'fit[y/b]': 'success' });
    expect([run.state('best', 0), run.state('best', 1)]).toEqual(['ready', 'ready']);
  });

  test('costs memory for what began', () => {
    const mapKeys = Array.from({ length: 9000 }, (_, index) => `k${index}`);
    const run = simulate([{ id: 'fit', group: 'g', inner: { mapKeys }, maxParallel: 10 }], { group: { mapKeys } });
    run.send({ kind: 'start' });
    const began = performance.now();
    for (let inner = 0; inner < 200; inner++) finish(run, 'fit', at(0, inner));
    expect(performance.now() - began).toBeLessThan(1000);
    expect(run.rows.size).toBeLessThan(300);
  });
});
