import type { Schedule } from '#core';
import { durationText } from '../source/duration.ts';

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** One line for people: `daily at 02:30 (Europe/Berlin)`, `every 15m`, `manual`; unusual crons as they are written. */
export function describeSchedule(schedule: Schedule): string {
  if (schedule.kind === 'manual') return 'manual';
  const rhythm = schedule.kind === 'every' ? `every ${durationText(schedule.everyMs)}` : describeCron(schedule.cron);
  return schedule.kind === 'cron' ? `${rhythm} (${schedule.timezone})` : rhythm;
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
