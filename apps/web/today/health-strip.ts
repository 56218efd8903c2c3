import type { Day } from './day-runs.ts';

const HOUR = 3_600_000;

export interface HourCell {
  /** Start of the hour, epoch milliseconds. */
  readonly from: number;
  readonly good: number;
  readonly bad: number;
  /** Cancelled. */
  readonly other: number;
  /** False: there were more runs since than were read, so nothing is known. */
  readonly known: boolean;
}

/** Ended runs of each pipeline by the hour they ended in: the last 24 hours, oldest first, the last one going on. */
export function healthStrip(
  pipelines: readonly string[],
  day: Day,
  now: number,
): { readonly pipeline: string; readonly hours: readonly HourCell[] }[] {
  const first = Math.floor(now / HOUR) * HOUR - 23 * HOUR;
  const oldest = day.complete ? -Infinity : day.runs.reduce((least, run) => Math.min(least, run.at), Infinity);
  return pipelines.map((pipeline) => {
    const hours = Array.from({ length: 24 }, (_, index) => {
      const from = first + index * HOUR;
      return { from, good: 0, bad: 0, other: 0, known: from + HOUR > oldest };
    });
    for (const run of day.runs) {
      const cell = run.pipeline === pipeline ? hours[Math.floor((run.at - first) / HOUR)] : undefined;
      if (cell === undefined) continue;
      if (run.state === 'success') cell.good++;
      else if (run.state === 'failed' || run.state === 'timed_out') cell.bad++;
      else cell.other++;
    }
    return { pipeline, hours };
  });
}
