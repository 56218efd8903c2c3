import type { DatasetExpression, Schedule, Triggers } from '#core';
import { durationText } from '../source/duration.ts';
import type { TimedSchedule } from './fires.ts';

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/**
 * One line for people: `daily at 02:30 (Europe/Berlin)`, `every 15m`, `manual`; unusual crons as they are written. What
 * moves the creation of runs comes last: `hourly (UTC), at_start, 4m12s later`.
 */
export function describeSchedule(schedule: Schedule): string {
  const triggers = schedule.triggers === undefined ? [] : describeTriggers(schedule.triggers);
  if (schedule.kind === 'manual') return triggers.length === 0 ? 'manual' : triggers.join(', or ');
  return [describeTimed(schedule), ...triggers].join(', or ');
}

function describeTimed(schedule: TimedSchedule): string {
  const zone = schedule.kind === 'every' ? '' : ` (${schedule.timezone})`;
  const start = schedule.run === 'at_start' ? ', at_start' : '';
  const delay = schedule.delayMs ? `, ${durationText(wholeSeconds(schedule.delayMs))} later` : '';
  return `${describeRhythm(schedule)}${zone}${start}${delay}`;
}

function describeRhythm(schedule: TimedSchedule): string {
  switch (schedule.kind) {
    case 'every':
      return `every ${durationText(schedule.everyMs)}`;
    case 'cron':
      return [schedule.cron].flat().map(describeCron).join(' and ');
    case 'at': {
      const [first = '', ...others] = schedule.moments;
      const more = others.length === 0 ? '' : ` and ${others.length} more time${others.length === 1 ? '' : 's'}`;
      return `at ${first.slice(0, 16).replace('T', ' ')}${more}`;
    }
  }
}

function describeTriggers({ datasets, after, events }: Triggers): string[] {
  const limits = [
    ...(datasets?.windowMs ? [` within ${durationText(datasets.windowMs)}`] : []),
    ...(datasets?.freshnessMs ? [`, none older than ${durationText(datasets.freshnessMs)}`] : []),
  ];
  return [
    ...(datasets ? [`when ${describeDatasets(datasets.expression)} is new${limits.join('')}`] : []),
    ...(after ?? []).map(({ pipeline, on }) => `after ${pipeline}${on === 'success' ? '' : ` (${on})`}`),
    ...Object.keys(events ?? {}).map((name) => `on event ${name}`),
  ];
}

function describeDatasets(expression: DatasetExpression, inner = false): string {
  if ('path' in expression) return `${expression.pipeline}.${expression.path}`;
  const [parts, word] = 'all' in expression ? [expression.all, ' and '] : [expression.any, ' or '];
  const text = parts.map((part) => describeDatasets(part, true)).join(word);
  return inner && parts.length > 1 ? `(${text})` : text;
}

function wholeSeconds(ms: number): number {
  return Math.max(1000, ms - (ms % 1000));
}

function describeCron(cron: string): string {
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = cron.toLowerCase().split(' ');
  const isNumber = (field: string): boolean => /^\d+$/.test(field);
  if (month !== '*') return `cron ${cron}`;
  if (hour === '*' && day === '*' && weekday === '*') {
    if (minute === '*') return 'every minute';
    if (/^\*\/\d+$/.test(minute) && 60 % Number(minute.slice(2)) === 0) return `every ${minute.slice(2)} minutes`;
    if (isNumber(minute)) return minute === '0' ? 'hourly' : `hourly at minute ${minute}`;
  }
  if (!isNumber(minute) || !isNumber(hour)) return `cron ${cron}`;
  const time = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  if (day === '*' && weekday === '*') return `daily at ${time}`;
  if (day === '*' && (weekday === '1-5' || weekday === 'mon-fri')) return `on weekdays at ${time}`;
  const onlyDay = WEEKDAYS.find((name, index) =>
    [`${index}`, `${index + 7}`, name.slice(0, 3).toLowerCase()].includes(weekday),
  );
  if (day === '*' && onlyDay !== undefined) return `every ${onlyDay} at ${time}`;
  if (weekday === '*' && isNumber(day)) return `monthly on day ${day} at ${time}`;
  return `cron ${cron}`;
}
