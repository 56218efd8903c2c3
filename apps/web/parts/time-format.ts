const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `340 ms`, `4.2 s`, `42 s`, `3 m 12 s`, `2 h 05 m`, `3 d 4 h`. Negative durations (clocks differ) read as 0. */
export function formatDuration(ms: number): string {
  const value = Math.max(0, ms);
  if (value < SECOND) return `${Math.round(value)} ms`;
  if (value < 9950) return `${(value / SECOND).toFixed(1)} s`;
  const seconds = Math.round(value / SECOND);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${pad(seconds % 60)} s`;
  const minutes = Math.round(value / MINUTE);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} m`;
  const hours = Math.round(value / HOUR);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `3 min ago`, `in 2 h`, `just now`; from one moment to another, both epoch milliseconds. */
export function formatAgo(at: number, now: number): string {
  const distance = Math.abs(now - at);
  if (distance < 5 * SECOND) return at > now ? 'now' : 'just now';
  const text = coarse(distance);
  return at > now ? `in ${text}` : `${text} ago`;
}

function coarse(ms: number): string {
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min`;
  if (ms < DAY) {
    const minutes = Math.round(ms / MINUTE);
    return minutes < 10 * 60 && minutes % 60 >= 5
      ? `${Math.floor(minutes / 60)} h ${minutes % 60} min`
      : `${Math.round(ms / HOUR)} h`;
  }
  if (ms < 60 * DAY) return `${Math.round(ms / DAY)} d`;
  return `${Math.round(ms / (30 * DAY))} months`;
}

/** `2026-01-02 14:03:22 GMT+1` in the zone of the reader (or the one given). */
export function formatAbsolute(iso: string, timeZone?: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const fields = new Intl.DateTimeFormat('en-GB', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
    ...(timeZone === undefined ? {} : { timeZone }),
  }).formatToParts(at);
  const of = (type: Intl.DateTimeFormatPartTypes) => fields.find((one) => one.type === type)?.value ?? '';
  return `${of('year')}-${of('month')}-${of('day')} ${of('hour')}:${of('minute')}:${of('second')} ${of('timeZoneName')}`;
}

/**
 * A data interval for people, in UTC: a whole day is its date, several days are `first → last` (half-open: the end is not in it),
 * anything else shows the start and the length.
 */
export function formatInterval(interval: { readonly start: string; readonly end: string }): string {
  const start = new Date(interval.start);
  const end = new Date(interval.end);
  const length = end.getTime() - start.getTime();
  if (Number.isNaN(length)) return `${interval.start} → ${interval.end}`;
  if (isMidnight(start) && isMidnight(end) && length >= DAY) {
    if (length === DAY) return day(start);
    const last = new Date(end.getTime() - DAY);
    return `${day(start)} → ${start.getUTCFullYear() === last.getUTCFullYear() ? day(last).slice(5) : day(last)}`;
  }
  return `${formatInstant(interval.start)} + ${formatLength(length)}`;
}

/** `2026-01-02 03:00Z`; seconds only when there are some; a midnight is its date. */
export function formatInstant(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  if (isMidnight(at)) return day(at);
  const text = at.toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, at.getUTCSeconds() === 0 ? 16 : 19)}Z`;
}

/** A sentence of the server with its ISO instants written as `formatInstant` does. */
export function readInstants(sentence: string): string {
  return sentence.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z\b/g, formatInstant);
}

function formatLength(ms: number): string {
  const units = [
    [DAY, 'd'],
    [HOUR, 'h'],
    [MINUTE, 'min'],
    [SECOND, 's'],
  ] as const;
  for (const [size, name] of units) if (ms >= size && ms % size === 0) return `${ms / size} ${name}`;
  return formatDuration(ms);
}

/** `14:03:22.120` in the zone of the reader: the column in front of a log line. */
export function formatClock(at: number): string {
  const date = new Date(at);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** Time between two instants; until `now` while there is no end; null before the start. */
export function elapsed(start: string | null, end: string | null, now: number): number | null {
  return start === null ? null : (end === null ? now : Date.parse(end)) - Date.parse(start);
}

function isMidnight(date: Date): boolean {
  return date.getTime() % DAY === 0;
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
