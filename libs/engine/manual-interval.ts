import type { CompiledPipeline } from '#core';
import { SluiceError } from '#core';
import type { Interval } from '#dag';
import { intervalAt } from '#dag';

/** The interval that somebody asked for; null: none. Throws `bad_request` when the words do not fit together or the schedule. */
export function manualInterval(
  pipeline: CompiledPipeline,
  input: { at?: string; from?: string; to?: string },
): Interval | null {
  if (input.from !== undefined || input.to !== undefined) {
    if (input.from === undefined || input.to === undefined || input.at !== undefined)
      throw new SluiceError('bad_request', 'An interval needs both from and to, and not at.');
    const interval = { start: instant('from', input.from), end: instant('to', input.to) };
    if (interval.start >= interval.end)
      throw new SluiceError('bad_request', `from (${input.from}) must be before to (${input.to}).`);
    return interval;
  }
  if (input.at === undefined) return null;
  const at = instant('at', input.at);
  const interval = pipeline.schedule.kind === 'manual' ? null : intervalAt(pipeline.schedule, at, at);
  if (!interval)
    throw new SluiceError('bad_request', `Pipeline "${pipeline.name}" has no interval that contains ${input.at}.`, {
      hint: 'Give both ends with from and to.',
    });
  return interval;
}

/** Dates and date-times; a date alone is midnight UTC. Throws `bad_request`. */
export function instant(name: string, text: string): Date {
  const value = /^(?:19|[2-9]\d)\d{2}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(text)
    ? new Date(/[zZ]|[+-]\d{2}:?\d{2}$/.test(text.slice(10)) || text.length === 10 ? text : `${text}Z`)
    : new Date(NaN);
  if (Number.isNaN(value.getTime()))
    throw new SluiceError(
      'bad_request',
      `${name} is ${JSON.stringify(text)}; a date like 2026-01-31 or an instant like 2026-01-31T06:00:00Z was expected, from 1900 on.`,
    );
  return value;
}
