import { InvalidArgumentError, Option, type Command } from 'commander';

/** Adds `--env`; dev unless told, because a laptop's commands are about dev far more often than not. */
export function withEnvironment(command: Command): Command {
  return command.addOption(new Option('-e, --env <name>', 'environment').default('dev'));
}

/** An ISO 8601 date (midnight UTC), or date-time in UTC unless it says otherwise; date-times are returned with seconds and zone. */
export function isoInstantArgument(value: string): string {
  const match = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/.exec(value);
  const [, day = '', time, zone] = match ?? [];
  // Without a zone, `Date` would take the one of this machine.
  const instant = new Date(time === undefined || zone !== undefined ? value : `${value}Z`);
  if (match === null || Number.isNaN(instant.getTime()) || !isRealDay(day))
    throw new InvalidArgumentError('Expected ISO 8601, such as 2026-01-02 or 2026-01-02T03:00:00Z.');
  return time === undefined ? value : instant.toISOString();
}

/** `Date` takes February 30th for March 2nd; a person who typed it made a mistake. */
function isRealDay(day: string): boolean {
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}

/** `90s`, `15m`, `1h30m`, `2d`; in milliseconds. */
export function durationArgument(value: string): number {
  const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  if (!/^(\d+(ms|s|m|h|d))+$/.test(value))
    throw new InvalidArgumentError('Expected a duration such as 90s, 15m or 1h30m.');
  return [...value.matchAll(/(\d+)(ms|[smhd])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0),
    0,
  );
}

/** A whole number that is not negative. */
export function countArgument(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(value);
}

/** `name=value`, collected over repeated options; a name given twice is a mistake. */
export function paramArgument(value: string, earlier: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, text] = /^([a-z][a-z0-9_]{0,62})=(.*)$/s.exec(value) ?? [];
  if (name === undefined || text === undefined)
    throw new InvalidArgumentError('Expected name=value; a name is lower-case letters, digits and "_".');
  if (Object.hasOwn(earlier, name)) throw new InvalidArgumentError(`"${name}" is given twice.`);
  return { ...earlier, [name]: text };
}

/** `RUN`, `RUN/TASK` or `RUN/TASK#TRY`. */
export interface LogReference {
  readonly runId: string;
  readonly task: string | null;
  readonly try: number | null;
}

export function logReferenceArgument(value: string): LogReference {
  const [, runId, task, number] = /^([^/#\s]+)(?:\/([a-z][a-z0-9_]{0,62})(?:#([1-9]\d{0,5}))?)?$/.exec(value) ?? [];
  if (runId === undefined) throw new InvalidArgumentError('Expected RUN, RUN/TASK or RUN/TASK#TRY.');
  return { runId, task: task ?? null, try: number === undefined ? null : Number(number) };
}

/** Digest, the beginning of one, or alias. */
export function releaseArgument(value: string): string {
  if (!/^([0-9a-f]{6,64}|[a-z]{2,20}-[a-z]{2,20})$/.test(value))
    throw new InvalidArgumentError('Expected a digest, at least six digits of it, or an alias such as frozen-heron.');
  return value;
}
