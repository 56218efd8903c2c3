import { describe, expect, test } from '@jest/globals';
import type { TaskState } from '#core';
import { criticalPath, ganttSegments, ganttSpan, ganttTicks } from './gantt-segments.ts';

const at = (second: number) => new Date(second * 1000).toISOString();
const aTaskRun = (more: Partial<Parameters<typeof ganttSegments>[0]> = {}) => ({
  state: 'success' as TaskState,
  tries: 1,
  readyAt: at(10),
  queuedAt: at(12),
  startedAt: at(13),
  finishedAt: at(20),
  ...more,
});
const brief = (segments: ReturnType<typeof ganttSegments>) =>
  segments.map(({ kind, state, number, from, to }) => [kind, state, number, from / 1000, to / 1000]);

describe('the segments of a task run', () => {
  test('wanted a slot, was queued, ran', () => {
    expect(brief(ganttSegments(aTaskRun(), 0))).toEqual([
      ['ready', 'ready', 1, 10, 12],
      ['queued', 'queued', 1, 12, 13],
      ['run', 'success', 1, 13, 20],
    ]);
  });

  test('show each try and the pauses between them', () => {
    const earlier = [{ number: 1, state: 'failed' as const, queuedAt: at(12), startedAt: at(13), finishedAt: at(15) }];
    const one = aTaskRun({ tries: 2, earlier, queuedAt: at(20), startedAt: at(21), finishedAt: at(30) });
    expect(brief(ganttSegments(one, 0))).toEqual([
      ['ready', 'ready', 1, 10, 12],
      ['queued', 'queued', 1, 12, 13],
      ['run', 'failed', 1, 13, 15],
      ['retry', 'retrying', 1, 15, 20],
      ['queued', 'queued', 2, 20, 21],
      ['run', 'success', 2, 21, 30],
    ]);
  });

  test('what goes on goes on until now: running, queued, waiting for the next try', () => {
    expect(brief(ganttSegments(aTaskRun({ state: 'running', finishedAt: null }), 40_000)).at(-1)).toEqual([
      'run',
      'running',
      1,
      13,
      40,
    ]);
    expect(
      brief(ganttSegments(aTaskRun({ state: 'queued', startedAt: null, finishedAt: null }), 40_000)).at(-1),
    ).toEqual(['queued', 'queued', 1, 12, 40]);
    expect(
      brief(ganttSegments(aTaskRun({ state: 'ready', queuedAt: null, startedAt: null, finishedAt: null }), 40_000)),
    ).toEqual([['ready', 'ready', 1, 10, 40]]);
    expect(brief(ganttSegments(aTaskRun({ state: 'retrying' }), 40_000)).slice(-2)).toEqual([
      ['run', 'failed', 1, 13, 20],
      ['retry', 'retrying', 1, 20, 40],
    ]);
  });

  test('there are none for what never became ready', () => {
    const never = { readyAt: null, queuedAt: null, startedAt: null, finishedAt: at(20) };
    expect(ganttSegments(aTaskRun({ state: 'upstream_failed', ...never }), 40_000)).toEqual([]);
  });
});

describe('the axis of a timeline', () => {
  test('spans the run and everything in it, and at least a second', () => {
    const segments = [ganttSegments(aTaskRun(), 0)];
    expect(ganttSpan(segments, { createdAt: at(5), startedAt: at(11), finishedAt: at(19) }, 0)).toEqual({
      from: 10_000,
      to: 20_000,
    });
    expect(ganttSpan([], { createdAt: at(5), startedAt: null, finishedAt: at(5) }, 0)).toEqual({
      from: 5000,
      to: 6000,
    });
  });

  test('has round ticks, not more than asked for', () => {
    expect(ganttTicks(10_000, 5)).toEqual([0, 2000, 4000, 6000, 8000, 10_000]);
    expect(ganttTicks(3 * 3_600_000, 8).map((ms) => ms / 60_000)).toEqual([0, 30, 60, 90, 120, 150, 180]);
    expect(ganttTicks(400 * 86_400_000, 8).length).toBeLessThanOrEqual(9);
  });
});

test('the critical path goes back along what finished last', () => {
  const tasks = [
    { id: 'a', upstream: [] },
    { id: 'b', upstream: [] },
    { id: 'c', upstream: ['a', 'b'] },
    { id: 'd', upstream: ['a'] },
  ];
  const done = (taskId: string, end: number) => ({ taskId, startedAt: at(0), finishedAt: at(end) });
  expect([...criticalPath(tasks, [done('a', 5), done('b', 9), done('c', 20), done('d', 12)])]).toEqual(['c', 'b']);
  expect(criticalPath(tasks, []).size).toBe(0);
});
