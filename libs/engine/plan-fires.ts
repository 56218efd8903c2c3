import type { CompiledPipeline, NewRun, RunRecord, ScheduleRecord } from '#core';
import type { Interval } from '#dag';
import { creationOf, resolveParams } from '#dag';
import type { AppliedEnvironment } from './ports.ts';

/** What the due intervals of one pipeline become. */
export interface FirePlan {
  /** Queued, or recorded as skipped with the reason. */
  readonly runs: readonly NewRun[];
  /** Ids of queued runs that a newer interval replaces. */
  readonly superseded: readonly string[];
  /** Ids of running runs that give way. */
  readonly cancelled: readonly string[];
}

export interface FireInput {
  readonly pipeline: CompiledPipeline;
  readonly record: ScheduleRecord;
  /** Due, in the order of creation; at least one. */
  readonly intervals: readonly Interval[];
  /** Queued and running runs of the pipeline, when `asksLiveRuns`. */
  readonly live: readonly RunRecord[];
  readonly environment: AppliedEnvironment;
  readonly release: string;
  readonly now: Date;
}

export const SUPERSEDED = 'superseded: a newer interval became due while it waited for max_active_runs';

/** False when fires of this pipeline queue up whatever else is under way. */
export function asksLiveRuns(pipeline: CompiledPipeline): boolean {
  return pipeline.overlap !== 'queue' || !catchesUp(pipeline);
}

/** Applies the overlap rule to due intervals. */
export function planFires(input: FireInput): FirePlan {
  const { pipeline, intervals, live, environment } = input;
  const params = resolveParams(pipeline, environment.config, {});
  let active = live.length;
  const runs = intervals.map((interval) => {
    const full = pipeline.overlap === 'skip' && active >= pipeline.maxActiveRuns;
    if (!full) active += 1;
    const reason = !params.ok
      ? `its parameters are not valid in ${environment.config.name}: ${params.problems.join('; ')}`
      : full
        ? `overlap: skip; ${active} runs were active, max_active_runs is ${pipeline.maxActiveRuns}`
        : null;
    return {
      ...scheduledRun(input, interval),
      params: params.ok ? params.params : {},
      state: reason === null ? ('queued' as const) : ('skipped' as const),
      reason,
    };
  });
  return { runs, ...giveWay(input) };
}

/**
 * What the new fire replaces. Only runs of earlier intervals: after a crash between ending them and creating the run,
 * the same fire comes here once more.
 */
function giveWay({ pipeline, intervals, live }: FireInput): Omit<FirePlan, 'runs'> {
  const { overlap, maxActiveRuns } = pipeline;
  const first = intervals[0]?.start.getTime() ?? -Infinity;
  const earlier = live.filter(
    (run) => run.trigger === 'schedule' && run.intervalStart !== null && Date.parse(run.intervalStart) < first,
  );
  const waiting = overlap !== 'skip' && !catchesUp(pipeline) ? earlier.filter((run) => run.state === 'queued') : [];
  const running = live.filter((run) => run.state === 'running').length;
  const tooMany = overlap === 'cancel_running' ? Math.max(0, running + 1 - maxActiveRuns) : 0;
  const cancelled = earlier.filter((run) => run.state === 'running').slice(0, tooMany);
  return { superseded: waiting.map((run) => run.id), cancelled: cancelled.map((run) => run.id) };
}

function catchesUp(pipeline: CompiledPipeline): boolean {
  return pipeline.schedule.kind !== 'manual' && pipeline.schedule.catchup.kind !== 'none';
}

function scheduledRun(
  { pipeline, record, environment, release, now }: FireInput,
  interval: Interval,
): Omit<NewRun, 'params' | 'state' | 'reason'> {
  const { schedule } = pipeline;
  const newestFirst =
    schedule.kind !== 'manual' && schedule.catchup.kind !== 'none' && schedule.catchup.order === 'newest_first';
  const start = interval.start.toISOString();
  const end = interval.end.toISOString();
  return {
    environment: environment.config.name,
    pipeline: pipeline.name,
    release,
    configHash: environment.hash,
    shadow: false,
    promotionId: null,
    trigger: 'schedule',
    triggerKey: triggerKey(record, interval),
    why: whyOf(pipeline, interval, now),
    intervalStart: start,
    intervalEnd: end,
    originRun: null,
    maxActiveRuns: pipeline.maxActiveRuns,
    queueOrder: newestFirst ? -interval.start.getTime() : interval.start.getTime(),
    deadlineMs: pipeline.deadlineMs,
    runTimeoutMs: pipeline.runTimeoutMs,
    takeOver: [],
  };
}

/**
 * The start names an interval. Only the first one after a changed schedule may begin before what was handled, where an
 * interval of the old schedule may have begun too: its end tells them apart.
 */
function triggerKey({ lastEnd }: ScheduleRecord, { start, end }: Interval): string {
  const overlaps = lastEnd !== null && start.getTime() < Date.parse(lastEnd);
  return `schedule ${start.toISOString()}${overlaps ? ` ${end.toISOString()}` : ''}`;
}

function whyOf({ schedule }: CompiledPipeline, interval: Interval, now: Date): string {
  const atStart = schedule.kind !== 'manual' && schedule.run === 'at_start';
  const reached = atStart
    ? `its interval began at ${interval.start.toISOString()}`
    : `its interval ended at ${interval.end.toISOString()}`;
  const late = now.getTime() - creationOf(schedule, interval).getTime() > 60_000;
  return `Scheduled: ${reached}${late ? '; caught up later' : ''}.`;
}
