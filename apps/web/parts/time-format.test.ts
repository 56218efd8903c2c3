import { describe, expect, test } from '@jest/globals';
import {
  elapsed,
  formatAbsolute,
  formatAgo,
  formatDuration,
  formatInstant,
  formatInterval,
  readInstants,
} from './time-format.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('durations', () => {
  test.each([
    [-5, '0 ms'],
    [340, '340 ms'],
    [4240, '4.2 s'],
    [9949, '9.9 s'],
    [9950, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 m 00 s'],
    [192_000, '3 m 12 s'],
    [3_599_600, '1 h 00 m'],
    [2 * HOUR + 5 * MINUTE, '2 h 05 m'],
    [23 * HOUR + 59.8 * MINUTE, '1 d 0 h'],
    [3 * DAY + 4 * HOUR, '3 d 4 h'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('distances in time', () => {
  const now = Date.parse('2026-01-02T12:00:00Z');
  test.each([
    [now - 2000, 'just now'],
    [now + 2000, 'now'],
    [now - 42_000, '42 s ago'],
    [now + 3 * MINUTE, 'in 3 min'],
    [now - 2 * HOUR - 10 * MINUTE, '2 h 10 min ago'],
    [now - 2 * HOUR - MINUTE, '2 h ago'],
    [now - 11 * HOUR - 20 * MINUTE, '11 h ago'],
    [now + 5 * DAY, 'in 5 d'],
    [now - 90 * DAY, '3 months ago'],
  ])('%d reads %s', (at, text) => {
    expect(formatAgo(at, now)).toBe(text);
  });
});

describe('instants and intervals', () => {
  test('are absolute with their zone, on both sides of a clock change', () => {
    expect(formatAbsolute('2026-03-29T00:30:00Z', 'Europe/Berlin')).toBe('2026-03-29 01:30:00 CET');
    expect(formatAbsolute('2026-03-29T01:30:00Z', 'Europe/Berlin')).toBe('2026-03-29 03:30:00 CEST');
    expect(formatAbsolute('nonsense')).toBe('nonsense');
  });

  test('a day is its date, several days are their first and last', () => {
    expect(formatInterval({ start: '2001-01-05T00:00:00.000Z', end: '2001-01-06T00:00:00.000Z' })).toBe('2001-01-05');
    expect(formatInterval({ start: '2001-01-01T00:00:00.000Z', end: '2001-01-08T00:00:00.000Z' })).toBe(
      '2001-01-01 → 01-07',
    );
    expect(formatInterval({ start: '2000-12-25T00:00:00.000Z', end: '2001-01-01T00:00:00.000Z' })).toBe(
      '2000-12-25 → 12-31',
    );
    expect(formatInterval({ start: '2000-12-29T00:00:00.000Z', end: '2001-01-05T00:00:00.000Z' })).toBe(
      '2000-12-29 → 2001-01-04',
    );
  });

  test('anything else is a start and a length', () => {
    expect(formatInterval({ start: '2026-01-01T23:00:00.000Z', end: '2026-01-02T23:00:00.000Z' })).toBe(
      '2026-01-01 23:00Z + 1 d',
    );
    expect(formatInterval({ start: '2026-03-28T23:00:00.000Z', end: '2026-03-29T22:00:00.000Z' })).toBe(
      '2026-03-28 23:00Z + 23 h',
    );
    expect(formatInterval({ start: '2026-01-01T10:15:00.000Z', end: '2026-01-01T10:30:00.000Z' })).toBe(
      '2026-01-01 10:15Z + 15 min',
    );
    expect(formatInterval({ start: 'x', end: 'y' })).toBe('x → y');
  });

  test('an instant shows no more than it has', () => {
    expect(formatInstant('2026-01-01T00:00:00.000Z')).toBe('2026-01-01');
    expect(formatInstant('2026-01-01T03:00:00.000Z')).toBe('2026-01-01 03:00Z');
    expect(formatInstant('2026-01-01T03:00:07.000Z')).toBe('2026-01-01 03:00:07Z');
  });

  test('what has not started lasts nothing, what has not ended lasts until now', () => {
    expect(elapsed(null, null, 5)).toBeNull();
    expect(elapsed('1970-01-01T00:00:01.000Z', null, 3000)).toBe(2000);
    expect(elapsed('1970-01-01T00:00:01.000Z', '1970-01-01T00:00:02.500Z', 9e9)).toBe(1500);
  });
});

test('instants inside a sentence of the server are written as everywhere else', () => {
  expect(readInstants('Its interval ended at 2001-01-22T00:00:00.000Z; next at 2001-01-22T03:30:00Z.')).toBe(
    'Its interval ended at 2001-01-22; next at 2001-01-22 03:30Z.',
  );
  expect(readInstants('Started by 2001-01-22T99, alas.')).toBe('Started by 2001-01-22T99, alas.');
});
