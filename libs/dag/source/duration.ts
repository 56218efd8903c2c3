const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Longest duration: ten years. Anything longer is a slip. */
const LONGEST_MS = 3_650 * 86_400_000;

/** `90s`, `15m`, `1h30m`, `2d`, `1w`, `500ms` and ISO 8601 without months and years; null when it is none of these. */
export function durationMs(text: string): number | null {
  const ms = /^P/i.test(text) ? isoDuration(text) : compactDuration(text);
  return ms === null || ms > LONGEST_MS ? null : ms;
}

/** The form used in descriptions: `1h30m`, `2d`. */
export function durationText(ms: number): string {
  let rest = ms;
  const parts: string[] = [];
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const size = UNITS[unit] ?? 1;
    const count = Math.floor(rest / size);
    if (count > 0) parts.push(`${count}${unit}`);
    rest -= count * size;
  }
  return parts.join('') || '0s';
}

function compactDuration(text: string): number | null {
  if (!/^(\d{1,9}(ms|s|m|h|d|w))+$/.test(text)) return null;
  let total = 0;
  const seen = new Set<string>();
  for (const [, count, unit = ''] of text.matchAll(/(\d+)(ms|s|m|h|d|w)/g)) {
    if (seen.has(unit)) return null;
    seen.add(unit);
    total += Number(count) * (UNITS[unit] ?? 0);
  }
  return total;
}

function isoDuration(text: string): number | null {
  const match = /^P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/i.exec(text);
  if (match === null || match.slice(1).every((part) => part === undefined)) return null;
  const [weeks, days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return (
    (((weeks ?? 0) * 7 + (days ?? 0)) * 24 + (hours ?? 0)) * 3_600_000 +
    (minutes ?? 0) * 60_000 +
    (seconds ?? 0) * 1_000
  );
}
