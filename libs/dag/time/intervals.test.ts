import { describe, expect, test } from '@jest/globals';
import type { Schedule } from '#core';
import {
  describeSchedule,
  ds,
  dueIntervals,
  intervalAt,
  intervalsBetween,
  nextIntervals,
  type Interval,
} from '../index.ts';

type Timed = Exclude<Schedule, { kind: 'manual' }>;

function cron(text: string, changes: Partial<Extract<Schedule, { kind: 'cron' }>> = {}): Timed {
  const usual = {
    timezone: 'UTC',
    gap: 'next',
    fold: 'first',
    start: null,
    end: null,
    catchup: { kind: 'none' },
  } as const;
  return { kind: 'cron', cron: text, ...usual, ...changes };
}

function every(ms: number, changes: Partial<Extract<Schedule, { kind: 'every' }>> = {}): Timed {
  return { kind: 'every', everyMs: ms, timezone: 'UTC', start: null, end: null, catchup: { kind: 'none' }, ...changes };
}

const at = (text: string): Date => new Date(`${text}Z`);
const shown = (intervals: readonly Interval[]): string[] =>
  intervals.map(({ start, end }) => `${start.toISOString().slice(0, 16)} ${end.toISOString().slice(0, 16)}`);
const ALL = { kind: 'all', order: 'oldest_first' } as const;

function due(
  schedule: Timed,
  now: string,
  more: { lastEnd?: string; activatedAt?: string; limit?: number } = {},
): string[] {
  const lastEnd = more.lastEnd === undefined ? null : at(more.lastEnd);
  const activatedAt = at(more.activatedAt ?? '2026-01-10T12:00');
  return shown(dueIntervals({ schedule, activatedAt, lastEnd, now: at(now), limit: more.limit ?? 100 }));
}

