import type { Schedule } from '#core';
import type { Compiling } from '../compile/compiling.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import { instantOfLocal, localOf } from '../time/zone.ts';

/** An instant as a test file writes it: without an offset, what the clocks of the schedule's zone show. Null, with a problem, for no time at all. */
export function instantIn(schedule: Schedule, text: string, path: Path, compiling: Compiling): Date | null {
  const hasOffset = /(Z|[+-]\d{2}:\d{2})$/.test(text) && text.includes('T');
  const zone = schedule.kind === 'manual' ? 'UTC' : schedule.timezone;
  const instant = hasOffset ? Date.parse(text) : localOf(text);
  // `Date` takes February 30th for March 2nd.
  const day = new Date(Date.parse(`${text.slice(0, 10)}T00:00:00Z`));
  if (Number.isNaN(instant) || Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== text.slice(0, 10)) {
    compiling.at(path, `${quote(text)} is no time.`, 'Write 2026-01-31 or 2026-01-31T06:00Z.');
    return null;
  }
  return new Date(hasOffset ? instant : instantOfLocal(zone, instant));
}
