import { describe, expect, test } from '@jest/globals';
import type { MetricSeries } from '#contracts';
import { formatBytes, formatValue } from '../parts/number-format.ts';
import { alignSeries, groupSeries } from './align-series.ts';
import { timeTicks, valueTicks } from './axis-text.ts';

const point = (day: number, value: number, more: Partial<MetricSeries['points'][number]> = {}) => ({
  runId: `r${day}`,
  at: `2026-02-0${day}T10:00:00.000Z`,
  intervalStart: `2001-01-0${day}T00:00:00.000Z` as string | null,
  release: 'a',
  value,
  ...more,
});
const series = (mapKey: string, points: MetricSeries['points']): MetricSeries => ({
  task: 'train',
  name: 'auc',
  mapKey,
  points,
});
const second = (iso: string) => Date.parse(iso) / 1000;

describe('aligned series', () => {
  test('share one axis of interval starts, with gaps where one has no value', () => {
    const aligned = alignSeries([
      series('depth=4', [point(1, 0.6), point(3, 0.7)]),
      series('depth=8', [point(2, 0.65), point(3, 0.72)]),
    ]);
    expect(aligned.axis).toBe('interval');
    expect(aligned.xs).toEqual([1, 2, 3].map((day) => second(`2001-01-0${day}T00:00:00Z`)));
    expect(aligned.series).toEqual([
      { label: 'depth=4', ys: [0.6, null, 0.7] },
      { label: 'depth=8', ys: [null, 0.65, 0.72] },
    ]);
    expect(aligned.runs).toEqual(['r1', 'r2', 'r3']);
  });

  test('of two runs of one interval the newer counts, in whatever order they come', () => {
    const old = point(1, 0.5, { runId: 'old', at: '2026-02-01T00:00:00.000Z', release: 'a' });
    const rerun = point(1, 0.9, { runId: 'rerun', at: '2026-02-09T00:00:00.000Z', release: 'b' });
    for (const points of [
      [old, rerun],
      [rerun, old],
    ]) {
      const aligned = alignSeries([series('', points)]);
      expect([aligned.series[0]?.ys, aligned.runs, aligned.releases]).toEqual([[0.9], ['rerun'], ['b']]);
    }
  });

  test('fall back to the time of the run when one has no interval', () => {
    const aligned = alignSeries([series('', [point(1, 1), point(2, 2, { intervalStart: null })])]);
    expect(aligned.axis).toBe('time');
    expect(aligned.xs).toEqual([second('2026-02-01T10:00:00Z'), second('2026-02-02T10:00:00Z')]);
  });

  test('mark where the release changed, not where it began', () => {
    const aligned = alignSeries([
      series('', [point(1, 1), point(2, 1), point(3, 1, { release: 'b' }), point(4, 1, { release: 'b' }), point(5, 1)]),
    ]);
    expect(aligned.changes).toEqual([
      { x: second('2001-01-03T00:00:00Z'), release: 'b' },
      { x: second('2001-01-05T00:00:00Z'), release: 'a' },
    ]);
  });

  test('nothing at all is drawn as nothing', () => {
    expect(alignSeries([])).toMatchObject({ xs: [], series: [], changes: [] });
  });

  test('are grouped by task and metric, keys in natural order', () => {
    const groups = groupSeries([
      series('depth=10', []),
      series('depth=9', []),
      { ...series('', []), task: 'evaluate' },
    ]);
    expect(groups.map((group) => [group.task, group.series.map((one) => one.mapKey)])).toEqual([
      ['train', ['depth=9', 'depth=10']],
      ['evaluate', ['']],
    ]);
  });
});

describe('labels of axes', () => {
  test('days tell the year where it begins', () => {
    const ticks = ['2000-12-31', '2001-01-01', '2001-01-02'].map((day) => second(`${day}T00:00:00Z`));
    expect(timeTicks(ticks, 86_400, 'utc')).toEqual(['12-31\n2000', '01-01\n2001', '01-02']);
  });

  test('hours tell the day where it begins', () => {
    const ticks = ['2001-01-01T18:00:00Z', '2001-01-02T00:00:00Z'].map(second);
    expect(timeTicks(ticks, 6 * 3600, 'utc')).toEqual(['18:00\n2001-01-01', '00:00\n2001-01-02']);
  });

  test('values have as many decimals as their steps', () => {
    expect(valueTicks([0.65, 0.675, 0.7], 0.025)).toEqual(['0.650', '0.675', '0.700']);
    expect(valueTicks([10_000, 20_000], 10_000)).toEqual(['10,000', '20,000']);
    expect(valueTicks([0.2, 0.4], 0.2)).toEqual(['0.2', '0.4']);
  });
});

describe('numbers', () => {
  test.each([
    [0.701234, '0.7012'],
    [16_842, '16,842'],
    [0, '0'],
    [3, '3'],
    [12.3456, '12.35'],
    [0.00000031, '3.10e-7'],
    [-0.45, '-0.45'],
    [NaN, 'NaN'],
  ])('%d is %s', (value, text) => {
    expect(formatValue(value)).toBe(text);
  });

  test.each([
    [912, '912 B'],
    [1_843_221, '1.8 MB'],
    [999_999, '1.0 MB'],
    [123_456_789, '123 MB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
