import { SluiceError, unitHash, type Catchup, type Schedule } from '#core';
import type { ScheduleShape } from '../shape/pipeline-shape.ts';
import { closest } from '../source/did-you-mean.ts';
import { durationMs } from '../source/duration.ts';
import { quote } from '../source/quote.ts';
import type { Path } from '../source/source-map.ts';
import { parseCron } from '../time/cron.ts';
import { isTimeZone, localOf } from '../time/zone.ts';
import type { Compiling } from './compiling.ts';
import { compileTriggers, type Triggered } from './triggers.ts';

type ScheduleMap = Exclude<ScheduleShape, string | null>;
type Timed = Exclude<Schedule, { kind: 'manual' }>;
type Timing = Omit<Extract<Timed, { kind: 'every' }>, 'kind' | 'everyMs'>;

const MANUAL: Schedule = { kind: 'manual' };
/** Shorter than this a run could not even be created in time. */
const SHORTEST_EVERY_MS = 10_000;
const LONGEST_JITTER_MS = 86_400_000;
const KINDS = ['cron', 'every', 'at'] as const;

/** The schedule at `path`; a faulty one is reported and compiled as manual. */
export function compileSchedule(
  shape: ScheduleShape | undefined,
  path: Path,
  about: Triggered,
  compiling: Compiling,
): Schedule {
  if (shape === undefined || shape === null || shape === 'manual') return MANUAL;
  if (typeof shape === 'string') {
    if (closest(shape, ['manual', 'none', 'once', '@once', '@none', '@manual']) !== null) {
      compiling.at(path, `schedule is ${quote(shape)}; expected manual or a cron.`, 'Write "manual".');
      return MANUAL;
    }
    const timing = { timezone: 'UTC', start: null, end: null, catchup: { kind: 'none' } } as const;
    return cronSchedule(shape, path, timing, {}, compiling);
  }
  const triggers = compileTriggers(shape, path, about, compiling);
  const timed = timedSchedule(shape, path, about.pipeline, triggers !== null, compiling);
  return triggers === null ? timed : { ...timed, triggers };
}

function timedSchedule(
  shape: ScheduleMap,
  path: Path,
  pipeline: string,
  isTriggered: boolean,
  compiling: Compiling,
): Schedule {
  const [kind, another] = KINDS.filter((each) => shape[each] !== undefined);
  if (kind === undefined) {
    if (isTriggered) refuseTiming(shape, path, compiling);
    else
      compiling.atKey(
        path,
        'schedule says nothing that starts a run.',
        'Add `cron: "30 2 * * *"`, `every: 15m`, `datasets: [other-pipeline.path]`, or write `schedule: manual`.',
      );
    return MANUAL;
  }
  const timing = timingOf(shape, path, pipeline, compiling);
  if (another !== undefined) {
    compiling.atKey(
      [...path, another],
      `schedule has both ${kind} and ${another}; expected one of them.`,
      'Remove one.',
    );
    return MANUAL;
  }
  if (shape.cron !== undefined) return cronSchedule(shape.cron, [...path, 'cron'], timing, shape, compiling);
  if (shape.at !== undefined) return atSchedule(shape.at, [...path, 'at'], timing, shape, compiling);
  return everySchedule(shape, path, timing, compiling);
}

/** Without a time that starts runs there is nothing for these to bound. */
function refuseTiming(shape: ScheduleMap, path: Path, compiling: Compiling): void {
  for (const key of ['timezone', 'start', 'end', 'catchup', 'run', 'jitter', 'gap', 'fold'] as const)
    if (shape[key] !== undefined)
      compiling.atKey([...path, key], `${key} has no meaning without cron, every or at.`, 'Remove it, or add one.');
}

function everySchedule(shape: ScheduleMap, path: Path, timing: Timing, compiling: Compiling): Schedule {
  for (const key of ['gap', 'fold'] as const)
    if (shape[key] !== undefined)
      compiling.atKey(
        [...path, key],
        `${key} has no meaning for every, which counts elapsed time.`,
        'Remove it, or use cron.',
      );
  const everyMs = durationMs(shape.every ?? '') ?? 0;
  if (everyMs < SHORTEST_EVERY_MS)
    compiling.at(
      [...path, 'every'],
      `schedule.every is ${quote(shape.every)}; expected at least 10s.`,
      'Write 10s or more.',
    );
  return { kind: 'every', everyMs: Math.max(everyMs, SHORTEST_EVERY_MS), ...timing };
}

