import type { Schedule } from '#core';
import { boundOf, firesOf, type Fires, type TimedSchedule } from './fires.ts';
import { localTime } from './zone.ts';

/** Half-open data interval `[start, end)`. */
export interface Interval {
  readonly start: Date;
  readonly end: Date;
}

export interface DueInput {
  readonly schedule: Schedule;
  /** When the schedule was activated in this environment. */
  readonly activatedAt: Date;
  /** End of the last interval already handled; null: none was. */
  readonly lastEnd: Date | null;
  readonly now: Date;
  readonly limit: number;
}

/**
 * Intervals whose runs are due: they ended at or before `now`, after `lastEnd`, and the catchup rule wants them.
 * Without `lastEnd`, a schedule with `start` begins at its first fire from `start` on; one without begins with the
 * interval that ends first at or after `activatedAt`. With catchup `none` that is at most one, the latest.
 *
 * In the order of creation. When more than `limit` are due the oldest `limit` are returned whatever the order, so that
 * the greatest end in the result is always a safe `lastEnd` for the next call.
 */
export function dueIntervals(input: DueInput): Interval[] {
  const { schedule, activatedAt, lastEnd, now, limit } = input;
  if (schedule.kind === 'manual' || limit < 1) return [];
  const fires = firesOf(schedule, activatedAt.getTime());
  const bounds = boundsOf(schedule);
  const endsAfter =
    lastEnd !== null ? lastEnd.getTime() : bounds.start === -Infinity ? activatedAt.getTime() - 1 : bounds.start;
  // Nearly every call ends here: between two fires nothing is due.
  const soonest = fires.next(endsAfter);
  if (soonest === null || soonest > now.getTime()) return [];
  if (schedule.catchup.kind === 'none') {
    const latest = latestComplete(fires, bounds, now.getTime());
    return latest !== null && latest.end.getTime() > endsAfter ? [latest] : [];
  }
  const oldest =
    schedule.catchup.kind === 'bounded'
      ? Math.max(endsAfter, now.getTime() - schedule.catchup.maxAgeMs - 1)
      : endsAfter;
  const due = take(endingAfter(fires, bounds, oldest), limit, (interval) => interval.end <= now);
  return schedule.catchup.order === 'newest_first' ? due.reverse() : due;
}

/** The next intervals to come, each created at its end: those that end after `after` (and not before activation). */
export function nextIntervals(schedule: Schedule, activatedAt: Date, after: Date, limit: number): Interval[] {
  if (schedule.kind === 'manual') return [];
  const bounds = boundsOf(schedule);
  const earliest = bounds.start === -Infinity ? activatedAt.getTime() - 1 : -Infinity;
  const fires = firesOf(schedule, activatedAt.getTime());
  return take(endingAfter(fires, bounds, Math.max(after.getTime(), earliest)), limit, () => true);
}

/** The interval that holds `at`, also one before activation; null outside `start` and `end` and for manual schedules. */
export function intervalAt(schedule: Schedule, activatedAt: Date, at: Date): Interval | null {
  if (schedule.kind === 'manual') return null;
  const fires = firesOf(schedule, activatedAt.getTime());
  const [found] = take(endingAfter(fires, boundsOf(schedule), at.getTime()), 1, (interval) => interval.start <= at);
  return found ?? null;
}

/** The last `count` complete intervals, newest first; of a schedule that has ended, its last ones. None for manual schedules. */
export function latestIntervals(schedule: Schedule, now: Date, count: number): Interval[] {
  if (schedule.kind === 'manual') return [];
  const fires = firesOf(schedule, now.getTime());
  const bounds = boundsOf(schedule);
  const latest: Interval[] = [];
  for (let before = now.getTime(); latest.length < count;) {
    const found = latestComplete(fires, bounds, before);
    if (found === null) break;
    latest.push(found);
    before = found.start.getTime();
  }
  return latest;
}

/** Intervals that start in `[from, to)`, oldest first, also those before activation; at most `limit`. */
export function intervalsBetween(
  schedule: Schedule,
  activatedAt: Date,
  from: Date,
  to: Date,
  limit: number,
): Interval[] {
  if (schedule.kind === 'manual') return [];
  const bounds = boundsOf(schedule);
  const fires = firesOf(schedule, activatedAt.getTime());
  const narrowed = { start: Math.max(bounds.start, from.getTime()), end: bounds.end };
  return take(endingAfter(fires, narrowed, -Infinity), limit, (interval) => interval.start < to);
}

/** Local date of the interval's start in the schedule's zone: `2026-01-31`. Manual schedules count in UTC. */
export function ds(interval: Interval, schedule: Schedule): string {
  const zone = schedule.kind === 'manual' ? 'UTC' : schedule.timezone;
  return new Date(localTime(zone, interval.start.getTime())).toISOString().slice(0, 10);
}

/** Limits on an interval's start, both inclusive. */
interface Bounds {
  readonly start: number;
  readonly end: number;
}

function boundsOf(schedule: TimedSchedule): Bounds {
  return { start: boundOf(schedule, 'start') ?? -Infinity, end: boundOf(schedule, 'end') ?? Infinity };
}

function latestComplete(fires: Fires, bounds: Bounds, now: number): Interval | null {
  const lastFire = fires.lastUpTo(now);
  let start = lastFire === null ? null : fires.lastUpTo(lastFire - 1);
  if (start !== null && start > bounds.end) start = fires.lastUpTo(bounds.end);
  const end = start === null ? null : fires.next(start);
  return start === null || end === null || start < bounds.start ? null : interval(start, end);
}

function* endingAfter(fires: Fires, bounds: Bounds, instant: number): Generator<Interval> {
  const from = Math.max(instant, bounds.start);
  let start = from === bounds.start ? fires.next(from - 1) : (fires.lastUpTo(from) ?? fires.next(from));
  if (start !== null && start < bounds.start) start = fires.next(bounds.start - 1);
  while (start !== null && start <= bounds.end) {
    const end = fires.next(start);
    if (end === null) return;
    yield interval(start, end);
    start = end;
  }
}

function take(intervals: Iterable<Interval>, limit: number, wanted: (interval: Interval) => boolean): Interval[] {
  const taken: Interval[] = [];
  if (limit < 1) return taken;
  for (const candidate of intervals) {
    if (!wanted(candidate)) break;
    taken.push(candidate);
    if (taken.length === limit) break;
  }
  return taken;
}

function interval(start: number, end: number): Interval {
  return { start: new Date(start), end: new Date(end) };
}
