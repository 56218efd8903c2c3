import { DateTime } from 'luxon';

/** An instant as `wait: { time }` takes it; a time without a zone is one of `zone`. Null when it is none. */
export function parsesAsDateTime(text: string, zone: string | null): string | null {
  const time = DateTime.fromISO(text.trim().replace(' ', 'T'), { zone: zone ?? 'UTC' });
  return time.isValid && time.year >= 1970 && time.year < 10_000
    ? time.toUTC().toFormat("yyyy-MM-dd'T'HH:mm:ss'Z'")
    : null;
}
