import { creationOf, dueIntervals, nextIntervals, type FiresTest, type Interval, type PipelineTest } from '#dag';

/** A run that a schedule creates. */
export interface SimulatedFire {
  readonly at: Date;
  readonly interval: Interval;
}

/** More runs than anybody lists in a test. */
const MOST = 100_000;

/** The runs that are created while the clock moves from one instant to another, looked at whenever something is due. */
export function simulateFires({ pipeline, environment }: PipelineTest, test: FiresTest): SimulatedFire[] {
  const { schedule, environments } = pipeline;
  const { from, to } = test;
  const activatedAt = test.activated ?? from;
  if (environments[environment.name]?.paused ?? environment.schedules === 'paused') return [];
  const fires: SimulatedFire[] = [];
  let lastEnd = test.activated === null ? handledBefore(from, pipeline) : null;
  for (let now = activatedAt > from ? activatedAt : from; now < to && fires.length < MOST;) {
    const due: Interval[] = dueIntervals({ schedule, activatedAt, lastEnd, now, limit: MOST });
    for (const interval of due) fires.push({ at: now, interval });
    lastEnd = latestEnd(due) ?? lastEnd;
    const [next] = nextIntervals(schedule, activatedAt, now, 1);
    if (next === undefined) break;
    now = creationOf(schedule, next);
  }
  return fires;
}

function handledBefore(instant: Date, { schedule }: PipelineTest['pipeline']): Date | null {
  const now = new Date(instant.getTime() - 1);
  return latestEnd(dueIntervals({ schedule, activatedAt: now, lastEnd: null, now, limit: MOST }));
}

function latestEnd(intervals: readonly Interval[]): Date | null {
  return intervals.reduce<Date | null>((latest, { end }) => (latest === null || end > latest ? end : latest), null);
}
