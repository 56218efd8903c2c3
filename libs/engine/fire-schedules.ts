import { otherInstallation, type CompiledPipeline, type EngineStore, type NewRun, type ScheduleRecord } from '#core';
import type { Interval } from '#dag';
import { dueIntervals, nextIntervals, resolveParams, withOverlay } from '#dag';
import type { AppliedEnvironment, Pipelines } from './ports.ts';

/** Intervals created at one look; a longer backlog follows at the next. */
const MAX_DUE = 500;

/** When each schedule is next worth looking at, so that ten thousand idle pipelines cost nothing. A cache: may be empty. */
export type NextLook = Map<string, { readonly key: string; readonly at: number }>;

export interface Fired {
  readonly created: number;
  readonly problems: readonly { readonly pipeline: string; readonly message: string }[];
}

/**
 * Creates the runs that are due in one environment. What is due is a pure function of the pipeline, the watermark and
 * `now`; fires are unique in the database, so any number of processes may call this for the same tick.
 */
export async function fireSchedules(
  store: EngineStore,
  pipelines: Pipelines,
  environment: AppliedEnvironment,
  now: Date,
  nextLook: NextLook,
): Promise<Fired> {
  const { name, schedules, promotion } = environment.config;
  // It points at what another installation runs.
  if (otherInstallation(promotion) !== null) return { created: 0, problems: [] };
  const pointer = await store.currentRelease(name);
  if (pointer === null) return { created: 0, problems: [] };
  const all = overlaid(await pipelines.all(pointer.release), name);
  const scheduled = all.filter((pipeline) => pipeline.schedule.kind !== 'manual');
  const due = scheduled.filter((pipeline) => {
    const look = nextLook.get(`${name}/${pipeline.name}`);
    return look === undefined || look.key !== lookKey(pointer.release, environment) || look.at <= now.getTime();
  });
  if (due.length === 0) return { created: 0, problems: [] };
  const records = new Map(
    (
      await store.syncSchedules(
        name,
        all.map((pipeline) => ({ pipeline: pipeline.name, definition: JSON.stringify(pipeline.schedule) })),
      )
    ).map((record) => [record.pipeline, record]),
  );
  const problems: { pipeline: string; message: string }[] = [];
  let created = 0;
  for (const pipeline of due) {
    const record = records.get(pipeline.name);
    // One broken schedule must not stop the others: its problem is reported and looked at again in a minute.
    try {
      const paused = record?.paused === true || (pipeline.environments[name]?.paused ?? schedules === 'paused');
      const fired =
        record && !paused
          ? await firePipeline(store, pipeline, record, environment, pointer.release, now)
          : { created: 0, isMore: false };
      created += fired.created;
      nextLook.set(`${name}/${pipeline.name}`, {
        key: lookKey(pointer.release, environment),
        at: paused || fired.isMore ? now.getTime() : nextFireAt(pipeline, record, now),
      });
    } catch (error) {
      problems.push({ pipeline: pipeline.name, message: (error as Error).message });
      nextLook.set(`${name}/${pipeline.name}`, {
        key: lookKey(pointer.release, environment),
        at: now.getTime() + 60_000,
      });
    }
  }
  return { created, problems };
}

/** By the list that a release's cache returns: the same list every second, until the release changes. */
const overlays = new WeakMap<readonly CompiledPipeline[], Map<string, readonly CompiledPipeline[]>>();

function overlaid(pipelines: readonly CompiledPipeline[], environment: string): readonly CompiledPipeline[] {
  const byEnvironment = overlays.get(pipelines) ?? new Map<string, readonly CompiledPipeline[]>();
  overlays.set(pipelines, byEnvironment);
  const known = byEnvironment.get(environment) ?? pipelines.map((pipeline) => withOverlay(pipeline, environment));
  byEnvironment.set(environment, known);
  return known;
}

function lookKey(release: string, environment: AppliedEnvironment): string {
  return `${release}/${environment.hash}`;
}

function nextFireAt(pipeline: CompiledPipeline, record: ScheduleRecord | undefined, now: Date): number {
  const activatedAt = new Date(record?.activatedAt ?? now);
  const [next] = nextIntervals(pipeline.schedule, activatedAt, now, 1);
  return next ? next.end.getTime() : now.getTime() + 3_600_000;
}

