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
 * Intervals whose runs are due: they were reached at or before `now`, end after `lastEnd`, and the catchup rule wants
 * them. An interval is reached when it ends, or with `run: at_start` when it begins, and a pipeline's share of `jitter`
 * later. Without `lastEnd`, a schedule with `start` begins at its first fire from `start` on; one without begins with
 * the interval whose end (beginning) comes first at or after `activatedAt`. With catchup `none` that is at most one, the
 * latest.
 *
 * In the order of creation. When more than `limit` are due the oldest `limit` are returned whatever the order, so that
 * the greatest end in the result is always a safe `lastEnd` for the next call.
 */
export function dueIntervals(input: DueInput): Interval[] {
  const { schedule, activatedAt, lastEnd, now, limit } = input;
  if (schedule.kind === 'manual' || limit < 1) return [];
  const fires = firesOf(schedule, activatedAt.getTime());
  const bounds = boundsOf(schedule);
  const reach = now.getTime() - (schedule.delayMs ?? 0);
  const wanted = lastEnd === null ? firstWanted(schedule, bounds, activatedAt) : { bounds, after: lastEnd.getTime() };
  // Nearly every call ends here: between two fires nothing is due.
  const soonestEnd = fires.next(wanted.after);
  if (soonestEnd === null || (!runsAtStart(schedule) && soonestEnd > reach)) return [];
  if (schedule.catchup.kind === 'none') {
    const latest = latestReached(fires, wanted.bounds, reach, schedule);
    return latest !== null && latest.end.getTime() > wanted.after ? [latest] : [];
  }
  const { bounds: within, after } =
    schedule.catchup.kind === 'bounded' ? noOlderThan(reach - schedule.catchup.maxAgeMs, wanted, schedule) : wanted;
  const due = take(endingAfter(fires, within, after), limit, (each) => reachedAt(schedule, each) <= reach);
  return schedule.catchup.order === 'newest_first' ? due.reverse() : due;
}

/** When the run of an interval is created, if nothing holds it up. */
export function creationOf(schedule: Schedule, interval: Interval): Date {
  if (schedule.kind === 'manual') return interval.end;
  return new Date(reachedAt(schedule, interval) + (schedule.delayMs ?? 0));
}

/** The next intervals to come: those whose runs are created after `after` (and that are reached after activation). */
export function nextIntervals(schedule: Schedule, activatedAt: Date, after: Date, limit: number): Interval[] {
  if (schedule.kind === 'manual') return [];
  const fires = firesOf(schedule, activatedAt.getTime());
  const bounds = boundsOf(schedule);
  const first = bounds.start === -Infinity ? activatedAt.getTime() : -Infinity;
  const wanted = noOlderThan(
    Math.max(after.getTime() - (schedule.delayMs ?? 0) + 1, first),
    { bounds, after: -Infinity },
    schedule,
  );
  return take(endingAfter(fires, wanted.bounds, wanted.after), limit, () => true);
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

/** Intervals within the bounds that end after an instant. */
interface Wanted {
  readonly bounds: Bounds;
  readonly after: number;
}

function runsAtStart(schedule: TimedSchedule): boolean {
  return schedule.run === 'at_start';
}

function reachedAt(schedule: TimedSchedule, { start, end }: Interval): number {
  return (runsAtStart(schedule) ? start : end).getTime();
}

function firstWanted(schedule: TimedSchedule, bounds: Bounds, activatedAt: Date): Wanted {
  if (bounds.start > -Infinity) return { bounds, after: bounds.start };
  return noOlderThan(activatedAt.getTime(), { bounds, after: -Infinity }, schedule);
}

/** Leaves out what was reached before `instant`. */
function noOlderThan(instant: number, { bounds, after }: Wanted, schedule: TimedSchedule): Wanted {
  return runsAtStart(schedule)
    ? { bounds: { start: Math.max(bounds.start, instant), end: bounds.end }, after: Math.max(after, instant) }
    : { bounds, after: Math.max(after, instant - 1) };
}

function latestReached(fires: Fires, bounds: Bounds, reach: number, schedule: TimedSchedule): Interval | null {
  return runsAtStart(schedule) ? latestBegun(fires, bounds, reach) : latestComplete(fires, bounds, reach);
}

function latestBegun(fires: Fires, bounds: Bounds, now: number): Interval | null {
  let start = fires.lastUpTo(Math.min(now, bounds.end));
  // The fire that closes a list begins nothing.
  if (start !== null && fires.next(start) === null) start = fires.lastUpTo(start - 1);
  const end = start === null ? null : fires.next(start);
  return start === null || end === null || start < bounds.start ? null : interval(start, end);
}

function latestComplete(fires: Fires, bounds: Bounds, now: number): Interval | null {
  const lastFire = fires.lastUpTo(now);
  return lastFire === null ? null : latestBegun(fires, bounds, lastFire - 1);
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
