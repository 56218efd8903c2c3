import type { Reprocess, RunRecord, Schedule } from '#core';
import { REPROCESS } from '#core';
import { creationOf, type Interval } from '#dag';

export interface BackfillItem {
  readonly interval: Interval;
  readonly action: 'create' | 'skip';
  readonly reason: string;
  readonly runId: string | null;
}

/** What is known when intervals are decided. */
export interface BackfillFacts {
  readonly schedule: Schedule;
  /** Runs of the pipeline around the intervals, oldest first. */
  readonly existing: readonly RunRecord[];
  readonly reprocess: Reprocess;
  /** The release that a run would be made with. */
  readonly release: string;
  /** By run: a location of which it read another version than the one that is published now. */
  readonly otherInputs: ReadonlyMap<string, string>;
  readonly now: Date;
}

/** What a backfill does about one interval, and why. */
export function planInterval(interval: Interval, facts: BackfillFacts): BackfillItem {
  const { schedule, existing, reprocess, now } = facts;
  const latest = existing.findLast(
    (run) => run.intervalStart === interval.start.toISOString() && run.state !== 'skipped',
  );
  const item = (action: 'create' | 'skip', reason: string): BackfillItem => ({
    interval,
    action,
    reason,
    runId: latest?.id ?? null,
  });
  const asksFor = (which: Reprocess): boolean => REPROCESS.indexOf(reprocess) >= REPROCESS.indexOf(which);
  // Before that its own fire would make a second run of it.
  if (creationOf(schedule, interval) > now) return item('skip', notDue(schedule, interval, now));
  if (!latest) return item('create', 'missing');
  if (latest.state === 'queued' || latest.state === 'running') return item('skip', `in flight as run ${latest.id}`);
  const counts = latest.markedAs ?? latest.state;
  const how = latest.markedAs == null ? `ended ${latest.state}` : `is marked ${latest.markedAs}`;
  if (counts !== 'success' && asksFor('failed')) return item('create', `failed: run ${latest.id} ${how}`);
  const stale = latest.state === 'success' && asksFor('stale') ? whyStale(latest, facts) : null;
  if (stale !== null) return item('create', `stale: ${stale}`);
  const exists = `exists as run ${latest.id} (${latest.markedAs == null ? latest.state : `marked ${latest.markedAs}`})`;
  return asksFor('all') ? item('create', `${exists}; reprocess is all`) : item('skip', exists);
}

function notDue(schedule: Schedule, { start, end }: Interval, now: Date): string {
  const atStart = schedule.kind !== 'manual' && schedule.run === 'at_start';
  if ((atStart ? start : end) <= now) return 'its run is put off by the jitter of the schedule';
  return `its interval has not ${atStart ? 'begun' : 'ended'} yet`;
}

function whyStale({ id, release }: RunRecord, facts: BackfillFacts): string | null {
  if (release !== facts.release) return `run ${id} was made by another release, ${release.slice(0, 12)}`;
  const location = facts.otherInputs.get(id);
  return location === undefined ? null : `run ${id} read another version of ${location}`;
}