async function firePipeline(
  store: EngineStore,
  pipeline: CompiledPipeline,
  record: ScheduleRecord,
  environment: AppliedEnvironment,
  release: string,
  now: Date,
): Promise<{ created: number; isMore: boolean }> {
  const intervals = dueIntervals({
    schedule: pipeline.schedule,
    activatedAt: new Date(record.activatedAt),
    lastEnd: record.lastEnd === null ? null : new Date(record.lastEnd),
    now,
    limit: MAX_DUE,
  });
  if (intervals.length === 0) return { created: 0, isMore: false };
  const lastEnd = new Date(Math.max(...intervals.map((interval) => interval.end.getTime())));
  const ids = await store.createRuns(await runsFor(store, pipeline, intervals, environment, release, now));
  await store.setLastEnd(record.environment, record.pipeline, lastEnd.toISOString());
  return { created: ids.filter((id) => id !== null).length, isMore: intervals.length === MAX_DUE };
}

/** Applies the overlap rule: which of the due intervals are queued, which are recorded as skipped, and what gives way. */
async function runsFor(
  store: EngineStore,
  pipeline: CompiledPipeline,
  intervals: readonly Interval[],
  environment: AppliedEnvironment,
  release: string,
  now: Date,
): Promise<NewRun[]> {
  const params = resolveParams(pipeline, environment.config, {});
  const live = await giveWay(store, pipeline, intervals[0] as Interval, environment);
  let active = live;
  return intervals.map((interval) => {
    const full = pipeline.overlap === 'skip' && active >= pipeline.maxActiveRuns;
    if (!full) active += 1;
    const reason = !params.ok
      ? `its parameters are not valid in ${environment.config.name}: ${params.problems.join('; ')}`
      : full
        ? `overlap: skip; ${active} runs were active, max_active_runs is ${pipeline.maxActiveRuns}`
        : null;
    return {
      ...scheduledRun(pipeline, interval, environment, release, now),
      params: params.ok ? params.params : {},
      state: reason === null ? ('queued' as const) : ('skipped' as const),
      reason,
    };
  });
}

/**
 * Ends or cancels what the new fire replaces, and returns how many runs are live. Only runs of earlier intervals: after a
 * crash between the creation of a run and the note that its interval is handled, the same fire comes here once more.
 */
async function giveWay(
  store: EngineStore,
  pipeline: CompiledPipeline,
  interval: Interval,
  environment: AppliedEnvironment,
): Promise<number> {
  const { overlap, maxActiveRuns } = pipeline;
  if (overlap === 'queue' && catchesUp(pipeline)) return 0;
  const live = await store.liveRuns(environment.config.name, pipeline.name);
  const earlier = live.filter(
    (run) =>
      run.trigger === 'schedule' &&
      run.intervalStart !== null &&
      Date.parse(run.intervalStart) < interval.start.getTime(),
  );
  if (overlap !== 'skip' && !catchesUp(pipeline)) {
    const waiting = earlier.filter((run) => run.state === 'queued').map((run) => run.id);
    const reason = 'superseded: a newer interval became due while it waited for max_active_runs';
    if (waiting.length > 0) await store.endQueued(waiting, 'skipped', reason);
  }
  if (overlap === 'cancel_running') {
    const running = live.filter((run) => run.state === 'running');
    const tooMany = Math.max(0, running.length + 1 - maxActiveRuns);
    const cancelled = earlier.filter((run) => run.state === 'running').slice(0, tooMany);
    const payload = { reason: 'overlap: cancel_running' };
    if (cancelled.length > 0) await store.send(cancelled.map((run) => ({ runId: run.id, kind: 'cancel', payload })));
  }
  return live.length;
}

function catchesUp(pipeline: CompiledPipeline): boolean {
  return pipeline.schedule.kind !== 'manual' && pipeline.schedule.catchup.kind !== 'none';
}

function scheduledRun(
  pipeline: CompiledPipeline,
  interval: Interval,
  environment: AppliedEnvironment,
  release: string,
  now: Date,
): Omit<NewRun, 'params' | 'state' | 'reason'> {
  const { schedule } = pipeline;
  const newestFirst =
    schedule.kind !== 'manual' && schedule.catchup.kind !== 'none' && schedule.catchup.order === 'newest_first';
  const start = interval.start.toISOString();
  const end = interval.end.toISOString();
  const late = now.getTime() - interval.end.getTime() > 60_000;
  return {
    environment: environment.config.name,
    pipeline: pipeline.name,
    release,
    configHash: environment.hash,
    shadow: false,
    promotionId: null,
    trigger: 'schedule',
    triggerKey: `schedule ${start}`,
    why: `Scheduled: its interval ended at ${end}${late ? '; caught up later' : ''}.`,
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
