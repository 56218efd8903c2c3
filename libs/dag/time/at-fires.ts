import type { Schedule } from '#core';
import type { Fires } from './fires.ts';
import { firstAtLeast } from './first-at-least.ts';
import { instantOfLocal, instantsOfLocal, localOf } from './zone.ts';

type AtSchedule = Extract<Schedule, { kind: 'at' }>;

const DAY = 86_400_000;

/**
 * The moments of a list, and the instant that closes it, so that every moment has an interval of its own. A run at the
 * end of the interval needs one before the first: `start`, or else a day earlier on the clock. A run at the beginning
 * needs one after the last: a day later.
 */
export function atFires(schedule: AtSchedule, start: number | null): Fires {
  const { timezone, moments } = schedule;
  const [first, last] = [moments[0], moments[moments.length - 1]];
  if (first === undefined || last === undefined) return { next: () => null, lastUpTo: () => null };
  const closing =
    schedule.run === 'at_start'
      ? instantOfLocal(timezone, localOf(last) + DAY)
      : (start ?? instantOfLocal(timezone, localOf(first) - DAY));
  const all = moments.flatMap((moment) => instantsAt(schedule, localOf(moment)));
  const fires = [...new Set([...all, closing])].sort((a, b) => a - b);
  return {
    next: (instant) => fires[firstAtLeast(fires, instant + 1)] ?? null,
    lastUpTo: (instant) => fires[firstAtLeast(fires, instant + 1) - 1] ?? null,
  };
}

function instantsAt({ timezone, gap, fold }: AtSchedule, local: number): number[] {
  const shown = instantsOfLocal(timezone, local);
  if (shown.length === 0) return gap === 'next' ? [instantOfLocal(timezone, local)] : [];
  return fold === 'both' ? shown : fold === 'first' ? shown.slice(0, 1) : shown.slice(-1);
}
