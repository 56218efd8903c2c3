import { IANAZone } from 'luxon';

/** A stretch of time during which a zone's offset from UTC does not change. Instants and offset in milliseconds. */
export interface Segment {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** Local time minus UTC. */
  readonly offset: number;
}

const DAY = 86_400_000;
const EVER: Segment = { start: -8.64e15, end: 8.64e15, offset: 0 };
const yearsByZone = new Map<string, Map<number, readonly Segment[]>>();

const validity = new Map<string, boolean>();

/** True for names of the IANA database and `UTC`; offsets such as `+01:00` are not zones. */
export function isTimeZone(name: string): boolean {
  let valid = validity.get(name);
  if (valid === undefined) {
    valid = /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name) && IANAZone.isValidZone(name);
    // Asking takes 0.3 ms, and ten thousand files name the same few zones.
    if (validity.size < 2_000) validity.set(name, valid);
  }
  return valid;
}

/**
 * The segment that holds `instant`. Segments also end at the turn of each UTC year, because the database is read one
 * year at a time; the next one then has the same offset.
 */
export function segmentAt(zone: string, instant: number): Segment {
  if (zone === 'UTC') return EVER;
  const segments = segmentsOfYear(zone, new Date(instant).getUTCFullYear());
  // A year rarely has more than two changes: looking from the front beats anything clever.
  for (const segment of segments) if (instant < segment.end) return segment;
  return segments[segments.length - 1] ?? EVER;
}

/** Local wall-clock time as if it were UTC, in milliseconds. */
export function localTime(zone: string, instant: number): number {
  return instant + segmentAt(zone, instant).offset;
}

/** A local date or date-time as written in a file, as if it were UTC; NaN for what is no time at all. */
export function localOf(text: string): number {
  return Date.parse(text.length === 10 ? `${text}T00:00:00Z` : `${text}Z`);
}

/** Every instant at which the zone's clocks show `local`, in order: none inside a gap, two in a fold. */
export function instantsOfLocal(zone: string, local: number): number[] {
  const instants: number[] = [];
  // No offset is larger than a day, so segments further away cannot show it.
  for (let from = local - DAY; from <= local + DAY;) {
    const segment = segmentAt(zone, from);
    const instant = local - segment.offset;
    if (instant >= segment.start && instant < segment.end) instants.push(instant);
    from = segment.end;
  }
  return instants;
}

/** First instant at which the zone's clocks show `local`; inside a gap, the first instant after it. */
export function instantOfLocal(zone: string, local: number): number {
  // No offset is larger than a day, so the segment sought starts at the earliest a day before.
  let segment = segmentAt(zone, local - DAY);
  while (segment.end + segment.offset <= local) segment = segmentAt(zone, segment.end);
  return Math.max(segment.start, local - segment.offset);
}

function segmentsOfYear(zone: string, year: number): readonly Segment[] {
  let years = yearsByZone.get(zone);
  if (years === undefined) yearsByZone.set(zone, (years = new Map()));
  let segments = years.get(year);
  if (segments === undefined) years.set(year, (segments = readYear(zone, year)));
  return segments;
}

function readYear(zone: string, year: number): Segment[] {
  const database = IANAZone.create(zone);
  const offsetAt = (instant: number): number => Math.round(database.offset(instant) * 60_000);
  const [from, to] = [Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)];
  const segments: Segment[] = [];
  let start = from;
  let offset = offsetAt(from);
  for (let day = from; day < to; day += DAY) {
    const next = Math.min(day + DAY, to - 1);
    const nextOffset = offsetAt(next);
    if (nextOffset === offset) continue;
    const change = firstInstant(day, next, (instant) => offsetAt(instant) !== offset);
    segments.push({ start, end: change, offset });
    [start, offset] = [change, nextOffset];
  }
  segments.push({ start, end: to, offset });
  return segments;
}

/** First whole second in `(low, high]` for which `test` holds; it holds for `high` and not for `low`. */
function firstInstant(low: number, high: number, test: (instant: number) => boolean): number {
  while (high - low > 1000) {
    const middle = low + Math.floor((high - low) / 2000) * 1000;
    if (test(middle)) high = middle;
    else low = middle;
  }
  return high;
}
