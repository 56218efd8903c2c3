import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Schedule } from '#core';
import { intervalsBetween } from './intervals.ts';

/** Minutes of UTC since 1970 and, for each, the minutes that the zone's clocks show; straight from Intl, no cleverness. */
interface Clock {
  readonly firstMinute: number;
  readonly local: Int32Array;
}

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Europe/Lisbon',
  'America/New_York',
  'America/St_Johns', // half an hour off
  'America/Havana', // changes at midnight
  'America/Asuncion',
  'Africa/Casablanca', // suspends summer time for Ramadan
  'Asia/Kathmandu', // a quarter off, no changes
  'Asia/Beirut', // skips 00:00
  'Australia/Lord_Howe', // changes by half an hour
  'Antarctica/Troll', // changes by two hours
] as const;
const DAYS = 400;
const FIRST = Date.UTC(2023, 11, 20) / 60_000;

const clocks = new Map<string, Clock>();

function clockOf(zone: string, firstMinute = FIRST, days = DAYS): Clock {
  const key = `${zone} ${firstMinute}`;
  const known = clocks.get(key);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const shownAt = (minute: number): number => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(minute * 60_000)) parts[type] = Number(value);
    return Date.UTC(parts.year ?? 0, (parts.month ?? 1) - 1, parts.day, parts.hour, parts.minute) / 60_000;
  };
  const local = new Int32Array(days * 1440);
  for (let hour = 0; hour < local.length; hour += 60) {
    const [shown, next] = [shownAt(firstMinute + hour), shownAt(firstMinute + hour + 60)];
    // Clocks change on a quarter of an hour in every zone and year used here.
    for (let minute = 0; minute < 60; minute += 1) {
      const quarter = minute - (minute % 15);
      const base = next - shown === 60 ? shown + quarter : shownAt(firstMinute + hour + quarter);
      local[hour + minute] = base + minute - quarter;
    }
  }
  const clock = { firstMinute, local };
  clocks.set(key, clock);
  return clock;
}

interface Fields {
  readonly minute: string;
  readonly hour: string;
  readonly day: string;
  readonly month: string;
  readonly weekday: string;
}

/** Values of one field, read the slow and obvious way. */
function valuesOf(field: string, low: number, high: number): Set<number> {
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', step = '1'] = part.split('/');
    const [from, to] = range === '*' ? [low, high] : range.split('-').map(Number);
    const last = to ?? (part.includes('/') ? high : (from ?? low));
    for (let value = from ?? low; value <= last; value += Number(step)) values.add(value);
  }
  return values;
}

function matcher(fields: Fields): (local: number) => boolean {
  const [days, months] = [valuesOf(fields.day, 1, 31), valuesOf(fields.month, 1, 12)];
  const weekdays = new Set([...valuesOf(fields.weekday, 0, 7)].map((value) => value % 7));
  const minuteOfDayMatches = new Uint8Array(1440);
  for (const hour of valuesOf(fields.hour, 0, 23))
    for (const minute of valuesOf(fields.minute, 0, 59)) minuteOfDayMatches[hour * 60 + minute] = 1;
  const dayMatches = (dayNumber: number): boolean => {
    const date = new Date(dayNumber * 86_400_000);
    const [byDay, byWeekday] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())];
    const either = fields.day === '*' ? byWeekday : fields.weekday === '*' ? byDay : byDay || byWeekday;
    return either && months.has(date.getUTCMonth() + 1);
  };
  return (local) => minuteOfDayMatches[local % 1440] === 1 && dayMatches(Math.floor(local / 1440));
}

/** The rules of docs/pipeline-file.md, minute by minute. */
function oracle(clock: Clock, fields: Fields, gap: 'next' | 'skip', fold: 'first' | 'second' | 'both'): number[] {
  const matches = matcher(fields);
  const fixed = !/[*/]/.test(fields.minute + fields.hour);
  const shown = new Map<number, number[]>();
  const fires = new Set<number>();
  let previous = (clock.local[0] ?? 0) - 1;
  for (let index = 0; index < clock.local.length; index += 1) {
    const local = clock.local[index] ?? 0;
    const minute = clock.firstMinute + index;
    if (fixed && gap === 'next')
      for (let missing = previous + 1; missing < local; missing += 1) if (matches(missing)) fires.add(minute);
    previous = local;
    if (!matches(local)) continue;
    if (!fixed) fires.add(minute);
    else shown.set(local, [...(shown.get(local) ?? []), minute]);
  }
  for (const minutes of shown.values()) {
    const chosen = fold === 'both' ? minutes : fold === 'first' ? minutes.slice(0, 1) : minutes.slice(-1);
    for (const minute of chosen) fires.add(minute);
  }
  return [...fires].sort((a, b) => a - b);
}

function schedule(zone: string, fields: Fields, gap: 'next' | 'skip', fold: 'first' | 'second' | 'both'): Schedule {
  const { minute, hour, day, month, weekday } = fields;
  const cron = [minute, hour, day, month, weekday].join(' ');
  const catchup = { kind: 'none' } as const;
  return { kind: 'cron', cron, timezone: zone, gap, fold, start: null, end: null, catchup };
}

