import { expect, test } from '@jest/globals';
import { lookAtPast, type PastRun, type PastTaskRun, type TaskState } from '#core';

const taskRun = (taskId: string, state: TaskState, more: Partial<PastTaskRun> = {}): PastTaskRun => ({
  ...{ taskId, state, counts: state, isFannedOut: false },
  ...more,
});
const past = (state: PastRun['state'], taskRuns: readonly PastTaskRun[], more: Partial<PastRun> = {}): PastRun => ({
  ...{
    runId: '7',
    intervalStart: '2026-01-01T00:00:00Z',
    state,
    marked: null,
    hasBegun: taskRuns.length > 0,
    taskRuns,
  },
  ...more,
});

test('the first run of all passes', () => {
  expect(lookAtPast(null, ['a'])).toMatchObject({ kind: 'met', holder: null });
});

test.each([
  ['success', past('running', [taskRun('a', 'success')]), 'met'],
  ['skipped', past('failed', [taskRun('a', 'skipped')]), 'met'],
  ['failed', past('failed', [taskRun('a', 'failed')]), 'is failed'],
  ['upstream_failed', past('failed', [taskRun('a', 'upstream_failed')]), 'is upstream_failed'],
  ['cancelled', past('cancelled', [taskRun('a', 'cancelled')]), 'is cancelled'],
  ['on its way', past('running', [taskRun('a', 'retrying')]), 'is retrying'],
  ['not begun', past('running', [taskRun('b', 'running')].slice(1)), 'has not begun'],
  ['queued', past('queued', []), 'has not begun'],
  ['cancelled before it began', past('cancelled', []), 'never began: the run ended cancelled'],
  ['a task that the run before did not have', past('success', [], { hasBegun: true }), 'met'],
  ['failed, marked success', past('failed', [taskRun('a', 'failed', { counts: 'success' })]), 'met'],
  ['success, marked failed', past('success', [taskRun('a', 'success', { counts: 'failed' })]), 'is marked failed'],
  ['of a run that was marked success', past('failed', [taskRun('a', 'failed')], { marked: 'success' }), 'met'],
  [
    'of one whose mark its owner has not obeyed',
    past('running', [taskRun('a', 'running')], { marked: 'success' }),
    'is running',
  ],
  ['a mark that came before its end', past('running', [taskRun('a', 'running', { counts: 'success' })]), 'is running'],
  ['one of a fan-out bad', past('success', [taskRun('a', 'success'), taskRun('a', 'failed')]), 'is failed'],
  [
    'a fan-out of which more may follow',
    past('running', [taskRun('a', 'success', { isFannedOut: true })]),
    'is fanned out, and more of it may follow',
  ],
  ['a fan-out of a run that ended', past('failed', [taskRun('a', 'success', { isFannedOut: true })]), 'met'],
] as const)('%s', (_what, run, expected) => {
  const look = lookAtPast(run, ['a']);
  if (expected === 'met') expect(look).toMatchObject({ kind: 'met', holder: null });
  else
    expect(look).toEqual({
      kind: 'not-yet',
      detail: `task "a" of run 7 of the interval that begins at 2026-01-01T00:00:00Z ${expected}`,
      holder: '7/a',
    });
});

test('what directly follows holds it as well, and is named', () => {
  const run = past('failed', [taskRun('a', 'success'), taskRun('b', 'success'), taskRun('c', 'failed')]);
  expect(lookAtPast(run, ['a', 'b']).kind).toBe('met');
  expect(lookAtPast(run, ['a', 'b', 'c']).holder).toBe('7/c');
});
