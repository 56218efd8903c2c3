import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Schedule } from '#core';
import { changesOf } from '../fixtures/zone-clock.ts';
import { firesOf, type TimedSchedule } from './fires.ts';
import { creationOf, dueIntervals, intervalsBetween, nextIntervals, type Interval } from './intervals.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const FIRST = Date.UTC(2026, 2, 26);
const LAST = FIRST + 9 * DAY;

/** Around both changes of the clocks, so that gaps and folds lie between the looks. */
const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'Africa/Casablanca', 'Australia/Lord_Howe', 'America/Asuncion');
const bounds = fc.record({
  timezone: zone,
  start: fc.constantFrom(null, '2026-03-24', '2026-03-27T02:30', '2026-03-29T02:15'),
  end: fc.constantFrom(null, null, '2026-04-02', '2026-03-29T02:45'),
  run: fc.constantFrom('at_end', 'at_start'),
  delayMs: fc.constantFrom(0, 1, 90_000, 5 * HOUR),
  gap: fc.constantFrom('next', 'skip'),
  fold: fc.constantFrom('first', 'second', 'both'),
});
const localTime = fc
  .integer({ min: FIRST / 900_000, max: LAST / 900_000 })
  .map((quarter) => new Date(quarter * 900_000).toISOString().slice(0, 19));
const rhythm = fc.oneof(
  fc.uniqueArray(fc.constantFrom('30 2 * * *', '0 2,3 * * *', '0 * * * *', '*/20 1-3 * * *', '0 0 * * 1'), {
    minLength: 1,
    maxLength: 3,
  }),
  fc.constantFrom(30 * 60_000, 7 * HOUR, DAY),
  fc.uniqueArray(localTime, { minLength: 1, maxLength: 12 }).map((moments) => ({ moments: moments.sort() })),
);
const anySchedule = fc.tuple(rhythm, bounds).map(([what, { run, delayMs, gap, fold, ...rest }]) => {
  const common = {
    ...rest,
    catchup: { kind: 'all', order: 'oldest_first' } as const,
    ...(run === 'at_start' ? { run: 'at_start' as const } : {}),
    ...(delayMs === 0 ? {} : { delayMs }),
  };
  if (typeof what === 'number') return { kind: 'every', everyMs: what, ...common } as TimedSchedule;
  if (Array.isArray(what)) return { kind: 'cron', cron: what, gap, fold, ...common } as TimedSchedule;
  return { kind: 'at', moments: what.moments, gap, fold, ...common } as TimedSchedule;
});
const anyInstant = fc.integer({ min: FIRST, max: LAST });

/** Looks at these instants, in this order, and takes over what is due as the engine does. */
function lookAt(
  schedule: Schedule,
  activatedAt: Date,
  looks: readonly { at: number; limit: number }[],
): { created: Interval[]; early: Interval[] } {
  const [created, early]: [Interval[], Interval[]] = [[], []];
  let lastEnd: Date | null = null;
  for (const { at, limit } of looks) {
    const now = new Date(at);
    const due: Interval[] = dueIntervals({ schedule, activatedAt, lastEnd, now, limit });
    for (const each of due) {
      created.push(each);
      if (creationOf(schedule, each) > now) early.push(each);
      if (lastEnd === null || each.end > lastEnd) lastEnd = each.end;
    }
  }
  return { created, early };
}

