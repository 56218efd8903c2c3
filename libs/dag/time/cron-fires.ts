import { SluiceError } from '#core';
import { parseCron, type Cron } from './cron.ts';
import type { Fires } from './fires.ts';
import { instantOfLocal, segmentAt, type Segment } from './zone.ts';

/** How a cron's wall-clock times become instants. */
export interface Clocks {
  readonly timezone: string;
  readonly gap: 'next' | 'skip';
  readonly fold: 'first' | 'second' | 'both';
}

const MINUTE = 60_000;
const DAY = 86_400_000;
/** End of the last segment of a zone without changes. */
const FAR = 8.64e15;
const FURTHEST_LOOK_BACK_MS = 13 * 366 * 86_400_000;

/** Fires of one cron. Throws `invalid_config` for a text that is none. */
export function cronFires(text: string, clocks: Clocks): Fires {
  const parsed = parseCron(text);
  if (!parsed.ok) throw new SluiceError('invalid_config', `Cron ${parsed.message}.`, { hint: parsed.hint });
  const { cron } = parsed;
  const next = (instant: number): number | null => nextCronFire(cron, clocks, instant);
  return { next, lastUpTo: (instant) => lookBack(next, cron.typicalGapMs, instant) };
}

/**
 * Within a segment the offset is constant, so local matches map one to one to instants. What is left are the borders:
 * a gap fires a fixed cron at its end, a fold shows the same local times in both segments.
 */
function nextCronFire(cron: Cron, clocks: Clocks, instant: number): number | null {
  const zone = clocks.timezone;
  let from = instant + 1;
  // The one that ends right then: a gap at its end fires.
  let segment = segmentAt(zone, instant);
  for (;;) {
    let local = cron.nextMatch(from + segment.offset);
    while (local !== null && local - segment.offset < segment.end) {
      if (!cron.fixed || isChosenInFold(zone, segment, local, clocks.fold)) return local - segment.offset;
      local = cron.nextMatch(local + MINUTE);
    }
    if (local === null) return null;
    const following = segmentAt(zone, segment.end);
    const insideGap = local < segment.end + following.offset;
    if (insideGap && cron.fixed && clocks.gap === 'next') return segment.end;
    from = segment.end;
    segment = following;
  }
}

function isChosenInFold(zone: string, segment: Segment, local: number, fold: Clocks['fold']): boolean {
  const instant = local - segment.offset;
  if (fold === 'first') return instantOfLocal(zone, local) === instant;
  return fold === 'both' || !isShownAgain(zone, segment, local);
}

function isShownAgain(zone: string, segment: Segment, local: number): boolean {
  // Clocks go back by less than a day, so no segment that begins later can show the same time.
  for (let from = segment.end; from < FAR && from - segment.end < DAY;) {
    const later = segmentAt(zone, from);
    if (local >= later.start + later.offset && local < later.end + later.offset) return true;
    from = later.end;
  }
  return false;
}

/** Walks forward from ever further back: a cron has no memory, so where the walk begins does not matter. */
function lookBack(next: (instant: number) => number | null, gapMs: number, instant: number): number | null {
  for (let window = gapMs * 2; ; window *= 4) {
    let fire = next(instant - window);
    if (fire !== null && fire <= instant) {
      for (let later = next(fire); later !== null && later <= instant; later = next(later)) fire = later;
      return fire;
    }
    if (window > FURTHEST_LOOK_BACK_MS) return null;
  }
}
