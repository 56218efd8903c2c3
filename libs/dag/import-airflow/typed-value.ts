/** A value of Airflow that plain JSON has no form for, decoded by the reader: a duration, a date, another task's output. */
export class TypedValue {
  /** `timedelta`, `relativedelta`, `datetime`, `xcom`, or the Python type as the source names it. */
  readonly type: string;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(type: string, members: Readonly<Record<string, unknown>>) {
    this.type = type;
    this.members = members;
  }
}

/** Seconds of a duration: a timedelta, a number, or `10 minutes`; null when it is none. */
export function secondsOf(value: unknown): number | null {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (value instanceof TypedValue && value.type === 'timedelta') return secondsOf(value.members.seconds);
  if (typeof value !== 'string') return null;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  const [, count, unit] = /^(\d{1,9})\s+(second|minute|hour|day|week)s?$/i.exec(value.trim()) ?? [];
  return count === undefined ? null : Number(count) * (UNIT_SECONDS[`${unit?.toLowerCase()}s`] ?? 0);
}

export const UNIT_SECONDS: Readonly<Record<string, number>> = {
  weeks: 604_800,
  days: 86_400,
  hours: 3_600,
  minutes: 60,
  seconds: 1,
  milliseconds: 0.001,
  microseconds: 0.000_001,
};

/** The value as text; JSON where it is none: an object of a file may have a "toString" of its own that cannot be called. */
export function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof TypedValue);
}
