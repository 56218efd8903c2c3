import type { AirflowSchedule, RunAt } from './airflow-dag.ts';
import { conditionOf } from './assets.ts';
import { isMap, secondsOf, textOf, TypedValue } from './typed-value.ts';

/** Which Airflow a file was written for: it decides what a plain cron means, and whether silence means to catch up. */
export type AirflowVersion = 2 | 3;

/** What `schedule` (once `schedule_interval`) says. */
export function scheduleOf(value: unknown, version: AirflowVersion): AirflowSchedule {
  const run: RunAt = version === 2 ? 'end' : 'start';
  if (value === undefined || value === null) return { kind: 'none' };
  if (typeof value === 'string') return presetOr(value.trim(), run);
  if (value instanceof TypedValue) {
    if (value.type === 'timedelta' || value.type === 'relativedelta') return deltaOf(value, run);
    if (/^(asset|dataset)s?(_?(all|any))?$/i.test(value.type.split('.').at(-1) ?? ''))
      return { kind: 'assets', condition: conditionOf(value), time: null };
    return timetableOf(value.type, value.members);
  }
  if (Array.isArray(value) || isMap(value)) return { kind: 'assets', condition: conditionOf(value), time: null };
  return { kind: 'other', what: 'is not a schedule', hint: 'Write `schedule: { cron: … }`.' };
}

/** A timetable by its class, with the members that Airflow serializes or takes as arguments. */
export function timetableOf(type: string, members: Readonly<Record<string, unknown>>): AirflowSchedule {
  const name = type.split('.').at(-1) ?? '';
  const run: RunAt = name.includes('Trigger') && (secondsOf(members.interval) ?? 0) === 0 ? 'start' : 'end';
  const timezone = typeof members.timezone === 'string' ? members.timezone : null;
  switch (name) {
    case 'NullTimetable':
      return { kind: 'none' };
    case 'OnceTimetable':
    case 'ContinuousTimetable':
      return presetOr(name === 'OnceTimetable' ? '@once' : '@continuous', run);
    case 'CronDataIntervalTimetable':
    case 'CronTriggerTimetable':
    case 'MultipleCronTriggerTimetable': {
      const crons = [members.expression, members.cron, members.expressions, members.crons, members.args]
        .flat()
        .filter((cron): cron is string => typeof cron === 'string');
      if (crons.length > 0) return { kind: 'cron', crons, timezone, run };
      break;
    }
    case 'DeltaDataIntervalTimetable':
    case 'DeltaTriggerTimetable':
      return deltaOf(members.delta, run);
    case 'EventsTimetable': {
      const dates = Array.isArray(members.event_dates) ? members.event_dates : [];
      return { kind: 'at', moments: dates.map((date) => momentOf(date)).filter((date) => date !== null) };
    }
    case 'AssetTriggeredTimetable':
    case 'DatasetTriggeredTimetable':
    case 'AssetOrTimeSchedule':
    case 'DatasetOrTimeSchedule': {
      const { asset_condition: assets, dataset_condition: datasets, assets: list, datasets: old } = members;
      const condition = conditionOf(assets ?? datasets ?? list ?? old);
      return { kind: 'assets', condition, time: members.timetable === undefined ? null : innerOf(members.timetable) };
    }
    default:
  }
  const hint = 'Write the times as `cron` or `every`.';
  return { kind: 'other', what: `is the timetable ${name.slice(0, 80)}`, hint };
}

function innerOf(timetable: unknown): AirflowSchedule | null {
  const { __type: type, __var: members } = isMap(timetable) ? timetable : {};
  if (timetable instanceof TypedValue) return timetableOf(timetable.type, timetable.members);
  return typeof type === 'string' ? timetableOf(type, isMap(members) ? members : {}) : null;
}

/** An instant as Airflow writes it, ISO 8601 in UTC; null when it is none. */
export function momentOf(value: unknown): string | null {
  if (value instanceof TypedValue && value.type === 'datetime') return momentOf(value.members.instant);
  const date = typeof value === 'number' ? new Date(value * 1_000) : new Date(textOf(value).replace(' ', 'T'));
  return value === null || Number.isNaN(date.getTime()) ? null : date.toISOString();
}

function presetOr(text: string, run: RunAt): AirflowSchedule {
  switch (text.toLowerCase()) {
    case '':
    case 'none':
    case '@none':
      return { kind: 'none' };
    case '@once':
      return { kind: 'other', what: 'is @once', hint: 'Start its one run by hand: `sluice run NAME`.' };
    case '@continuous': {
      const hint = 'Use `every: 1m` with `max_active_runs: 1` and `overlap: skip`.';
      return { kind: 'other', what: 'is @continuous', hint };
    }
    default:
      return { kind: 'cron', crons: [text], timezone: null, run };
  }
}

function deltaOf(value: unknown, run: RunAt): AirflowSchedule {
  const seconds = secondsOf(value);
  if (seconds !== null) return { kind: 'every', seconds, run };
  const members = value instanceof TypedValue ? value.members : isMap(value) ? value : {};
  const set = Object.entries(members).filter(([, count]) => typeof count === 'number' && count !== 0);
  const [unit, count] = set[0] ?? [];
  // A calendar month or year from the start: as a cron it begins with the month, which is what nearly everybody means.
  if (set.length === 1 && count === 1 && (unit === 'months' || unit === 'years'))
    return { kind: 'cron', crons: [unit === 'months' ? '@monthly' : '@yearly'], timezone: null, run };
  const inDays = set.length > 0 && set.every(([key]) => key in IN_SECONDS);
  if (inDays)
    return { kind: 'every', seconds: set.reduce((sum, [key, n]) => sum + (IN_SECONDS[key] ?? 0) * Number(n), 0), run };
  return { kind: 'other', what: 'is a span of months or years', hint: 'Write it as `cron`.' };
}

const IN_SECONDS: Readonly<Record<string, number>> = {
  weeks: 604_800,
  days: 86_400,
  hours: 3_600,
  minutes: 60,
  seconds: 1,
};
