import { DateTime } from 'luxon';
import { durationMs, durationText } from '../source/duration.ts';
import { quote } from '../source/quote.ts';
import { parseCron } from '../time/cron.ts';
import { isTimeZone } from '../time/zone.ts';
import type { AirflowDag } from './airflow-dag.ts';
import { momentOf } from './read-timetable.ts';
import type { Place, Report } from './report.ts';
import { TypedValue } from './typed-value.ts';

/** The value of `schedule:`; undefined: manual, and whatever could not be kept is reported. */
export function toSchedule(dag: AirflowDag, report: Report): Record<string, unknown> | string | undefined {
  const { schedule, schedulePlace: place } = dag;
  const bounds = boundsOf(dag, report);
  switch (schedule.kind) {
    case 'none':
      return undefined;
    case 'other':
      report.lost(place, `The schedule ${schedule.what}: the pipeline is manual.`, schedule.hint);
      return undefined;
    case 'at': {
      const message = `The schedule is a list of ${schedule.moments.length} times: the pipeline is manual.`;
      report.lost(place, message, 'Use `cron`, or start the runs by hand.');
      return undefined;
    }
    case 'every': {
      const every = durationOf(schedule.seconds, 10);
      if (every === null) {
        report.lost(
          place,
          `The schedule repeats every ${schedule.seconds} s: the pipeline is manual.`,
          'Write at least 10s.',
        );
        return undefined;
      }
      if (schedule.run === 'start') noteStart(place, report);
      return { every, ...bounds };
    }
    case 'cron': {
      const [cron = '', ...more] = schedule.crons;
      const parsed = parseCron(cron);
      if (!parsed.ok) {
        report.lost(
          place,
          `The cron ${quote(cron)} cannot be read: ${parsed.message}. The pipeline is manual.`,
          parsed.hint,
        );
        return undefined;
      }
      if (more.length > 0)
        report.lost(
          place,
          `Of ${schedule.crons.length} crons only ${quote(cron)} is kept.`,
          'Write one cron that has all times.',
        );
      if (schedule.run === 'start') noteStart(place, report);
      return { cron, ...bounds };
    }
  }
}

function noteStart(place: Place, report: Report): void {
  report.changed(
    place,
    'Runs start at the same times, but each is about the interval that ended then: ds is one fire earlier.',
    'Use $DATA_INTERVAL_END where the time of the fire is meant.',
  );
}

function boundsOf(dag: AirflowDag, report: Report): Record<string, unknown> {
  const { args, schedule } = dag;
  const own = schedule.kind === 'cron' ? schedule.timezone : null;
  const written = own ?? dag.timezone ?? 'UTC';
  const timezone = isTimeZone(written) ? written : 'UTC';
  if (timezone !== written)
    report.lost(dag.schedulePlace, `There is no time zone ${quote(written)}.`, 'Write its IANA name.');
  const bounds: Record<string, unknown> = {};
  if (timezone !== 'UTC') bounds.timezone = timezone;
  for (const [key, name] of [
    ['start_date', 'start'],
    ['end_date', 'end'],
  ] as const) {
    const value = args.take(key);
    if (value === undefined) continue;
    const local = localTime(value, timezone);
    if (local !== null) bounds[name] = local;
    else if (schedule.kind !== 'none')
      report.lost(
        args.placeOf(key),
        `${key} is no fixed time.`,
        'Write `start: 2026-01-31`; without it the schedule begins when it is activated.',
      );
  }
  const catchup = args.yes('catchup');
  // Without a start there is nothing that was missed before the schedule was activated.
  if (catchup && bounds.start !== undefined) bounds.catchup = true;
  return bounds;
}

/** An instant, or the face of a clock in the schedule's own zone, as `2026-01-31` or `2026-01-31T06:00`. */
function localTime(value: unknown, timezone: string): string | null {
  const isInstant = typeof value === 'number' || (value instanceof TypedValue && value.type === 'datetime');
  const time = isInstant
    ? DateTime.fromISO(momentOf(value) ?? '', { zone: timezone })
    : // dag-factory takes the face of the clock, whatever zone stands behind it.
      DateTime.fromISO(String(value).trim().replace(' ', 'T'), { setZone: true });
  if (!time.isValid || time.year < 1970 || time.year > 9999) return null;
  const text = time.toFormat(time.second === 0 ? "yyyy-MM-dd'T'HH:mm" : "yyyy-MM-dd'T'HH:mm:ss");
  return text.endsWith('T00:00') ? text.slice(0, 10) : text;
}

/** Seconds as a duration; null: less than `least`, or longer than Sluice allows. */
export function durationOf(seconds: number, least = 0.001): string | null {
  const text = durationText(Math.round(seconds * 1_000));
  return seconds < least || durationMs(text) === null ? null : text;
}
