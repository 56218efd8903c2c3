import type { CompiledPipeline } from '#core';
import type { Interval } from '#dag';
import { intervalAt, intervalsBetween, latestIntervals } from '#dag';

const END_OF_TIME = new Date(8.64e15);

/** Why there is nothing to do between two instants where no interval begins, with those that begin around them. */
export function whyNoInterval({ name, schedule }: CompiledPipeline, from: Date, to: Date): string {
  const before = intervalAt(schedule, from, from) ?? latestIntervals(schedule, from, 1)[0];
  const [next] = intervalsBetween(schedule, from, to, END_OF_TIME, 1);
  return `No interval of "${name}" begins from ${from.toISOString()} on and before ${to.toISOString()}: ${around(before, next)}.`;
}

function around(before: Interval | undefined, next: Interval | undefined): string {
  const last = `begins at ${before?.start.toISOString()}`;
  const first = `begins at ${next?.start.toISOString()}`;
  if (before && next) return `the one before ${last}, the next one ${first}`;
  if (next) return `its first one ${first}`;
  return before ? `its last one ${last}` : 'it has none at all';
}
