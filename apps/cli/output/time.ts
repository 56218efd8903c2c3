const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** For people: `850ms`, `12.3s`, `2m05s`, `3h12m`, `2d04h`. */
export function durationText(ms: number): string {
  if (ms < SECOND) return `${Math.max(0, Math.round(ms))}ms`;
  if (ms < MINUTE - 50) return `${(ms / SECOND).toFixed(1)}s`;
  const seconds = Math.round(ms / SECOND);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
}

/** `12s ago`, `in 3h12m`; `now` within a second. Days from two days on. */
export function relativeTime(instant: string, now: Date): string {
  const ms = Date.parse(instant) - now.getTime();
  const size = Math.abs(ms);
  if (Number.isNaN(ms)) return instant;
  if (size < SECOND) return 'now';
  const rounded = size < MINUTE ? Math.round(size / SECOND) * SECOND : size;
  const text =
    rounded < MINUTE ? `${rounded / SECOND}s` : size >= 2 * DAY ? `${Math.floor(size / DAY)}d` : durationText(size);
  return ms < 0 ? `${text} ago` : `in ${text}`;
}

/** ISO 8601 in UTC without fractions when they are zero: `2026-01-02T03:04:05Z`. */
export function isoInstant(instant: string): string {
  const time = Date.parse(instant);
  return Number.isNaN(time) ? instant : new Date(time).toISOString().replace(/\.000Z$/, 'Z');
}

/** An interval for people: `2026-01-01` for a whole UTC day, `2026-01-01T02:30Z +1d` for round lengths, both ends otherwise. */
export function intervalText({ start, end }: { start: string; end: string }): string {
  const from = new Date(start);
  const length = Date.parse(end) - from.getTime();
  if (length === DAY && from.getTime() % DAY === 0) return from.toISOString().slice(0, 10);
  const round = (
    [
      ['d', DAY],
      ['h', HOUR],
      ['m', MINUTE],
    ] as const
  ).find(([, size]) => length > 0 && length % size === 0);
  return round ? `${minuteText(start)} +${length / round[1]}${round[0]}` : `${minuteText(start)} … ${minuteText(end)}`;
}

function minuteText(instant: string): string {
  const text = isoInstant(instant);
  if (text.endsWith('T00:00:00Z')) return text.slice(0, 10);
  return text.endsWith(':00Z') ? `${text.slice(0, 16)}Z` : text;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
