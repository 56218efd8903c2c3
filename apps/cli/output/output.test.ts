import { describe, expect, test } from '@jest/globals';
import { cleanColoured, cleanLine, cleanText } from './clean-text.ts';
import { csvLine } from './csv.ts';
import { sparkline } from './sparkline.ts';
import { stateMark } from './state-mark.ts';
import { hasColour, mayRedraw, type Style } from './style.ts';
import { cutText, tableLines } from './table.ts';
import { durationText, intervalText, isoInstant, relativeTime } from './time.ts';
import { RUN_STATES, TASK_STATES } from '#core';

const plain = (text: string) => ({ text, paint: (shown: string) => shown });
const PLAIN_STYLE = new Proxy({} as Style, { get: () => (text: string) => text });

describe('times', () => {
  test.each([
    [0, '0ms'],
    [-5, '0ms'],
    [849.6, '850ms'],
    [12_300, '12.3s'],
    [59_940, '59.9s'],
    [59_960, '1m00s'],
    [125_000, '2m05s'],
    [3_599_999, '1h00m'],
    [11_520_000, '3h12m'],
    [187_200_000, '2d04h'],
  ])('%d ms is %s', (ms, text) => expect(durationText(ms)).toBe(text));

  test.each([
    ['2026-01-03T12:00:00.400Z', 'now'],
    ['2026-01-03T11:59:48Z', '12s ago'],
    ['2026-01-03T15:12:00Z', 'in 3h12m'],
    ['2025-12-31T11:00:00Z', '3d ago'],
    ['nonsense', 'nonsense'],
  ])('%s is %s', (instant, text) => expect(relativeTime(instant, new Date('2026-01-03T12:00:00Z'))).toBe(text));

  test('instants are ISO 8601 in UTC, without fractions that are zero', () => {
    expect(isoInstant('2026-01-01T01:00:00+01:00')).toBe('2026-01-01T00:00:00Z');
    expect(isoInstant('2026-01-01T00:00:00.250Z')).toBe('2026-01-01T00:00:00.250Z');
  });

  test.each([
    ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '2026-01-01'],
    ['2026-01-01T02:30:00Z', '2026-01-02T02:30:00Z', '2026-01-01T02:30Z +1d'],
    ['2026-01-05T00:00:00Z', '2026-01-12T00:00:00Z', '2026-01-05 +7d'],
    ['2026-01-01T02:00:00Z', '2026-01-01T02:15:00Z', '2026-01-01T02:00Z +15m'],
    ['2026-01-01T02:30:00Z', '2026-01-02T00:00:05Z', '2026-01-01T02:30Z … 2026-01-02T00:00:05Z'],
  ])('the interval from %s to %s is %s', (start, end, text) => expect(intervalText({ start, end })).toBe(text));
});

describe('texts that others wrote', () => {
  test.each([
    ['a\u001b[31mred\u001b[0m', 'ared'],
    ['\u001b]0;title\u0007x', 'x'],
    ['\u001b]8;;http://evil\u001b\\click\u001b]8;;\u001b\\', 'click'],
    ['a\rb\u0008\u007f\u009b31m', 'ab'],
    ['a\nb\tc', 'a b c'],
    ['user\u202egpj.exe', 'usergpj.exe'],
  ])('%j is printed as %j', (text, clean) => expect(cleanLine(text)).toBe(clean));

  test('line breaks and tabs may be kept', () => expect(cleanText('a\r\nb\tc\u0000')).toBe('a\nb\tc'));

  test('colours may be kept, are ended, and bring nothing else along', () => {
    expect(cleanColoured('\u001b[1;32mok\u001b[2K\u001b]0;t\u0007 done')).toBe('\u001b[1;32mok done\u001b[0m');
    expect(cleanColoured('no colour')).toBe('no colour');
  });
});

describe('tables', () => {
  const columns = [{ header: 'ID' }, { header: 'TEXT', shrinks: true }, { header: 'N', align: 'right' as const }];
  const lines = (rows: string[][], width: number | null) =>
    tableLines(
      columns,
      rows.map((row) => row.map(plain)),
      { width, headers: true, paintHeader: (text) => text },
    );

  test('columns are as wide as their widest cell, numbers stand right', () => {
    expect(
      lines(
        [
          ['1', 'abc', '10'],
          ['22', 'd', '9'],
        ],
        null,
      ),
    ).toEqual(['ID  TEXT   N', '1   abc   10', '22  d      9']);
  });

  test('wide characters count as two', () => {
    expect(
      lines(
        [
          ['1', '日本', '1'],
          ['2', 'abc', '2'],
        ],
        null,
      ),
    ).toEqual(['ID  TEXT  N', '1   日本  1', '2   abc   2']);
  });

  test('only what may shrink is cut', () => {
    expect(lines([['1234567890123', 'a long text that is cut', '1']], 32)[1]).toBe('1234567890123  a long text t…  1');
    expect(cutText('日本語', 5)).toBe('日本…');
  });

  test('CSV quotes what must be quoted', () => {
    expect(csvLine(['a', 'b,c', 'd"e', 'f\ng', ''])).toBe('a,"b,c","d""e","f\ng",');
  });
});

describe('small drawings', () => {
  test('a sparkline spans its own values, the newest at the end', () => {
    expect(sparkline([1, 2, 3, 4], 10)).toBe('▁▃▆█');
    expect(sparkline([1, 1, 1], 10)).toBe('▄▄▄');
    expect(sparkline([9, 1, 2], 2)).toBe('▁█');
    expect(sparkline([], 10)).toBe('');
  });

  test('every state has a symbol of its own and its word', () => {
    const marks = [...new Set([...RUN_STATES, ...TASK_STATES])].map((state) => stateMark(state, PLAIN_STYLE));
    expect(new Set(marks.map((mark) => mark.split(' ')[0])).size).toBe(marks.length);
    expect(marks).toContain('✓ success');
  });
});

describe('colour and redrawing', () => {
  test.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ TERM: 'dumb' }, true, false],
  ])('with %j and a terminal %s, colour is %s', (env, isTTY, expected) =>
    expect(hasColour({ env }, { isTTY })).toBe(expected),
  );

  test('CI and dumb terminals are never redrawn', () => {
    expect(mayRedraw({ env: {} }, { isTTY: true })).toBe(true);
    expect(mayRedraw({ env: { CI: 'true' } }, { isTTY: true })).toBe(false);
    expect(mayRedraw({ env: { TERM: 'dumb' } }, { isTTY: true })).toBe(false);
  });
});
