import { SluiceError, type Catchup, type Schedule } from '#core';
import type { ScheduleShape } from '../shape/pipeline-shape.ts';
import { closest } from '../source/did-you-mean.ts';
import { durationMs } from '../source/duration.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import { parseCron } from '../time/cron.ts';
import { isTimeZone } from '../time/zone.ts';
import type { Compiling } from './compiling.ts';

type ScheduleMap = Exclude<ScheduleShape, string | null>;

/** Shorter than this a run could not even be created in time. */
const SHORTEST_EVERY_MS = 10_000;

/** The schedule at `path`; a faulty one is reported and compiled as manual. */
export function compileSchedule(shape: ScheduleShape | undefined, path: Path, compiling: Compiling): Schedule {
  if (shape === undefined || shape === null || shape === 'manual') return { kind: 'manual' };
  if (typeof shape === 'string') {
    if (closest(shape, ['manual', 'none', 'once', '@once', '@none', '@manual']) !== null) {
      compiling.at(path, `schedule is ${quote(shape)}; expected manual or a cron.`, 'Write "manual".');
      return { kind: 'manual' };
    }
    return cronSchedule(
      shape,
      path,
      { timezone: 'UTC', start: null, end: null, catchup: { kind: 'none' } },
      {},
      compiling,
    );
  }
  const timing = timingOf(shape, path, compiling);
  if (shape.cron !== undefined && shape.every !== undefined) {
    compiling.atKey([...path, 'every'], 'schedule has both cron and every; expected one of them.', 'Remove one.');
    return { kind: 'manual' };
  }
  if (shape.cron !== undefined) return cronSchedule(shape.cron, [...path, 'cron'], timing, shape, compiling);
  if (shape.every === undefined) {
    compiling.atKey(
      path,
      'schedule has neither cron nor every.',
      'Add `cron: "30 2 * * *"` or `every: 15m`, or write `schedule: manual`.',
    );
    return { kind: 'manual' };
  }
  for (const key of ['gap', 'fold'] as const)
    if (shape[key] !== undefined)
      compiling.atKey(
        [...path, key],
        `${key} has no meaning for every, which counts elapsed time.`,
        'Remove it, or use cron.',
      );
  const everyMs = durationMs(shape.every) ?? 0;
  if (everyMs < SHORTEST_EVERY_MS)
    compiling.at(
      [...path, 'every'],
      `schedule.every is ${quote(shape.every)}; expected at least 10s.`,
      'Write 10s or more.',
    );
  return { kind: 'every', everyMs: Math.max(everyMs, SHORTEST_EVERY_MS), ...timing };
}

type Timing = Pick<Extract<Schedule, { kind: 'every' }>, 'timezone' | 'start' | 'end' | 'catchup'>;

function cronSchedule(
  text: string,
  path: Path,
  timing: Timing,
  policy: Pick<ScheduleMap, 'gap' | 'fold'>,
  compiling: Compiling,
): Schedule {
  const parsed = parseCron(text);
  if (!parsed.ok) {
    compiling.at(path, `Cron: ${parsed.message}.`, parsed.hint);
    return { kind: 'manual' };
  }
  return { kind: 'cron', cron: parsed.text, gap: policy.gap ?? 'next', fold: policy.fold ?? 'first', ...timing };
}

function timingOf(shape: ScheduleMap, path: Path, compiling: Compiling): Timing {
  let timezone = shape.timezone ?? 'UTC';
  if (!isTimeZone(timezone)) {
    const meant = closest(timezone, Intl.supportedValuesOf('timeZone'));
    const hint = meant === null ? 'Write an IANA name such as Europe/Berlin or UTC.' : `Did you mean "${meant}"?`;
    compiling.at([...path, 'timezone'], `schedule.timezone is ${quote(timezone)}; expected an IANA time zone.`, hint);
    timezone = 'UTC';
  }
  const [start, end] = (['start', 'end'] as const).map((key) => momentOf(shape[key], [...path, key], compiling));
  if (start && end && start > end)
    compiling.at(
      [...path, 'end'],
      `schedule.end ${quote(end)} is before schedule.start ${quote(start)}.`,
      'Swap them.',
    );
  return { timezone, start: start ?? null, end: end ?? null, catchup: catchupOf(shape.catchup) };
}

function momentOf(text: string | undefined, path: Path, compiling: Compiling): string | null {
  if (text === undefined) return null;
  const instant = Date.parse(text.length === 10 ? `${text}T00:00:00Z` : `${text}Z`);
  // Date.parse takes 31 February for 3 March.
  const exists = !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(text.slice(0, 10));
  const year = Number(text.slice(0, 4));
  if (exists && year >= 1970) return text;
  const message = exists
    ? `schedule.${path.at(-1)} is ${quote(text)}; expected a year from 1970 on.`
    : `schedule.${path.at(-1)} is ${quote(text)}, which is not a day of the calendar.`;
  compiling.at(path, message, 'Write a date such as 2026-01-31.');
  return null;
}

function catchupOf(shape: ScheduleMap['catchup']): Catchup {
  if (shape === undefined || shape === false) return { kind: 'none' };
  if (shape === true) return { kind: 'all', order: 'oldest_first' };
  const order = shape.order ?? 'oldest_first';
  if (shape.max_age === undefined) return { kind: 'all', order };
  const maxAgeMs = durationMs(shape.max_age);
  if (maxAgeMs === null) throw new SluiceError('internal', `unchecked duration ${shape.max_age}`);
  return { kind: 'bounded', maxAgeMs, order };
}
