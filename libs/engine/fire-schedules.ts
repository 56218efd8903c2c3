import type { CompiledPipeline, EngineStore, NewRun, ScheduleRecord } from '#core';
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
  const { name, schedules } = environment.config;
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
      if (record && !paused) created += await firePipeline(store, pipeline, record, environment, pointer.release, now);
      nextLook.set(`${name}/${pipeline.name}`, {
        key: lookKey(pointer.release, environment),
        at: paused ? now.getTime() + 1000 : nextFireAt(pipeline, record, now),
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
  // A backlog longer than MAX_DUE goes on at the next look, so look again soon while intervals of the past remain.
  return next ? next.end.getTime() : now.getTime() + 3_600_000;
}

async function firePipeline(
  store: EngineStore,
  pipeline: CompiledPipeline,
  record: ScheduleRecord,
  environment: AppliedEnvironment,
  release: string,
  now: Date,
): Promise<number> {
  const intervals: Interval[] = [];
  let lastEnd = record.lastEnd === null ? null : new Date(record.lastEnd);
  for (;;) {
    const due = dueIntervals({
      schedule: pipeline.schedule,
      activatedAt: new Date(record.activatedAt),
      lastEnd,
      now,
      limit: MAX_DUE,
    });
    if (due.length === 0) break;
    intervals.push(...due);
    lastEnd = new Date(Math.max(...due.map((interval) => interval.end.getTime())));
    if (due.length < MAX_DUE) break;
  }
  if (intervals.length === 0 || lastEnd === null) return 0;
  const ids = await store.createRuns(await runsFor(store, pipeline, intervals, environment, release, now));
  await store.setLastEnd(record.environment, record.pipeline, lastEnd.toISOString());
  return ids.filter((id) => id !== null).length;
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
  const live =
    pipeline.overlap === 'queue' && catchesUp(pipeline)
      ? []
      : await store.liveRuns(environment.config.name, pipeline.name);
  if (pipeline.overlap === 'cancel_running')
    await store.send(
      live
        .filter((run) => run.state === 'running')
        .map((run) => ({ runId: run.id, kind: 'cancel', payload: { reason: 'overlap: cancel_running' } })),
    );
  if (pipeline.overlap === 'queue' && !catchesUp(pipeline)) {
    const waiting = live.filter((run) => run.state === 'queued' && run.trigger === 'schedule').map((run) => run.id);
    if (waiting.length > 0)
      await store.endQueued(
        waiting,
        'skipped',
        'superseded: a newer interval became due while it waited for max_active_runs',
      );
  }
  let active = live.length;
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
