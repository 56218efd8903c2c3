import { describe, expect, test } from '@jest/globals';
import type { Outcome, RunState, TaskState } from '#core';
import { decideMark, markOf } from '#core';
import { aGraph, allTerminal, RunSimulator, seeded, type TaskSketch } from '../testing/simulate-run.ts';

const row = (state: TaskState, tries = 1, counts = state) => ({ state, tries, counts });

describe('what follows from a mark', () => {
  const ofRun = (runState: RunState, runCounts = runState) => ({ runState, runCounts, taskRuns: null });
  test.each([
    ['queued', 'end-queued'],
    ['running', 'ask-owner'],
    ['failed', 'note'],
    ['cancelled', 'note'],
    ['timed_out', 'note'],
    ['skipped', 'note'],
  ] as const)('a run that is %s: %s', (state, kind) => {
    expect(decideMark('success', ofRun(state), false)).toEqual({ kind });
  });

  test('what counts as it already is refused, also by an earlier mark; the other way it may be marked again', () => {
    const refused = { kind: 'refuse', why: 'counts-already' };
    expect(decideMark('success', ofRun('success'), false)).toEqual(refused);
    expect(decideMark('success', ofRun('failed', 'success'), false)).toEqual(refused);
    expect(decideMark('failed', ofRun('failed', 'success'), false)).toEqual({ kind: 'note' });
    const found = {
      runState: 'failed' as const,
      runCounts: 'failed' as const,
      taskRuns: [row('failed', 1, 'success')],
    };
    expect(decideMark('success', found, false)).toEqual(refused);
  });

  test.each([
    ['of a running run, nothing of it begun', 'running', [], false, 'ask-owner'],
    ['of a queued run', 'queued', [], false, 'ask-owner'],
    ['that runs', 'running', [row('running')], false, 'ask-owner'],
    ['of which one part goes on', 'running', [row('success'), row('retrying')], false, 'ask-owner'],
    ['that has failed while its run goes on', 'running', [row('failed')], false, 'note'],
    ['that has failed, of a failed run', 'failed', [row('failed'), row('success')], false, 'note'],
    ['that never began', 'cancelled', [], false, 'never-began'],
    ['one of a fan-out that has not begun', 'running', [], true, 'not-yet'],
    ['one of a fan-out that is ready', 'running', [row('ready', 0)], true, 'not-yet'],
    ['one of a fan-out that runs', 'running', [row('running')], true, 'ask-owner'],
  ] as const)('a task %s', (_what, runState, taskRuns, one, expected) => {
    const step = decideMark('success', { runState, runCounts: runState, taskRuns }, one);
    expect(step.kind === 'refuse' ? step.why : step.kind).toBe(expected);
  });

  test('the last mark that names it holds, one of the whole task for each of its runs', () => {
    const marks = [
      { taskId: 'a', mapIndex: null, state: 'success' },
      { taskId: 'a', mapIndex: 2, state: 'failed' },
      { taskId: null, mapIndex: null, state: 'failed' },
    ];
    expect([0, 2].map((index) => markOf(marks, 'a', index)?.state)).toEqual(['success', 'failed']);
    expect([markOf(marks, 'b'), markOf(marks, null)?.state]).toEqual([null, 'failed']);
  });
});