describe('what is due', () => {
  const daily = cron('0 0 * * *');

  test('a schedule without start begins with the interval that ends after its activation, when it ends', () => {
    expect(due(daily, '2026-01-10T23:59')).toEqual([]);
    expect(due(daily, '2026-01-11T00:00')).toEqual(['2026-01-10T00:00 2026-01-11T00:00']);
  });

  test('a schedule with start begins there, aligned up, also in the past', () => {
    const from = cron('0 0 * * *', { start: '2026-01-05T06:00', catchup: ALL });
    expect(due(from, '2026-01-08T00:00')).toEqual([
      '2026-01-06T00:00 2026-01-07T00:00',
      '2026-01-07T00:00 2026-01-08T00:00',
    ]);
    expect(due(from, '2026-01-06T12:00')).toEqual([]);
  });

  test('without catchup only the latest complete interval is due, once', () => {
    const from = cron('0 0 * * *', { start: '2020-01-01' });
    expect(due(from, '2026-01-10T15:00')).toEqual(['2026-01-09T00:00 2026-01-10T00:00']);
    expect(due(from, '2026-01-10T15:00', { lastEnd: '2026-01-10T00:00' })).toEqual([]);
    // Airflow's example: paused on 31 January, resumed on 2 February.
    expect(due(daily, '2026-02-02T15:00', { lastEnd: '2026-01-31T00:00' })).toEqual([
      '2026-02-01T00:00 2026-02-02T00:00',
    ]);
  });

  test('with catchup everything since the last one is due, oldest first, in batches', () => {
    const all = cron('0 0 * * *', { catchup: ALL });
    const missed = [
      '2026-01-10T00:00 2026-01-11T00:00',
      '2026-01-11T00:00 2026-01-12T00:00',
      '2026-01-12T00:00 2026-01-13T00:00',
    ];
    expect(due(all, '2026-01-13T08:00')).toEqual(missed);
    expect(due(all, '2026-01-13T08:00', { limit: 2 })).toEqual(missed.slice(0, 2));
    expect(due(all, '2026-01-13T08:00', { lastEnd: '2026-01-12T00:00' })).toEqual(missed.slice(2));
  });

  test('newest first turns each batch round, and the greatest end still tells where to go on', () => {
    const newest = cron('0 0 * * *', { catchup: { kind: 'all', order: 'newest_first' } });
    expect(due(newest, '2026-01-13T08:00', { limit: 2 })).toEqual([
      '2026-01-11T00:00 2026-01-12T00:00',
      '2026-01-10T00:00 2026-01-11T00:00',
    ]);
  });

  test('a bounded catchup takes nothing that ended longer ago than its age', () => {
    const bounded = cron('0 0 * * *', {
      start: '2020-01-01',
      catchup: { kind: 'bounded', maxAgeMs: 2 * 86_400_000, order: 'oldest_first' },
    });
    expect(due(bounded, '2026-01-10T00:00')).toEqual([
      '2026-01-07T00:00 2026-01-08T00:00',
      '2026-01-08T00:00 2026-01-09T00:00',
      '2026-01-09T00:00 2026-01-10T00:00',
    ]);
  });

  test('end is inclusive on the start of the interval: a date means its whole local day', () => {
    const bounded = cron('30 2 * * *', { start: '2001-01-01', end: '2001-01-03', catchup: ALL });
    expect(due(bounded, '2026-01-01T00:00')).toEqual([
      '2001-01-01T02:30 2001-01-02T02:30',
      '2001-01-02T02:30 2001-01-03T02:30',
      '2001-01-03T02:30 2001-01-04T02:30',
    ]);
    const latest = cron('30 2 * * *', { start: '2001-01-01', end: '2001-01-03' });
    expect(due(latest, '2026-01-01T00:00')).toEqual(['2001-01-03T02:30 2001-01-04T02:30']);
    expect(
      due(cron('0 0 * * *', { start: '2001-01-01', end: '2001-06-30', catchup: ALL }), '2026-01-01T00:00', {
        limit: 1000,
      }),
    ).toHaveLength(181);
  });

  test('a changed schedule goes on from the last end, without a hole', () => {
    expect(due(cron('0 * * * *', { catchup: ALL }), '2026-01-12T02:10', { lastEnd: '2026-01-12T00:00' })).toEqual([
      '2026-01-12T00:00 2026-01-12T01:00',
      '2026-01-12T01:00 2026-01-12T02:00',
    ]);
    expect(due(cron('0 0 * * *', { catchup: ALL }), '2026-01-13T00:00', { lastEnd: '2026-01-12T15:00' })).toEqual([
      '2026-01-12T00:00 2026-01-13T00:00',
    ]);
  });

  test('every counts elapsed time from start or activation, whatever the clocks do', () => {
    const hours = every(6 * 3_600_000, { timezone: 'Europe/Berlin', start: '2026-03-28T20:00', catchup: ALL });
    expect(due(hours, '2026-03-29T13:00')).toEqual([
      '2026-03-28T19:00 2026-03-29T01:00',
      '2026-03-29T01:00 2026-03-29T07:00',
      '2026-03-29T07:00 2026-03-29T13:00',
    ]);
    expect(due(every(3_600_000), '2026-01-10T13:30', { activatedAt: '2026-01-10T12:20' })).toEqual([
      '2026-01-10T12:20 2026-01-10T13:20',
    ]);
  });

  test('manual schedules and a limit of nothing give nothing', () => {
    const manual: Schedule = { kind: 'manual' };
    expect(
      dueIntervals({
        schedule: manual,
        activatedAt: at('2026-01-01T00:00'),
        lastEnd: null,
        now: at('2026-01-02T00:00'),
        limit: 9,
      }),
    ).toEqual([]);
    expect(due(daily, '2026-01-12T00:00', { limit: 0 })).toEqual([]);
    expect(nextIntervals(manual, at('2026-01-01T00:00'), at('2026-01-01T00:00'), 3)).toEqual([]);
    expect(intervalAt(manual, at('2026-01-01T00:00'), at('2026-01-01T00:00'))).toBeNull();
  });
});

