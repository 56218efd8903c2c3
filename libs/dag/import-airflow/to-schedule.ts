import { DateTime } from 'luxon';
import { durationMs, durationText } from '../source/duration.ts';
import { quote } from '../source/quote.ts';
import { parseCron } from '../time/cron.ts';
import { isTimeZone } from '../time/zone.ts';
import type { AirflowDag, AirflowSchedule, RunAt } from './airflow-dag.ts';
import type { Project } from './project.ts';
import { momentOf } from './read-timetable.ts';
import type { Place, Report } from './report.ts';
import { toDatasets } from './to-datasets.ts';
import { textOf, TypedValue } from './typed-value.ts';

/** The value of `schedule:`; undefined: manual, and whatever could not be kept is reported. */
export function toSchedule(
  dag: AirflowDag,
  report: Report,
  project: Project,
): Record<string, unknown> | string | undefined {
  const { schedule, schedulePlace: place } = dag;
  if (schedule.kind === 'assets') return assetSchedule(dag, schedule, report, project);
  const bounds = boundsOf(dag, report);
  if (isNever(bounds)) {
    report.lost(
      dag.args.placeOf('end_date'),
      `The DAG ends (${bounds.end}) before it begins (${bounds.start}), so that its schedule never fires: the pipeline is manual.`,
      'Delete end_date, or write it after start_date.',
    );
    return undefined;
  }
  switch (schedule.kind) {
    case 'none':
      return undefined;
    case 'other':
      report.lost(place, `The schedule ${schedule.what}: the pipeline is manual.`, schedule.hint);
      return undefined;
    case 'at':
      return atSchedule(schedule.moments, bounds, place, report);
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
      return { every, ...bounds, ...runOf(schedule.run, place, report) };
    }
    case 'cron': {
      const crons = [...new Set(schedule.crons)].filter((cron) => isRead(cron, place, report));
      if (crons.length === 0) return undefined;
      const [first, ...more] = crons;
      return { cron: more.length === 0 ? first : crons, ...bounds, ...runOf(schedule.run, place, report) };
    }
  }
}

function assetSchedule(
  dag: AirflowDag,
  { condition, time }: Extract<AirflowSchedule, { kind: 'assets' }>,
  report: Report,
  project: Project,
): Record<string, unknown> | undefined {
  const datasets = toDatasets(condition, dag, report, project);
  const timed = time === null ? undefined : toSchedule({ ...dag, schedule: time }, report, project);
  // Data comes when it comes: without a time there is nothing for these to bound.
  if (time === null) for (const key of ['start_date', 'end_date', 'catchup']) dag.args.take(key);
  if (datasets === null) return typeof timed === 'object' ? timed : undefined;
  return {
    ...(typeof timed === 'object' ? timed : {}),
    datasets: typeof datasets === 'string' ? [datasets] : datasets,
  };
}

function isRead(cron: string, place: Place, report: Report): boolean {
  const parsed = parseCron(cron);
  if (!parsed.ok)
    report.lost(place, `The cron ${quote(cron)} cannot be read, and is left out: ${parsed.message}.`, parsed.hint);
  return parsed.ok;
}

/** More than a file may name. */
const MOST_MOMENTS = 1000;

function atSchedule(
  moments: readonly string[],
  bounds: Bounds,
  place: Place,
  report: Report,
): Record<string, unknown> | undefined {
  const zone = bounds.timezone ?? 'UTC';
  const at = moments.flatMap((moment) => faceAt(DateTime.fromISO(moment, { zone })) ?? []);
  if (at.length > 0 && at.length <= MOST_MOMENTS) return { at, ...bounds, ...runOf('start', place, report) };
  report.lost(
    place,
    `The schedule is a list of ${at.length} times: the pipeline is manual.`,
    `A list has 1 to ${MOST_MOMENTS} times; use \`cron\`, or start the runs by hand.`,
  );
  return undefined;
}

function runOf(run: RunAt, place: Place, report: Report): { run?: 'at_start' } {
  if (run === 'end') return {};
  report.changed(
    place,
    'Runs start at their fires, and ds is that of the fire; the interval goes on to the next fire, where Airflow has an empty one.',
    'Use $DATA_INTERVAL_START where the time of the fire is meant.',
  );
  return { run: 'at_start' };
}

interface Bounds {
  timezone?: string;
  start?: string;
  end?: string;
  catchup?: true;
}

/** The texts of moments have their order. */
function isNever({ start, end }: Bounds): boolean {
  return start !== undefined && end !== undefined && end < start;
}

function boundsOf(dag: AirflowDag, report: Report): Bounds {
  const { args, schedule } = dag;
  const own = schedule.kind === 'cron' ? schedule.timezone : null;
  const written = own ?? dag.timezone ?? 'UTC';
  const timezone = isTimeZone(written) ? written : 'UTC';
  if (timezone !== written)
    report.lost(dag.schedulePlace, `There is no time zone ${quote(written)}.`, 'Write its IANA name.');
  const bounds: Bounds = {};
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
      DateTime.fromISO(textOf(value).trim().replace(' ', 'T'), { setZone: true });
  return faceAt(time);
}

function faceAt(time: DateTime): string | null {
  if (!time.isValid || time.year < 1970 || time.year > 9999) return null;
  const text = time.toFormat(time.second === 0 ? "yyyy-MM-dd'T'HH:mm" : "yyyy-MM-dd'T'HH:mm:ss");
  return text.endsWith('T00:00') ? text.slice(0, 10) : text;
}

/** Seconds as a duration; null: less than `least`, or longer than Sluice allows. */
export function durationOf(seconds: number, least = 0.001): string | null {
  const text = durationText(Math.round(seconds * 1_000));
  return seconds < least || durationMs(text) === null ? null : text;
}
