import { describe, expect, test } from '@jest/globals';
import { compareOutputs, driftKey, MOST_DRIFTS, type FileContent, type TaskPair } from './compare-outputs.ts';

const files = (text: string): FileContent[] =>
  text
    .split(' ')
    .filter(Boolean)
    .map((part) => {
      const [path = '', sha256 = ''] = part.split('=');
      return { path, bytes: 1, sha256 };
    });
/** A task that wrote one path: `a=1 b=2` are files with their hashes. */
const task = (taskId: string, before: string | null, after: string | null, more: Partial<TaskPair> = {}): TaskPair => ({
  ...{ taskId, mapIndex: 0, mapKey: '', before: 'success', after: 'success', excluded: null },
  outputs: [
    { name: 'out', before: before === null ? null : files(before), after: after === null ? null : files(after) },
  ],
  ...more,
});

describe('what a run wrote, then and now', () => {
  test.each<[string, TaskPair[], string, string]>([
    ['nothing', [], 'not_comparable', 'No task of the run wrote a file.'],
    ['a path without files', [task('a', '', '')], 'not_comparable', 'No task of the run wrote a file.'],
    ['the same file', [task('a', 'x=1', 'x=1')], 'reproducible', 'The file is the same.'],
    ['the same files', [task('a', 'x=1 y=2', 'y=2 x=1')], 'reproducible', 'All 2 files are the same.'],
    [
      'another content',
      [task('a', 'x=1', 'x=1'), task('b', 'y=1 z=1', 'y=1 z=2')],
      'drifted',
      'The first difference is in task b: out/z differs. 1 of 3 files differ.',
    ],
    [
      'a file more',
      [task('a', 'x=1', 'w=1 x=1')],
      'drifted',
      'The first difference is in task a: out/w is new. 1 of 2 files differ.',
    ],
    [
      'a file less',
      [task('a', 'x=1', null)],
      'drifted',
      'The first difference is in task a: out/x is missing. 1 of 1 files differ.',
    ],
    [
      'another name',
      [task('a', 'x=1', 'y=1')],
      'drifted',
      'The first difference is in task a: out/x is missing. 2 of 2 files differ.',
    ],
    [
      'another end',
      [task('a', 'x=1', 'x=1', { after: 'skipped' })],
      'drifted',
      'The first difference is task a: it ended success then, and skipped now.',
    ],
    [
      'a task run that there was not',
      [task('a', null, 'x=1', { before: null, mapIndex: 2, mapKey: 'lr=2' })],
      'drifted',
      'The first difference is task a[lr=2]: it ended without having begun then, and success now.',
    ],
    [
      'only what may not be executed again',
      [task('a', 'x=1', 'x=2', { excluded: 'uses secrets' })],
      'not_comparable',
      'Not compared: a (uses secrets).',
    ],
    [
      'some that may not be executed again',
      [task('a', 'x=1', 'x=2', { excluded: 'uses secrets' }), task('b', 'y=1', 'y=1')],
      'reproducible',
      'The file is the same. Not compared: a (uses secrets).',
    ],
  ])('%s', (_what, pairs, verdict, detail) => {
    expect(compareOutputs(pairs)).toMatchObject({ verdict, detail });
  });

  test('lists every drift in the order of tasks, up to a limit, and counts them all', () => {
    const many = Array.from({ length: MOST_DRIFTS + 5 }, (_, n) => `f${String(n).padStart(4, '0')}`);
    const first = task('z', many.map((name) => `${name}=1`).join(' '), many.map((name) => `${name}=2`).join(' '));
    const { drifts, drifted, files: all } = compareOutputs([first, task('a', 'x=1', 'x=2')]);
    expect([drifts.length, drifted, all]).toEqual([MOST_DRIFTS, MOST_DRIFTS + 6, MOST_DRIFTS + 6]);
    expect(drifts[0]).toMatchObject({ taskId: 'z', file: 'f0000', change: 'changed' });
  });

  test('what is close enough is told and is no drift', () => {
    const pair = task('a', 'x=1 y=1', 'x=2 y=1');
    const [drift] = compareOutputs([pair]).drifts;
    expect(compareOutputs([pair], new Set([driftKey(drift!)]))).toMatchObject({
      verdict: 'reproducible',
      detail: 'All 2 files are the same (a within the tolerance).',
      drifted: 0,
      tasks: [{ verdict: 'close', reason: '1 within the tolerance' }],
    });
  });
});
