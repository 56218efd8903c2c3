import { SluiceError, type RetryPolicy } from '#core';
import type { RetriesShape } from '../shape/task-shape.ts';
import { durationMs } from '../source/duration.ts';

/** First retry after 30 s, then doubling up to 30 minutes, a little apart from each other. */
const USUAL = { delayMs: 30_000, backoff: 2, maxDelayMs: 30 * 60_000, jitter: 0.1, on: null } as const;

/** The policy of a task from its own key and that of `defaults:`; a map keeps what it does not name. */
export function compileRetries(own: RetriesShape | undefined, inherited: RetriesShape | undefined): RetryPolicy {
  return { max: 0, ...USUAL, ...partsOf(inherited), ...partsOf(own) };
}

function partsOf(shape: RetriesShape | undefined): Partial<RetryPolicy> {
  if (shape === undefined) return {};
  if (typeof shape === 'number') return { max: shape };
  const delayMs = shape.delay === undefined ? undefined : msOf(shape.delay);
  const maxDelayMs = shape.max_delay === undefined ? undefined : msOf(shape.max_delay);
  return {
    max: shape.max,
    ...(delayMs === undefined ? {} : { delayMs, maxDelayMs: Math.max(delayMs, USUAL.maxDelayMs) }),
    ...(shape.backoff === undefined ? {} : { backoff: shape.backoff }),
    ...(maxDelayMs === undefined ? {} : { maxDelayMs }),
    ...(shape.jitter === undefined ? {} : { jitter: shape.jitter }),
    ...(shape.on === undefined ? {} : { on: shape.on }),
  };
}

/** A duration that the shape has already checked. */
export function msOf(text: string): number {
  const ms = durationMs(text);
  if (ms === null) throw new SluiceError('internal', `unchecked duration ${text}`);
  return ms;
}
