import type { Schedule } from '#core';
import { atFires } from './at-fires.ts';
import { cronFires } from './cron-fires.ts';
import { instantOfLocal, localOf } from './zone.ts';

/** The instants of a schedule, in milliseconds. Only walked forward. */
export interface Fires {
  /** First fire strictly after `instant`; null if there is none. */
  next(instant: number): number | null;
  /** Last fire at or before `instant`; null if there is none. */
  lastUpTo(instant: number): number | null;
}

export type TimedSchedule = Exclude<Schedule, { kind: 'manual' }>;

/** Fires of a schedule, without its `start` and `end`. `activatedAt` is the anchor of `every` when there is no `start`. */
export function firesOf(schedule: TimedSchedule, activatedAt: number): Fires {
  if (schedule.kind === 'every') return everyFires(boundOf(schedule, 'start') ?? activatedAt, schedule.everyMs);
  let fires = known.get(schedule);
  if (fires === undefined) {
    fires =
      schedule.kind === 'at'
        ? atFires(schedule, boundOf(schedule, 'start'))
        : merged([schedule.cron].flat().map((cron) => cronFires(cron, schedule)));
    known.set(schedule, fires);
  }
  return fires;
}

/** `start` or `end` as an instant; a date without a time means its first instant for `start`, its last for `end`. */
export function boundOf(schedule: TimedSchedule, which: 'start' | 'end'): number | null {
  const text = schedule[which];
  if (text === null) return null;
  const isWholeDay = which === 'end' && text.length === 10;
  return isWholeDay
    ? instantOfLocal(schedule.timezone, localOf(text) + 86_400_000) - 1
    : instantOfLocal(schedule.timezone, localOf(text));
}

const known = new WeakMap<TimedSchedule, Fires>();

function everyFires(anchor: number, everyMs: number): Fires {
  const lastUpTo = (instant: number): number => anchor + Math.floor((instant - anchor) / everyMs) * everyMs;
  return { lastUpTo, next: (instant) => lastUpTo(instant) + everyMs };
}

/** All fires of all of them; those that coincide are one. */
function merged(all: readonly Fires[]): Fires {
  const [only] = all;
  if (only !== undefined && all.length === 1) return only;
  const best = (found: readonly (number | null)[], pick: (...values: number[]) => number): number | null => {
    const some = found.filter((fire) => fire !== null);
    return some.length === 0 ? null : pick(...some);
  };
  return {
    next: (instant) =>
      best(
        all.map((fires) => fires.next(instant)),
        Math.min,
      ),
    lastUpTo: (instant) =>
      best(
        all.map((fires) => fires.lastUpTo(instant)),
        Math.max,
      ),
  };
}
