import { CronExpressionParser } from 'cron-parser';
import { firstAtLeast } from './first-at-least.ts';

/** The wall-clock side of a cron: which local minutes it names. Zones and clock changes are not its business. */
export interface Cron {
  /** Neither minute nor hour has `*` or `/`: it names times of day, not a rhythm. */
  readonly fixed: boolean;
  /** Rough mean distance of two fires in milliseconds; only a first guess for looking back. */
  readonly typicalGapMs: number;
  /** First named minute at or after `local` (wall-clock time as if it were UTC); null if there is none in twelve years. */
  nextMatch(local: number): number | null;
}

export type ParsedCron =
  | { readonly ok: true; readonly cron: Cron; readonly text: string }
  | { readonly ok: false; readonly message: string; readonly hint: string };

/** Names that stand for five fields. */
export const CRON_PRESETS: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@quarterly': '0 0 1 */3 *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@weekdays': '0 0 * * 1-5',
};

const FIELDS = ['minute', 'hour', 'day of month', 'month', 'day of week'] as const;
const RANGES = ['0-59', '0-23', '1-31 or L', '1-12 or jan-dec', '0-7 or sun-sat (0 and 7 are Sunday)'] as const;
const SPANS = [60, 24, 31, 12, 8] as const;
const DAY = 86_400_000;
const MINUTE = 60_000;
const HINT = 'Write five fields: minute hour day-of-month month day-of-week, for example "30 2 * * *".';

const cache = new Map<string, ParsedCron>();

/** Parses five fields or a preset; `text` of the result is always five fields. Results are cached by text. */
export function parseCron(text: string): ParsedCron {
  let parsed = cache.get(text);
  if (parsed === undefined) {
    parsed = readCron(text);
    // A server that lives for years sees many edited files; the working set is far below this.
    if (cache.size > 20_000) cache.clear();
    cache.set(text, parsed);
  }
  return parsed;
}

function readCron(text: string): ParsedCron {
  const refuse = (message: string, hint: string = HINT): ParsedCron => ({ ok: false, message, hint });
  const written = text.trim();
  if (written.startsWith('@') && !Object.hasOwn(CRON_PRESETS, written))
    return refuse(`"${written}" is not a preset`, `Presets: ${Object.keys(CRON_PRESETS).join(', ')}.`);
  const fields = (written.startsWith('@') ? (CRON_PRESETS[written] ?? written) : written).split(/\s+/);
  if (fields.length === 6)
    return refuse(
      `"${written}" has six fields; seconds are not supported`,
      `Leave out the first or last field. ${HINT}`,
    );
  if (fields.length !== 5)
    return refuse(`"${written}" has ${fields.length === 1 ? 'one field' : `${fields.length} fields`}; expected five`);
  for (const [index, field] of fields.entries()) {
    const fault = signsFault(field, index);
    if (fault !== null) return refuse(`the ${FIELDS[index]} "${field}" ${fault}`);
  }
  const five = fields.join(' ').toUpperCase();
  try {
    const cron = wallClock(five);
    // 1999 lets a cron for 29 February find the leap year 2000.
    if (cron.nextMatch(Date.UTC(1999, 0, 1)) === null)
      return refuse(`"${written}" never fires`, 'The day of month does not exist in any of the named months.');
    return { ok: true, cron, text: five };
  } catch {
    for (const [index, field] of fields.entries()) {
      const fault = valueFault(field, index);
      if (fault !== null) return refuse(`the ${FIELDS[index]} "${field}" ${fault}`);
    }
    return refuse(`"${written}" is not valid`);
  }
}

function expectedOf(index: number): string {
  return `is not valid; expected ${RANGES[index]}, as values (1,2), ranges (1-5) or steps (*/15)`;
}

/** What the library would take and Sluice does not. */
function signsFault(field: string, index: number): string | null {
  // H (a value chosen by hash) would differ from machine to machine; ? is another word for *.
  if (!/^[\w*,/#-]+$/.test(field) || /h/i.test(field.replace(/thu|mar/gi, ''))) return expectedOf(index);
  const step = /\/(\d+)/.exec(field);
  return step !== null && Number(step[1]) >= (SPANS[index] ?? 60) ? 'has a step wider than the field itself' : null;
}

function valueFault(field: string, index: number): string | null {
  try {
    CronExpressionParser.parse(FIELDS.map((_, other) => (other === index ? field : '*')).join(' '), { tz: 'UTC' });
    return null;
  } catch (error) {
    const isDuplicate = error instanceof Error && error.message.includes('duplicate');
    return isDuplicate ? 'names a value twice' : expectedOf(index);
  }
}

function wallClock(text: string): Cron {
  const [, , , monthField = '*'] = text.split(' ');
  const fieldsOf = (cron: string) => CronExpressionParser.parse(cron, { tz: 'UTC' }).fields;
  // Apart, because the library takes "the last day of February" for a day that does not exist.
  const { minute, hour, dayOfMonth, dayOfWeek } = fieldsOf(text.replace(/\S+(?= \S+$)/, '*'));
  const { month } = fieldsOf(`* * * ${monthField} *`);
  const minutes = hour.values.flatMap((h) => minute.values.map((m) => h * 60 + m)).sort((a, b) => a - b);
  const months = new Set<number>(month.values);
  const days = new Set<number>(dayOfMonth.values.filter((day) => typeof day === 'number'));
  const weekdays = new Set(dayOfWeek.values.filter((day) => typeof day === 'number').map((day) => day % 7));
  const lastWeekdays = new Set(
    dayOfWeek.values.filter((day) => typeof day === 'string').map((day) => parseInt(day, 10) % 7),
  );
  const anyDay = dayOfMonth.isWildcard && dayOfWeek.isWildcard;

  // Cron's old rule: with both day fields restricted, either is enough.
  const dayMatches = (date: Date): boolean => {
    if (anyDay) return true;
    const [day, weekday] = [date.getUTCDate(), date.getUTCDay()];
    const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
    const nth = dayOfWeek.nthDay;
    const byDay = !dayOfMonth.isWildcard && (days.has(day) || (dayOfMonth.hasLastChar && day === lastDay));
    const byWeekday =
      !dayOfWeek.isWildcard &&
      ((weekdays.has(weekday) && (nth === 0 || Math.ceil(day / 7) === nth)) ||
        (lastWeekdays.has(weekday) && day > lastDay - 7));
    return byDay || byWeekday;
  };

  const daysBetween = (anyDay ? 1 : dayOfMonth.isWildcard ? 7 : 31) * (months.size === 12 ? 1 : 12);
  return {
    fixed: !/[*/]/.test(text.split(' ').slice(0, 2).join(' ')),
    typicalGapMs: (DAY * daysBetween) / minutes.length,
    nextMatch(local) {
      let day = Math.floor(local / DAY);
      let fromMinute = Math.ceil((local - day * DAY) / MINUTE);
      const lastDay = day + 12 * 366;
      while (day <= lastDay) {
        const date = new Date(day * DAY);
        if (!months.has(date.getUTCMonth() + 1)) {
          day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / DAY;
          fromMinute = 0;
          continue;
        }
        if (dayMatches(date)) {
          const found = minutes[firstAtLeast(minutes, fromMinute)];
          if (found !== undefined) return day * DAY + found * MINUTE;
        }
        day += 1;
        fromMinute = 0;
      }
      return null;
    },
  };
}