describe('other questions about a schedule', () => {
  const daily = cron('0 0 * * *');
  const activated = at('2026-01-10T12:00');

  test('next intervals are those that end later, none before activation', () => {
    expect(shown(nextIntervals(daily, activated, at('2026-01-01T00:00'), 2))).toEqual([
      '2026-01-10T00:00 2026-01-11T00:00',
      '2026-01-11T00:00 2026-01-12T00:00',
    ]);
    expect(shown(nextIntervals(daily, activated, at('2026-01-12T00:00'), 1))).toEqual([
      '2026-01-12T00:00 2026-01-13T00:00',
    ]);
    expect(nextIntervals(cron('0 0 * * *', { end: '2026-01-05' }), activated, at('2026-01-12T00:00'), 1)).toEqual([]);
  });

  test('the interval at an instant holds it; its end belongs to the next', () => {
    expect(shown([intervalAt(daily, activated, at('2026-01-05T00:00'))!])).toEqual([
      '2026-01-05T00:00 2026-01-06T00:00',
    ]);
    expect(shown([intervalAt(daily, activated, at('2026-01-05T23:59'))!])).toEqual([
      '2026-01-05T00:00 2026-01-06T00:00',
    ]);
    expect(intervalAt(cron('0 0 * * *', { start: '2026-01-06' }), activated, at('2026-01-05T23:59'))).toBeNull();
    expect(intervalAt(cron('0 0 * * *', { end: '2026-01-04' }), activated, at('2026-01-05T23:59'))).toBeNull();
  });

  test('intervals between two instants are those that start there', () => {
    const found = intervalsBetween(daily, activated, at('2026-01-01T06:00'), at('2026-01-04T00:00'), 10);
    expect(shown(found)).toEqual(['2026-01-02T00:00 2026-01-03T00:00', '2026-01-03T00:00 2026-01-04T00:00']);
    expect(intervalsBetween(daily, activated, at('2026-01-01T00:00'), at('2027-01-01T00:00'), 10)).toHaveLength(10);
  });

  test('ds is the local date of the start', () => {
    const [night] = nextIntervals(cron('0 1 * * *', { timezone: 'Asia/Tokyo' }), activated, at('2026-01-12T00:00'), 1);
    expect(night?.start.toISOString()).toBe('2026-01-11T16:00:00.000Z');
    expect(ds(night!, cron('0 1 * * *', { timezone: 'Asia/Tokyo' }))).toBe('2026-01-12');
    expect(ds(night!, { kind: 'manual' })).toBe('2026-01-11');
  });

  test('changes of the clock: a time in the gap fires at its end, a repeated one once, a rhythm as the clocks show', () => {
    const starts = (text: string, from: string, to: string, more = {}): string[] =>
      intervalsBetween(cron(text, { timezone: 'Europe/Berlin', ...more }), activated, at(from), at(to), 99).map(
        ({ start }) => start.toISOString().slice(5, 16),
      );
    expect(starts('30 2 * * *', '2026-03-28T12:00', '2026-03-29T12:00')).toEqual(['03-29T01:00']);
    expect(starts('30 2 * * *', '2026-03-28T12:00', '2026-03-29T12:00', { gap: 'skip' })).toEqual([]);
    // Asked for from the very end of the gap on.
    expect(starts('30 2 * * *', '2026-03-29T01:00', '2026-03-29T12:00')).toEqual(['03-29T01:00']);
    expect(starts('0 2,3 * * *', '2026-03-28T12:00', '2026-03-29T12:00')).toEqual(['03-29T01:00']);
    expect(starts('*/30 2 * * *', '2026-03-28T12:00', '2026-03-29T12:00')).toEqual([]);
    expect(starts('30 2 * * *', '2026-10-24T12:00', '2026-10-25T12:00')).toEqual(['10-25T00:30']);
    expect(starts('30 2 * * *', '2026-10-24T12:00', '2026-10-25T12:00', { fold: 'second' })).toEqual(['10-25T01:30']);
    expect(starts('30 2 * * *', '2026-10-24T12:00', '2026-10-25T12:00', { fold: 'both' })).toEqual([
      '10-25T00:30',
      '10-25T01:30',
    ]);
    expect(starts('0 */2 * * *', '2026-10-24T21:00', '2026-10-25T04:00')).toEqual([
      '10-24T22:00',
      '10-25T00:00',
      '10-25T01:00',
      '10-25T03:00',
    ]);
  });

  test('rare fires and far years are found', () => {
    expect(shown(nextIntervals(cron('0 0 29 2 *'), activated, at('2096-03-01T00:00'), 1))).toEqual([
      '2096-02-29T00:00 2104-02-29T00:00',
    ]);
    expect(shown(nextIntervals(cron('0 0 L 2 *'), activated, at('2027-01-01T00:00'), 1))).toEqual([
      '2026-02-28T00:00 2027-02-28T00:00',
    ]);
    expect(shown(nextIntervals(cron('0 9 * * 1#1'), activated, at('2026-02-01T00:00'), 1))).toEqual([
      '2026-01-05T09:00 2026-02-02T09:00',
    ]);
    expect(shown(nextIntervals(cron('0 9 * * 5L'), activated, at('2026-02-01T00:00'), 1))).toEqual([
      '2026-01-30T09:00 2026-02-27T09:00',
    ]);
    expect(due(cron('0 0 1 1 *', { start: '1970-01-01' }), '9999-06-01T00:00')).toEqual([
      '9998-01-01T00:00 9999-01-01T00:00',
    ]);
  });

  test.each([
    [{ kind: 'manual' } as Schedule, 'manual'],
    [every(90 * 60_000), 'every 1h30m'],
    [cron('30 2 * * *', { timezone: 'Europe/Berlin' }), 'daily at 02:30 (Europe/Berlin)'],
    [cron('0 * * * *'), 'hourly (UTC)'],
    [cron('*/15 * * * *'), 'every 15 minutes (UTC)'],
    [cron('0 0 * * mon'), 'every Monday at 00:00 (UTC)'],
    [cron('5 6 * * 7'), 'every Sunday at 06:05 (UTC)'],
    [cron('0 8 * * mon-fri'), 'on weekdays at 08:00 (UTC)'],
    [cron('0 0 1 * *'), 'monthly on day 1 at 00:00 (UTC)'],
    [cron('0 0 1 1 *'), 'cron 0 0 1 1 * (UTC)'],
  ])('%j is described as "%s"', (schedule, text) => {
    expect(describeSchedule(schedule)).toBe(text);
  });
});
