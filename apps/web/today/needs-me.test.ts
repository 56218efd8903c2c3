import { describe, expect, test } from '@jest/globals';
import type { PipelineSummary, Run } from '#contracts';
import { healthStrip, needsMe } from './needs-me.ts';

const NOW = Date.parse('2026-01-02T12:30:00Z');
const aRun = (id: string, more: Partial<Run> = {}): Run => ({
  id,
  environment: 'dev',
  pipeline: 'flights',
  state: 'success',
  release: 'a',
  dirty: false,
  trigger: 'schedule',
  why: '',
  interval: { start: '2001-01-01T00:00:00.000Z', end: '2001-01-02T00:00:00.000Z' },
  params: {},
  originRun: null,
  createdAt: '2026-01-02T10:00:00.000Z',
  startedAt: '2026-01-02T10:00:01.000Z',
  finishedAt: '2026-01-02T10:00:09.000Z',
  deadlineAt: null,
  cancelRequested: false,
  reason: null,
  counts: {},
  ...more,
});
const aPipeline = (name: string, problems: PipelineSummary['problems'] = []): PipelineSummary => ({
  name,
  description: '',
  owner: '',
  tags: [],
  schedule: 'manual',
  paused: false,
  nextFireAt: null,
  lastRuns: [],
  release: 'a',
  problems,
  activeRuns: 0,
});

describe('what needs a person', () => {
  test('a failed run, until a later run of its interval succeeds or is at work', () => {
    const failed = aRun('f', { state: 'failed' });
    const later = { createdAt: '2026-01-02T11:00:00.000Z' };
    expect(needsMe([], [failed], NOW)).toEqual([{ kind: 'failed', run: failed }]);
    for (const state of ['success', 'running', 'queued'] as const)
      expect(needsMe([], [failed, aRun('again', { ...later, state })], NOW)).toEqual([]);
    expect(needsMe([], [failed, aRun('again', { ...later, state: 'cancelled' })], NOW)).toHaveLength(1);
    expect(needsMe([], [failed, aRun('other', { ...later, pipeline: 'else' })], NOW)).toHaveLength(1);
  });

  test('a failed run without an interval, until its rerun succeeds', () => {
    const failed = aRun('f', { state: 'timed_out', interval: null });
    const other = aRun('other', { interval: null, createdAt: '2026-01-02T11:00:00.000Z' });
    expect(needsMe([], [failed, other], NOW)).toHaveLength(1);
    expect(needsMe([], [failed, { ...other, originRun: 'f' }], NOW)).toEqual([]);
  });

  test('broken files come first, then what is late, then what failed; a run read twice counts once', () => {
    const late = aRun('l', { state: 'running', finishedAt: null, deadlineAt: '2026-01-02T12:00:00.000Z' });
    const failed = aRun('f', { state: 'failed', interval: null });
    const broken = aPipeline('broken', [{ file: 'dags/x.yaml', line: 1, column: 1, message: 'no' }]);
    expect(needsMe([aPipeline('fine'), broken], [failed, late, failed, late], NOW).map((need) => need.kind)).toEqual([
      'broken',
      'late',
      'failed',
    ]);
  });
});

describe('the strip of 24 hours', () => {
  test('counts runs by the hour of their creation; the last cell is the hour that goes on', () => {
    const runs = [
      aRun('a', { createdAt: '2026-01-02T12:05:00.000Z', state: 'running' }),
      aRun('b', { createdAt: '2026-01-02T11:59:00.000Z', state: 'failed' }),
      aRun('c', { createdAt: '2026-01-02T11:00:00.000Z' }),
      aRun('d', { createdAt: '2026-01-01T12:59:00.000Z' }), // older than the strip
    ];
    const [row] = healthStrip(['flights'], runs, NOW, true);
    expect(row?.hours).toHaveLength(24);
    expect(row?.hours.at(-1)).toMatchObject({ good: 0, bad: 0, other: 1 });
    expect(row?.hours.at(-2)).toMatchObject({ good: 1, bad: 1, other: 0 });
    expect(row?.hours.slice(0, 22).every((hour) => hour.good + hour.bad + hour.other === 0 && hour.known)).toBe(true);
  });

  test('hours before the oldest run that was read are not claimed to be quiet', () => {
    const [row] = healthStrip(['flights'], [aRun('a', { createdAt: '2026-01-02T10:10:00.000Z' })], NOW, false);
    expect(row?.hours.map((hour) => hour.known)).toEqual([...new Array<boolean>(21).fill(false), true, true, true]);
  });
});
