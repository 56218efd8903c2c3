import type { RunState } from '#core';
import type { Run } from '#contracts';
import type { Page } from '#contracts/client';

/** What the strip of 24 hours needs to know of a run that ended. */
export interface DayRun {
  readonly id: string;
  readonly pipeline: string;
  readonly state: RunState;
  /** When it ended, epoch milliseconds. */
  readonly at: number;
}

/** `complete`: every run that ended in the day is there. */
export interface Day {
  readonly runs: readonly DayRun[];
  readonly complete: boolean;
}

const DAY_MS = 86_400_000;
/** Pages of 200 that are read at most: a busier day stays incomplete rather than slow. */
const MOST_PAGES = 5;

/** Reads ended runs but shadow runs, newest created first, until they were created more than a day ago. */
export async function readDay(
  page: (cursor: string | null) => Promise<Page<Run>>,
  now: number = Date.now(),
): Promise<Day> {
  const runs: DayRun[] = [];
  let cursor: string | null = null;
  for (let number = 0; number < MOST_PAGES; number++) {
    const { items, next }: Page<Run> = await page(cursor);
    for (const run of items.filter(({ shadow }) => !shadow))
      runs.push({
        id: run.id,
        pipeline: run.pipeline,
        state: run.state,
        at: Date.parse(run.finishedAt ?? run.createdAt),
      });
    const oldest = items.at(-1);
    if (next === null || oldest === undefined || Date.parse(oldest.createdAt) < now - DAY_MS)
      return { runs, complete: true };
    cursor = next;
  }
  return { runs, complete: false };
}

const ENDED: readonly RunState[] = ['success', 'failed', 'timed_out', 'cancelled'];
/** For the query of `readDay`. A catch-up queues hundreds of runs that would tell nothing here; they are left out. */
export const ENDED_STATES = ENDED.join(',');

/** The day with a run that a live event told of; the same day when that run has not ended. */
export function addToDay(day: Day, run: DayRun): Day {
  if (!ENDED.includes(run.state)) return day;
  return { ...day, runs: [run, ...day.runs.filter((one) => one.id !== run.id && one.at > run.at - DAY_MS)] };
}