type Policy = Pick<ScheduleMap, 'gap' | 'fold'>;

function changesOf({ gap, fold }: Policy): Pick<Extract<Timed, { kind: 'at' }>, 'gap' | 'fold'> {
  return { gap: gap ?? 'next', fold: fold ?? 'first' };
}

function cronSchedule(
  written: string | readonly string[],
  path: Path,
  timing: Timing,
  policy: Policy,
  compiling: Compiling,
): Schedule {
  const crons: string[] = [];
  for (const [index, text] of [written].flat().entries()) {
    const parsed = parseCron(text);
    if (parsed.ok) crons.push(parsed.text);
    else compiling.at(typeof written === 'string' ? path : [...path, index], `Cron: ${parsed.message}.`, parsed.hint);
  }
  const [first, ...others] = new Set(crons);
  if (first === undefined) return MANUAL;
  return { kind: 'cron', cron: others.length === 0 ? first : [first, ...others], ...changesOf(policy), ...timing };
}

function atSchedule(
  written: string | readonly string[],
  path: Path,
  timing: Timing,
  policy: Policy,
  compiling: Compiling,
): Schedule {
  const moments = [written].flat().flatMap((text, index) => {
    const place = typeof written === 'string' ? path : [...path, index];
    return momentOf(text, 'schedule.at', place, compiling) ?? [];
  });
  // A date is the same moment as its midnight: once they are written in full, equal moments are equal texts.
  const full = moments.map((moment) => new Date(localOf(moment)).toISOString().slice(0, 19));
  return { kind: 'at', moments: [...new Set(full)].sort(), ...changesOf(policy), ...timing };
}

function timingOf(shape: ScheduleMap, path: Path, pipeline: string, compiling: Compiling): Timing {
  let timezone = shape.timezone ?? 'UTC';
  if (!isTimeZone(timezone)) {
    const meant = closest(timezone, Intl.supportedValuesOf('timeZone'));
    const hint = meant === null ? 'Write an IANA name such as Europe/Berlin or UTC.' : `Did you mean "${meant}"?`;
    compiling.at([...path, 'timezone'], `schedule.timezone is ${quote(timezone)}; expected an IANA time zone.`, hint);
    timezone = 'UTC';
  }
  const [start, end] = (['start', 'end'] as const).map((key) => {
    const text = shape[key];
    return text === undefined ? null : momentOf(text, `schedule.${key}`, [...path, key], compiling);
  });
  if (start && end && start > end)
    compiling.at(
      [...path, 'end'],
      `schedule.end ${quote(end)} is before schedule.start ${quote(start)}.`,
      'Swap them.',
    );
  return {
    timezone,
    start: start ?? null,
    end: end ?? null,
    catchup: catchupOf(shape.catchup),
    ...(shape.run === 'at_start' ? { run: shape.run } : {}),
    ...(shape.jitter === undefined ? {} : { delayMs: delayOf(shape.jitter, path, pipeline, compiling) }),
  };
}

/**
 * Always the same for one pipeline: its runs keep their distance and their order, and only those of different pipelines
 * come apart.
 */
function delayOf(jitter: string, path: Path, pipeline: string, compiling: Compiling): number {
  const jitterMs = durationMs(jitter) ?? 0;
  if (jitterMs > LONGEST_JITTER_MS)
    compiling.at(
      [...path, 'jitter'],
      `schedule.jitter is ${quote(jitter)}; expected at most 1d.`,
      'Write a shorter time.',
    );
  return Math.floor(unitHash(pipeline) * jitterMs);
}

function momentOf(text: string, label: string, path: Path, compiling: Compiling): string | null {
  const instant = localOf(text);
  // Date.parse takes 31 February for 3 March.
  const exists = !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(text.slice(0, 10));
  const year = Number(text.slice(0, 4));
  if (exists && year >= 1970) return text;
  const message = exists
    ? `${label} is ${quote(text)}; expected a year from 1970 on.`
    : `${label} is ${quote(text)}, which is not a day of the calendar.`;
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
