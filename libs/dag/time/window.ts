import { parseCron } from './cron.ts';
import { localTime } from './zone.ts';

const MINUTE_MS = 60_000;

/** True in each minute that the cron names in its zone: `* 9-16 * * MON-THU` is open from 9:00 until 17:00. */
export function isWithinWindow(window: { readonly cron: string; readonly timezone: string }, at: Date): boolean {
  const parsed = parseCron(window.cron);
  if (!parsed.ok) return false;
  const minute = Math.floor(localTime(window.timezone, at.getTime()) / MINUTE_MS) * MINUTE_MS;
  return parsed.cron.nextMatch(minute) === minute;
}
