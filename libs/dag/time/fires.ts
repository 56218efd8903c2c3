import type { Schedule } from '#core';
import { SluiceError } from '#core';
import { parseCron, type Cron } from './cron.ts';
import { instantOfLocal, segmentAt, type Segment } from './zone.ts';

/** The instants of a schedule, in milliseconds. Only walked forward. */
export interface Fires {
  /** First fire strictly after `instant`; null if there is none. */
  next(instant: number): number | null;
  /** Last fire at or before `instant`; null if there is none. */
  lastUpTo(instant: number): number | null;
}

export type TimedSchedule = Exclude<Schedule, { kind: 'manual' }>;
type CronSchedule = Extract<Schedule, { kind: 'cron' }>;

const MINUTE = 60_000;
const DAY = 86_400_000;
/** End of the last segment of a zone without changes. */
const FAR = 8.64e15;
const FURTHEST_LOOK_BACK_MS = 13 * 366 * 86_400_000;

/** Fires of a schedule, without its `start` and `end`. `activatedAt` is the anchor of `every` when there is no `start`. */
export function firesOf(schedule: TimedSchedule, activatedAt: number): Fires {
  if (schedule.kind === 'every') return everyFires(boundOf(schedule, 'start') ?? activatedAt, schedule.everyMs);
  let fires = cronCache.get(schedule);
  if (fires === undefined) cronCache.set(schedule, (fires = cronFires(schedule)));
  return fires;
}

/** `start` or `end` as an instant; a date without a time means its first instant for `start`, its last for `end`. */
export function boundOf(schedule: TimedSchedule, which: 'start' | 'end'): number | null {
  const text = schedule[which];
  if (text === null) return null;
  const dateOnly = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const local = Date.parse(dateOnly ? `${text}T00:00:00Z` : `${text}Z`);
  return which === 'end' && dateOnly
    ? instantOfLocal(schedule.timezone, local + 86_400_000) - 1
    : instantOfLocal(schedule.timezone, local);
}

const cronCache = new WeakMap<CronSchedule, Fires>();

function everyFires(anchor: number, everyMs: number): Fires {
  const lastUpTo = (instant: number): number => anchor + Math.floor((instant - anchor) / everyMs) * everyMs;
  return { lastUpTo, next: (instant) => lastUpTo(instant) + everyMs };
}

function cronFires(schedule: CronSchedule): Fires {
  const parsed = parseCron(schedule.cron);
  if (!parsed.ok) throw new SluiceError('invalid_config', `Cron ${parsed.message}.`, { hint: parsed.hint });
  const { cron } = parsed;
  const next = (instant: number): number | null => nextCronFire(cron, schedule, instant);
  return { next, lastUpTo: (instant) => lookBack(next, cron.typicalGapMs, instant) };
}

/**
 * Within a segment the offset is constant, so local matches map one to one to instants. What is left are the borders:
 * a gap fires a fixed cron at its end, a fold shows the same local times in both segments.
 */
function nextCronFire(cron: Cron, schedule: CronSchedule, instant: number): number | null {
  const zone = schedule.timezone;
  let from = instant + 1;
  let segment = segmentAt(zone, from);
  for (;;) {
    let local = cron.nextMatch(from + segment.offset);
    while (local !== null && local - segment.offset < segment.end) {
      if (!cron.fixed || isChosenInFold(zone, segment, local, schedule.fold)) return local - segment.offset;
      local = cron.nextMatch(local + MINUTE);
    }
    if (local === null) return null;
    const following = segmentAt(zone, segment.end);
    const insideGap = local < segment.end + following.offset;
    if (insideGap && cron.fixed && schedule.gap === 'next') return segment.end;
    from = segment.end;
    segment = following;
  }
}

function isChosenInFold(zone: string, segment: Segment, local: number, fold: CronSchedule['fold']): boolean {
  const instant = local - segment.offset;
  if (fold === 'first') return instantOfLocal(zone, local) === instant;
  return fold === 'both' || !isShownAgain(zone, segment, local);
}

function isShownAgain(zone: string, segment: Segment, local: number): boolean {
  // Clocks go back by less than a day, so no segment that begins later can show the same time.
  for (let from = segment.end; from < FAR && from - segment.end < DAY;) {
    const later = segmentAt(zone, from);
    if (local >= later.start + later.offset && local < later.end + later.offset) return true;
    from = later.end;
  }
  return false;
}

/** Walks forward from ever further back: a cron has no memory, so where the walk begins does not matter. */
function lookBack(next: (instant: number) => number | null, gapMs: number, instant: number): number | null {
  for (let window = gapMs * 2; ; window *= 4) {
    let fire = next(instant - window);
    if (fire !== null && fire <= instant) {
      for (let later = next(fire); later !== null && later <= instant; later = next(later)) fire = later;
      return fire;
    }
    if (window > FURTHEST_LOOK_BACK_MS) return null;
  }
}