describe('whatever the schedule', () => {
  test('fires go forward, none comes twice, and the last one up to a fire is that fire', () => {
    fc.assert(
      fc.property(anySchedule, anyInstant, (schedule, activatedAt) => {
        const fires = firesOf(schedule, activatedAt);
        let count = 0;
        for (let at = FIRST - 3 * DAY; count < 2_000; count += 1) {
          const next = fires.next(at);
          if (next === null || next > LAST) break;
          const back = [fires.lastUpTo(next), count === 0 ? at : fires.lastUpTo(next - 1)];
          if (next <= at || back[0] !== next || back[1] !== at) throw new Error(`after ${at}: ${next}, back: ${back}`);
          at = next;
        }
        expect(count).toBeLessThan(2_000);
      }),
      { numRuns: 100 },
    );
  });

  test('every interval is due once and not before its time, in whatever order and however often one looks', () => {
    const looks = fc.array(fc.record({ at: anyInstant, limit: fc.integer({ min: 1, max: 40 }) }), { maxLength: 12 });
    fc.assert(
      fc.property(anySchedule, anyInstant, looks, (schedule, activated, some) => {
        const activatedAt = new Date(activated);
        // At the end until nothing is left: a look is limited.
        const rest = Array.from({ length: 40 }, () => ({ at: LAST, limit: 40 }));
        const { created, early } = lookAt(schedule, activatedAt, [...some, ...rest]);
        expect(early).toEqual([]);
        const all = intervalsBetween(schedule, activatedAt, new Date(FIRST - 5 * DAY), new Date(LAST + 1), 10_000);
        const expected = all.filter((each) => {
          const reached = schedule.run === 'at_start' ? each.start : each.end;
          return creationOf(schedule, each).getTime() <= LAST && (schedule.start !== null || reached >= activatedAt);
        });
        expect(created).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test('without catchup no interval is due twice, and what is due is the latest', () => {
    const looks = fc.array(fc.record({ at: anyInstant, limit: fc.constant(9) }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(anySchedule, anyInstant, looks, (timed, activated, some) => {
        const schedule: TimedSchedule = { ...timed, catchup: { kind: 'none' } };
        const activatedAt = new Date(activated);
        const { created, early } = lookAt(schedule, activatedAt, some);
        expect(early).toEqual([]);
        const starts = created.map(({ start }) => start.getTime());
        expect(starts).toEqual([...new Set(starts)].sort((a, b) => a - b));
        for (const { end } of created)
          expect(intervalsBetween(schedule, activatedAt, end, new Date(LAST), 1)[0]?.start ?? end).toEqual(end);
        const latest = created.at(-1);
        const [next] = latest ? intervalsBetween(schedule, activatedAt, latest.end, new Date(LAST), 1) : [];
        if (next) expect(creationOf(schedule, next).getTime()).toBeGreaterThan(Math.max(...some.map(({ at }) => at)));
      }),
      { numRuns: 200 },
    );
  });

  test('the next interval is the first that a look finds due', () => {
    fc.assert(
      fc.property(anySchedule, anyInstant, anyInstant, (schedule, activated, from) => {
        const activatedAt = new Date(activated);
        const [next] = nextIntervals(schedule, activatedAt, new Date(from), 1);
        if (next === undefined) return;
        const creation = creationOf(schedule, next);
        expect(creation.getTime()).toBeGreaterThan(from);
        const due = (at: number): Interval[] =>
          dueIntervals({ schedule, activatedAt, lastEnd: next.start, now: new Date(at), limit: 1 });
        expect(due(creation.getTime() - 1)).toEqual([]);
        expect(due(creation.getTime())).toEqual([next]);
      }),
      { numRuns: 200 },
    );
  });
});

test('a moment of a list is where the clocks show it', () => {
  fc.assert(
    fc.property(localTime, zone, fc.constantFrom('first', 'second', 'both'), (moment, timezone, fold) => {
      const local = Date.parse(`${moment}Z`) / 60_000;
      const changes = changesOf(timezone, FIRST / 60_000 - 2880, LAST / 60_000 + 2880, 1);
      // Every minute around it is asked what its clocks show.
      const shown = Array.from({ length: 2880 }, (_, index) => local - 1440 + index).filter(
        (minute) => minute + (changes.findLast((change) => change.minute <= minute)?.offset ?? 0) === local,
      );
      const chosen = fold === 'both' ? shown : fold === 'first' ? shown.slice(0, 1) : shown.slice(-1);
      const common = { timezone, start: null, end: null, catchup: { kind: 'none' }, run: 'at_start' } as const;
      const fires = firesOf({ kind: 'at', moments: [moment], gap: 'skip', fold, ...common }, 0);
      const found: number[] = [];
      for (let at = fires.next(0); at !== null; at = fires.next(at)) found.push(at / 60_000);
      // The last one closes the list.
      expect(found.slice(0, -1)).toEqual(chosen);
    }),
    { numRuns: 300 },
  );
});
