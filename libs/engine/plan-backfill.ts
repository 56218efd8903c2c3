import type { RunRecord, Schedule } from '#core';
import { creationOf, type Interval } from '#dag';

export interface BackfillItem {
  readonly interval: Interval;
  readonly action: 'create' | 'skip';
  readonly reason: string;
  readonly runId: string | null;
}

/** What a backfill does about one interval, and why; `existing` are the runs of the pipeline around it, oldest first. */
export function planInterval(
  schedule: Schedule,
  interval: Interval,
  existing: readonly RunRecord[],
  reprocess: 'missing' | 'failed' | 'all',
  now: Date,
): BackfillItem {
  const runs = existing.filter((run) => run.intervalStart === interval.start.toISOString() && run.state !== 'skipped');
  const latest = runs.at(-1);
  const item = (action: 'create' | 'skip', reason: string): BackfillItem => ({
    interval,
    action,
    reason,
    runId: latest?.id ?? null,
  });
  // Before that its own fire would make a second run of it.
  if (creationOf(schedule, interval) > now) return item('skip', notDue(schedule, interval, now));
  if (!latest) return item('create', 'missing');
  if (latest.state === 'queued' || latest.state === 'running') return item('skip', `in flight as run ${latest.id}`);
  if (reprocess === 'all') return item('create', `exists as run ${latest.id} (${latest.state}); reprocess is all`);
  if (reprocess === 'failed' && latest.state !== 'success')
    return item('create', `run ${latest.id} ended ${latest.state}`);
  return item('skip', `exists as run ${latest.id} (${latest.state})`);
}

function notDue(schedule: Schedule, { start, end }: Interval, now: Date): string {
  const atStart = schedule.kind !== 'manual' && schedule.run === 'at_start';
  if ((atStart ? start : end) <= now) return 'its run is put off by the jitter of the schedule';
  return `its interval has not ${atStart ? 'begun' : 'ended'} yet`;
}