describe('a run that goes on', () => {
  const success: Outcome = { kind: 'success' };
  const failure: Outcome = { kind: 'failed', exitCode: 3, message: '' };
  const mark = (taskIndex: number | null, state: 'success' | 'failed', mapIndex: number | null = null) =>
    ({ kind: 'mark', taskIndex, mapIndex, state, reason: `marked ${state}` }) as const;

  /** A run of which the tasks in `begun` have an attempt. */
  function begin(tasks: readonly TaskSketch[], begun: readonly string[], outcome = success): RunSimulator {
    const run = new RunSimulator({ graph: aGraph(tasks), outcome: () => outcome });
    run.send({ kind: 'start' });
    for (const one of [...run.rows.values()]) if (begun.includes(one.taskId)) run.admit(one);
    return run;
  }
  const chain: TaskSketch[] = [{ id: 'a' }, { id: 'b', upstream: ['a'] }];

  test('a marked task is stopped first, then ends as the mark says, whatever its attempt still said', () => {
    const run = begin(chain, ['a'], failure);
    run.send(mark(0, 'success'));
    expect([run.state('a'), [...run.cancelled]]).toEqual(['queued', ['1']]);
    run.cancelled.clear(); // it fails before it hears of it
    run.finish('1');
    expect([run.state('a'), run.state('b')]).toEqual(['success', 'ready']);
    expect(run.runToEnd(seeded(1)).ended?.state).toBe('failed'); // b fails by itself
  });

  test('one that ended first stays as it ended', () => {
    const run = begin(chain, ['a'], failure);
    run.finish('1');
    expect(run.send(mark(0, 'success'))).toEqual([]);
    expect(run.states()).toEqual({ 'a/0': 'failed', 'b/0': 'upstream_failed' });
  });

  test.each([
    ['blocked', chain, 1],
    ['ready', chain, 0],
    ['a fan-out of which nothing is known', [{ id: 'a', dynamicFanOut: true, needsPreparation: true }], 0],
  ] as const)('what has no attempt ends at once: %s', (_what, tasks, taskIndex) => {
    const run = begin(tasks as readonly TaskSketch[], []);
    run.send(mark(taskIndex, 'failed'));
    expect(run.state(tasks[taskIndex]!.id)).toBe('failed');
    expect(run.runToEnd(seeded(1)).ended).toMatchObject({ state: 'failed' });
  });

  test('a fan-out is marked as a whole, and stays so after a takeover; or one of it alone', () => {
    const wide: TaskSketch[] = [{ id: 'a', mapKeys: ['x', 'y', 'z'], maxParallel: 1 }];
    const whole = begin(wide, ['a']);
    whole.send(mark(0, 'success'));
    whole.crash({ marks: [mark(0, 'success')] });
    whole.finish('1');
    expect([whole.states(), whole.ended?.state]).toEqual([{ 'a/0': 'success' }, 'success']);

    const one = begin(wide, ['a']);
    one.send(mark(0, 'failed', 0));
    one.finish('1');
    expect(one.states()).toEqual({ 'a/0': 'failed', 'a/1': 'ready' });
    expect(one.runToEnd(seeded(1)).states()).toEqual({ 'a/0': 'failed', 'a/1': 'success', 'a/2': 'success' });
  });

  test('an untried fan-out that was marked is not begun by whoever takes the run over', () => {
    const run = begin([{ id: 'a' }, { id: 'b', upstream: ['a'], mapKeys: ['x', 'y'] }], ['a']);
    run.send(mark(1, 'success'));
    run.crash({ marks: [mark(1, 'success')] });
    run.finish('1');
    expect([run.states(), run.ended?.state]).toEqual([{ 'a/0': 'success', 'b/0': 'success' }, 'success']);
  });

  test('a marked run stops what is under way, still runs finally, and ends as the mark says', () => {
    const run = begin([...chain, { id: 'tidy', final: true, when: 'all_done' }], ['a']);
    run.send(mark(null, 'success'));
    run.finish('1');
    expect(run.states()).toEqual({ 'a/0': 'cancelled', 'b/0': 'cancelled', 'tidy/0': 'ready' });
    run.send(mark(null, 'failed')); // on second thoughts
    expect(run.runToEnd(seeded(1)).states()['tidy/0']).toBe('success');
    expect(run.ended).toEqual({ kind: 'end-run', state: 'failed', reason: 'marked failed' });
  });

  test('a mark outlives a cancellation', () => {
    const run = begin(chain, ['a']);
    run.send({ kind: 'stop', verdict: 'cancelled' }, mark(null, 'success'));
    run.finish('1');
    expect([run.ended?.state, allTerminal(run)]).toEqual(['success', true]);
  });
});
