import type { Schedule } from '#core';
import { durationText } from '../source/duration.ts';
import { creationOf, intervalAt, nextIntervals, type Interval } from './intervals.ts';
import { instantsOfLocal, segmentAt } from './zone.ts';

/** A fire as people see it. */
export interface FirePreview {
  readonly interval: Interval;
  /** When the run is created. */
  readonly at: Date;
  /** What the clocks of the schedule's zone show then: `2026-03-29 03:00`, and their offset: `+02:00`. */
  readonly local: string;
  readonly offset: string;
  /** What the clocks did since the fire before, or that they show this time twice; null: nothing of the kind. */
  readonly clocks: string | null;
}

const DAY = 86_400_000;

/** The next fires after `after`, at most `limit`. None for manual schedules. */
export function previewFires(schedule: Schedule, activatedAt: Date, after: Date, limit: number): FirePreview[] {
  return nextIntervals(schedule, activatedAt, after, limit).map((interval) => previewOf(schedule, interval));
}

/** Fires around the next two changes of the clocks after `after`: at most `limit` around each, from a day before it. */
export function previewAroundChanges(schedule: Schedule, after: Date, limit: number): FirePreview[] {
  const zone = schedule.kind === 'manual' ? 'UTC' : schedule.timezone;
  return nextChanges(zone, after.getTime(), 2).flatMap((change) => {
    const nearby = nextIntervals(schedule, new Date(0), new Date(change - DAY), 3000).filter(
      (interval) => creationOf(schedule, interval).getTime() < change + DAY,
    );
    const before = nearby.filter((interval) => creationOf(schedule, interval).getTime() < change).length;
    const from = Math.max(0, before - Math.floor(limit / 2));
    return nearby.slice(from, from + limit).map((interval) => previewOf(schedule, interval));
  });
}

function previewOf(schedule: Schedule, interval: Interval): FirePreview {
  const zone = schedule.kind === 'manual' ? 'UTC' : schedule.timezone;
  const at = creationOf(schedule, interval);
  const { offset } = segmentAt(zone, at.getTime());
  const earlier =
    schedule.kind !== 'manual' && schedule.run === 'at_start'
      ? (intervalAt(schedule, interval.start, new Date(interval.start.getTime() - 1))?.start ?? interval.start)
      : interval.start;
  const moved = offset - segmentAt(zone, earlier.getTime() + (at.getTime() - fireOf(schedule, interval))).offset;
  return {
    interval,
    at,
    local: new Date(at.getTime() + offset).toISOString().slice(0, 16).replace('T', ' '),
    offset: offsetText(offset),
    clocks: clocksText(zone, at.getTime(), offset, moved),
  };
}

function fireOf(schedule: Schedule, { start, end }: Interval): number {
  return (schedule.kind !== 'manual' && schedule.run === 'at_start' ? start : end).getTime();
}

function clocksText(zone: string, at: number, offset: number, moved: number): string | null {
  const shown = instantsOfLocal(zone, at + offset);
  const changed =
    moved === 0 ? [] : [`clocks went ${moved > 0 ? 'forward' : 'back'} by ${durationText(Math.abs(moved))}`];
  const twice = shown.length < 2 ? [] : [`shown twice, this is the ${shown[0] === at ? 'first' : 'second'}`];
  return [...changed, ...twice].join('; ') || null;
}

/** Instants at which the offset changes; zones without changes have none. */
function nextChanges(zone: string, after: number, count: number): number[] {
  const changes: number[] = [];
  const last = after + 3 * 366 * DAY;
  for (let segment = segmentAt(zone, after); segment.end < last && changes.length < count;) {
    const following = segmentAt(zone, segment.end);
    if (following.offset !== segment.offset) changes.push(segment.end);
    segment = following;
  }
  return changes;
}

function offsetText(offset: number): string {
  const minutes = Math.round(Math.abs(offset) / 60_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
