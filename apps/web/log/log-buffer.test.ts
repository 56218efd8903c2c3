import { describe, expect, test } from '@jest/globals';
import { LogBuffer, type LogLine } from './log-buffer.ts';

const lines = (from: number, to: number): LogLine[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    n: from + index,
    at: 0,
    stream: 'out',
    text: `line ${from + index}`,
  }));

describe('the buffer of a log', () => {
  test('knows how long the log is before it has the lines', () => {
    const buffer = new LogBuffer();
    buffer.grow(50_000);
    expect(buffer.total).toBe(50_000);
    expect(buffer.get(49_999)).toBeUndefined();
    expect(buffer.missing(49_990, 50_000)).toEqual([49_001]);
  });

  test('takes pages in any order and asks only for what lacks', () => {
    const buffer = new LogBuffer();
    buffer.grow(3500);
    buffer.put(lines(2001, 3000));
    expect(buffer.missing(1, 3500)).toEqual([1, 1001, 3001]);
    buffer.put(lines(3001, 3500));
    buffer.put(lines(1, 1000));
    expect(buffer.missing(900, 3500)).toEqual([1001]);
    expect(buffer.get(2500)?.text).toBe('line 2500');
  });

  test('a page that a live end filled only in part is asked for again', () => {
    const buffer = new LogBuffer();
    buffer.grow(1500);
    buffer.put(lines(1501, 1504));
    expect(buffer.total).toBe(1504);
    expect(buffer.missing(1490, 1504)).toEqual([1001]);
    expect(buffer.missing(1501, 1504)).toEqual([]);
  });

  test('the same lines twice change nothing', () => {
    const buffer = new LogBuffer();
    buffer.put(lines(1, 10));
    buffer.put(lines(5, 12));
    expect(buffer.total).toBe(12);
    expect(buffer.missing(1, 12)).toEqual([]);
  });
});