interface Policy {
  readonly gap: 'next' | 'skip';
  readonly fold: 'first' | 'second' | 'both';
}

/** First difference between oracle and walk, away from the ends of the clock, where the oracle sees half a fold; null: none. */
function difference(clock: Clock, zone: string, fields: Fields, { gap, fold }: Policy): string | null {
  const margin = 2 * 1440;
  const [from, to] = [clock.firstMinute + margin, clock.firstMinute + clock.local.length - margin];
  const expected = oracle(clock, fields, gap, fold).filter((minute) => minute >= from && minute < to);
  const walked = intervalsBetween(
    schedule(zone, fields, gap, fold),
    new Date(0),
    new Date(from * 60_000),
    new Date(to * 60_000),
    1_000_000,
  );
  for (let index = 0; index < Math.max(walked.length, expected.length); index += 1) {
    const [interval, next] = [walked[index], walked[index + 1]];
    const minute = expected[index];
    const wanted = minute === undefined ? 'no fire' : new Date(minute * 60_000).toISOString();
    const found = interval === undefined ? 'no fire' : interval.start.toISOString();
    if (wanted !== found) return `expected ${wanted}, found ${found}`;
    if (interval && next && interval.end.getTime() !== next.start.getTime()) return `a hole after ${found}`;
    if (interval && interval.end <= interval.start) return `an empty interval at ${found}`;
  }
  return null;
}

function fieldOf(low: number, high: number): fc.Arbitrary<string> {
  const value = fc.integer({ min: low, max: high });
  const range = fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  return fc.oneof(
    { weight: 4, arbitrary: value.map(String) },
    { weight: 2, arbitrary: fc.constant('*') },
    fc.uniqueArray(value, { minLength: 2, maxLength: 4 }).map((values) => values.join(',')),
    range,
    fc.integer({ min: 1, max: high - low }).map((step) => `*/${step}`),
    fc.tuple(range, fc.integer({ min: 1, max: 5 })).map(([text, step]) => `${text}/${step}`),
  );
}

/** Hours near the changes come often, or a random cron would rarely meet one. */
const hour = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('0', '1', '2', '3', '0,1,2,3', '1-3', '23') },
  fieldOf(0, 23),
);
const fewMinutes = fc.oneof(
  fieldOf(0, 59).filter((text) => !text.includes('*')),
  fc.constant('*/20'),
);
const cronWith = (minute: fc.Arbitrary<string>, daily: boolean): fc.Arbitrary<Fields> =>
  fc.record({
    minute,
    hour,
    day: daily ? fc.constant('*') : fc.oneof({ weight: 4, arbitrary: fc.constant('*') }, fieldOf(1, 28)),
    month: daily ? fc.constant('*') : fc.oneof({ weight: 6, arbitrary: fc.constant('*') }, fieldOf(1, 12)),
    weekday: fc.oneof({ weight: 5, arbitrary: fc.constant('*') }, fieldOf(0, 6)),
  });
const policy: fc.Arbitrary<Policy> = fc.record({
  gap: fc.constantFrom('next', 'skip'),
  fold: fc.constantFrom('first', 'second', 'both'),
});

function agree(clock: Clock, zone: string, crons: fc.Arbitrary<Fields>, numRuns: number): void {
  fc.assert(
    fc.property(crons, policy, (fields, rule) => {
      const found = difference(clock, zone, fields, rule);
      if (found !== null) throw new Error(`${zone}: ${found}`);
    }),
    { numRuns },
  );
}

describe('crons against a minute-by-minute oracle', () => {
  test.each(ZONES)('%s: random crons over 400 days fire exactly when the oracle says', (zone) => {
    expect.hasAssertions();
    const clock = clockOf(zone);
    expect(clock.local.length).toBe(DAYS * 1440);
    agree(clock, zone, cronWith(fewMinutes, false), 5);
  });

  // Both changes of a usual year, and rules that modern code forgets: a day skipped, changes at midnight.
  const changes = [
    ['Europe/Berlin', '2026-03-24'],
    ['Europe/Berlin', '2026-10-20'],
    ['America/New_York', '2026-03-03'],
    ['America/New_York', '2026-10-27'],
    ['Australia/Lord_Howe', '2026-03-31'],
    ['Australia/Lord_Howe', '2026-09-29'],
    ['Pacific/Apia', '2011-12-26'],
    ['America/Sao_Paulo', '2018-10-30'],
    ['Europe/Dublin', '2024-10-20'],
    ['Asia/Pyongyang', '2018-04-30'],
    ['America/Havana', '2025-10-28'],
    ['Antarctica/Troll', '2025-03-25'],
  ] as const;
  test.each(changes)('%s: any cron in the days from %s', (zone, day) => {
    const clock = clockOf(zone, Date.parse(`${day}T00:00:00Z`) / 60_000, 10);
    expect(clock.local.length).toBe(14_400);
    agree(clock, zone, cronWith(fieldOf(0, 59), true), 25);
  });
});
