import { describe, expect, test } from '@jest/globals';
import type { PipelineSummary, Run } from '#contracts';
import { addToDay, readDay } from './day-runs.ts';
import { healthStrip } from './health-strip.ts';
import { needsMe } from './needs-me.ts';

const NOW = Date.parse('2026-01-02T12:30:00Z');
const aRun = (id: string, more: Partial<Run> = {}): Run => ({
  id,
  environment: 'dev',
  pipeline: 'flights',
  state: 'success',
  release: 'a',
  dirty: false,
  trigger: 'schedule',
  shadow: false,
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

  test('no shadow run, which whoever asked for it is told of, and none that one replaces', () => {
    const failed = aRun('f', { state: 'failed' });
    const shadow = aRun('s', { state: 'failed', shadow: true, createdAt: '2026-01-02T11:00:00.000Z' });
    expect(needsMe([], [shadow], NOW)).toEqual([]);
    expect(needsMe([], [failed, { ...shadow, state: 'success' }], NOW)).toHaveLength(1);
  });

  test('only the last of several failures of one interval', () => {
    const first = aRun('f', { state: 'failed', interval: null });
    const again = aRun('g', { state: 'failed', interval: null, originRun: 'f', createdAt: '2026-01-02T11:00:00.000Z' });
    expect(needsMe([], [first, again], NOW)).toEqual([{ kind: 'failed', run: again }]);
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

describe('the last 24 hours', () => {
  const ended = (id: string, iso: string, state: Run['state'] = 'success') => ({
    id,
    pipeline: 'flights',
    state,
    at: Date.parse(iso),
  });

  test('count runs by the hour they ended in; the last cell is the hour that goes on', () => {
    const runs = [
      ended('a', '2026-01-02T12:05:00Z', 'cancelled'),
      ended('b', '2026-01-02T11:59:00Z', 'failed'),
      ended('c', '2026-01-02T11:00:00Z'),
      ended('d', '2026-01-01T12:59:00Z'), // older than the strip
    ];
    const [row] = healthStrip(['flights'], { runs, complete: true }, NOW);
    expect(row?.hours).toHaveLength(24);
    expect(row?.hours.at(-1)).toMatchObject({ good: 0, bad: 0, other: 1 });
    expect(row?.hours.at(-2)).toMatchObject({ good: 1, bad: 1, other: 0 });
    expect(row?.hours.slice(0, 22).every((hour) => hour.good + hour.bad + hour.other === 0 && hour.known)).toBe(true);
  });

  test('hours before the oldest run that was read are not claimed to be quiet', () => {
    const [row] = healthStrip(['flights'], { runs: [ended('a', '2026-01-02T10:10:00Z')], complete: false }, NOW);
    expect(row?.hours.map((hour) => hour.known)).toEqual([...new Array<boolean>(21).fill(false), true, true, true]);
  });

  test('are read page by page until the day is over, or there are too many', async () => {
    const pages: Record<string, string[]> = {
      start: ['2026-01-02T12:00:00Z'],
      two: ['2026-01-01T12:00:00Z'],
      three: [],
    };
    const asked: (string | null)[] = [];
    const page = (cursor: string | null) => {
      asked.push(cursor);
      const items = (pages[cursor ?? 'start'] ?? []).map((createdAt, index) =>
        aRun(`${cursor}${index}`, { createdAt }),
      );
      return Promise.resolve({ items, next: cursor === null ? 'two' : 'three' });
    };
    expect((await readDay(page, NOW)).complete).toBe(true);
    expect(asked).toEqual([null, 'two']);
    const endless = () => Promise.resolve({ items: [aRun('x')], next: 'more' });
    expect(await readDay(endless, NOW)).toMatchObject({ complete: false });
  });

  test('grow by what live events tell, once per run, ended runs only', () => {
    const day = { runs: [ended('a', '2026-01-01T12:00:00Z'), ended('b', '2026-01-02T12:00:00Z')], complete: true };
    expect(addToDay(day, ended('c', '2026-01-02T12:30:00Z', 'running'))).toBe(day);
    const next = addToDay(day, ended('b', '2026-01-02T12:30:00Z', 'failed'));
    expect(next.runs.map((run) => [run.id, run.state])).toEqual([['b', 'failed']]); // `a` is older than a day by now
  });
});
