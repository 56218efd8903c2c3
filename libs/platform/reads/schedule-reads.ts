import type { SchedulePreview } from '#contracts';
import { describeSchedule, previewAroundChanges, previewFires, withOverlay, type FirePreview } from '#dag';
import { apiQueries } from '#store';
import { currentPipeline } from './environment-reads.ts';
import type { ReadContext } from './read-context.ts';

const NEXT = 10;
const AROUND = 6;

/** When the pipeline fires next in this environment, whether it is paused or not. Throws `not_found`. */
export async function readSchedulePreview(
  context: ReadContext,
  environment: string,
  name: string,
): Promise<SchedulePreview> {
  const { entry } = await currentPipeline(context, environment, name);
  if (!entry.pipeline) return { schedule: 'none: the file is broken', timezone: 'UTC', next: [], aroundChanges: [] };
  const { schedule } = withOverlay(entry.pipeline, environment);
  const rows = await apiQueries.readSchedules(context.db, environment);
  const now = context.now();
  const activatedAt = new Date(rows.find(({ pipeline }) => pipeline === name)?.activatedAt ?? now);
  return {
    schedule: describeSchedule(schedule),
    timezone: schedule.kind === 'manual' ? 'UTC' : schedule.timezone,
    next: previewFires(schedule, activatedAt, now, NEXT).map(toFire),
    aroundChanges: previewAroundChanges(schedule, now, AROUND).map(toFire),
  };
}

function toFire({ interval, at, local, offset, clocks }: FirePreview): SchedulePreview['next'][number] {
  const intervalStart = interval.start.toISOString();
  return { at: at.toISOString(), local, offset, intervalStart, intervalEnd: interval.end.toISOString(), clocks };
}
