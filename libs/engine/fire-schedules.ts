import {
  datasetsOf,
  otherInstallation,
  type CompiledPipeline,
  type EngineStore,
  type RunRecord,
  type ScheduleRecord,
} from '#core';
import type { Interval } from '#dag';
import { creationOf, dueIntervals, nextIntervals, withOverlay } from '#dag';
import { asksLiveRuns, planFires, SUPERSEDED } from './plan-fires.ts';
import type { AppliedEnvironment, Pipelines } from './ports.ts';

/** Intervals of one pipeline created at one look; a longer backlog follows at the next. */
const MAX_DUE = 500;
/** Pipelines looked at, and runs created, at one look: at midnight the lease must be renewed and runs taken between looks. */
const MAX_LOOKS = 5_000;
const MAX_RUNS = 5_000;
/** Runs created in one transaction. */
const BATCH = 500;

/**
 * When each schedule is next worth looking at, so that ten thousand idle pipelines cost nothing. By environment; `key`
 * is what it was worked out for. A cache: may be empty.
 */
export type NextLook = Map<string, Looks>;

interface Looks {
  readonly key: string;
  readonly at: Map<string, number>;
  /** The first of them: until then there is not even a list to walk. */
  readonly first: number;
}

export interface Fired {
  readonly created: number;
  /** True when the look ended before everything that was due had its turn: look again. */
  readonly more: boolean;
  readonly problems: readonly { readonly pipeline: string; readonly message: string }[];
}

export interface FireLook {
  readonly environment: AppliedEnvironment;
  /** Digest of what it runs. */
  readonly release: string;
  readonly now: Date;
}

const NOTHING: Fired = { created: 0, more: false, problems: [] };

interface Due {
  readonly pipeline: CompiledPipeline;
  readonly record: ScheduleRecord;
  readonly intervals: readonly Interval[];
}

/**
 * Creates the runs that are due in one environment. What is due is a pure function of the pipeline, the watermark and
 * `now`; `pauses` is asked before a pipeline fires that is paused after failures, and says that it is now: a crash may have
 * come before that was found out. Fires are unique in the database, so any number of processes may call this for the same tick.
 */
export async function fireSchedules(
  store: EngineStore,
  pipelines: Pipelines,
  { environment, release, now }: FireLook,
  nextLook: NextLook,
  pauses: (pipeline: CompiledPipeline) => Promise<boolean> = async () => false,
): Promise<Fired> {
  const { name, promotion } = environment.config;
  // It points at what another installation runs.
  if (otherInstallation(promotion) !== null) return NOTHING;
  const key = `${release}/${environment.hash}`;
  const known = nextLook.get(name);
  const isNew = known?.key !== key;
  if (!isNew && known !== undefined && now.getTime() < known.first) return NOTHING;
  const all = overlaid(await pipelines.all(release), name);
  const looks = isNew || !known ? new Map<string, number>() : known.at;
  const scheduled = all.filter(({ schedule }) => schedule.kind !== 'manual');
  const nextOf = ({ name: pipeline }: CompiledPipeline): number => looks.get(pipeline) ?? -Infinity;
  const worthALook = scheduled.filter((pipeline) => nextOf(pipeline) <= now.getTime());
  const records = await recordsOf(store, name, isNew ? all : worthALook, isNew);
  if (isNew) await store.syncListeners(name, all.flatMap(listenersOf));
  nextLook.delete(name);
  const look = new Look(store, { environment, release, now }, looks, pauses);
  await look.at(worthALook, records);
  // Rows that went with a removed environment of the same name come back at the next look, which syncs.
  if (worthALook.every((pipeline) => records.has(pipeline.name))) {
    const first = scheduled.reduce((earliest, pipeline) => Math.min(earliest, nextOf(pipeline)), Infinity);
    nextLook.set(name, { key, at: looks, first });
  }
  return look;
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

/** What a pipeline waits for. */
function listenersOf({ name, schedule }: CompiledPipeline) {
  const { datasets, after = [] } = schedule.triggers ?? {};
  const sources = [
    ...(datasets ? datasetsOf(datasets.expression) : []),
    ...after.map(({ pipeline }) => ({ pipeline, path: null })),
  ];
  return sources.map(({ pipeline, path }) => ({ pipeline: name, source: pipeline, path }));
}

async function recordsOf(
  store: EngineStore,
  environment: string,
  pipelines: readonly CompiledPipeline[],
  sync: boolean,
): Promise<ReadonlyMap<string, ScheduleRecord>> {
  const records = sync
    ? await store.syncSchedules(
        environment,
        pipelines.map(({ name, schedule }) => ({ pipeline: name, definition: JSON.stringify(schedule) })),
      )
    : await store.schedules(
        environment,
        pipelines.map(({ name }) => name),
      );
  return new Map(records.map((record) => [record.pipeline, record]));
}

/** One look at an environment. */
class Look implements Fired {
  created = 0;
  more = false;
  readonly problems: { pipeline: string; message: string }[] = [];

  constructor(
    private readonly store: EngineStore,
    private readonly about: FireLook,
    private readonly looks: Map<string, number>,
    private readonly pauses: (pipeline: CompiledPipeline) => Promise<boolean>,
  ) {}

  async at(pipelines: readonly CompiledPipeline[], records: ReadonlyMap<string, ScheduleRecord>): Promise<void> {
    // The longest overdue first: what this look leaves over comes before the rest at the next.
    const overdue = pipelines
      .filter((pipeline) => !this.isPaused(pipeline, records.get(pipeline.name)))
      .sort((a, b) => (this.looks.get(a.name) ?? -Infinity) - (this.looks.get(b.name) ?? -Infinity));
    this.more = overdue.length > MAX_LOOKS;
    let batch: Due[] = [];
    let [inBatch, total] = [0, 0];
    for (const pipeline of overdue.slice(0, MAX_LOOKS)) {
      const due = this.dueOf(pipeline, records.get(pipeline.name));
      if (due === null || (await this.pausesNow(pipeline))) continue;
      if (total + due.intervals.length > MAX_RUNS) {
        this.more = true;
        break;
      }
      batch.push(due);
      inBatch += due.intervals.length;
      total += due.intervals.length;
      if (inBatch < BATCH) continue;
      // One after the other: two at once would wait for the same connection and the same locks.
      await this.fire(batch);
      [batch, inBatch] = [[], 0];
    }
    if (batch.length > 0) await this.fire(batch);
  }

  private isPaused(pipeline: CompiledPipeline, record: ScheduleRecord | undefined): boolean {
    const { name, schedules } = this.about.environment.config;
    // Only another release or configuration changes this, and with it the key of all looks.
    const byFile = pipeline.environments[name]?.paused ?? schedules === 'paused';
    if (byFile) this.looks.set(pipeline.name, Infinity);
    return byFile || record?.paused === true;
  }

  private async pausesNow(pipeline: CompiledPipeline): Promise<boolean> {
    return pipeline.maxConsecutiveFailedRuns !== undefined && this.pauses(pipeline);
  }

  /** Null when nothing is due; then the next look is noted. */
  private dueOf(pipeline: CompiledPipeline, record: ScheduleRecord | undefined): Due | null {
    if (!record) return null;
    // One broken schedule must not stop the others: its problem is reported and looked at again in a minute.
    try {
      const intervals = dueIntervals({ ...datesOf(pipeline, record), now: this.about.now, limit: MAX_DUE });
      if (intervals.length > 0) return { pipeline, record, intervals };
      this.noteNextFire(pipeline, record);
    } catch (error) {
      this.note(pipeline, error);
    }
    return null;
  }

  private async fire(batch: readonly Due[]): Promise<void> {
    try {
      await this.fireAll(batch);
      for (const { pipeline, record, intervals } of batch)
        if (intervals.length < MAX_DUE) this.noteNextFire(pipeline, record);
    } catch (error) {
      const [only] = batch;
      if (only && batch.length === 1) this.note(only.pipeline, error);
      // What cannot be written must not stop the others either.
      else for (const one of batch) await this.fire([one]);
    }
  }

  private async fireAll(batch: readonly Due[]): Promise<void> {
    const { environment, release, now } = this.about;
    const { store } = this;
    const { name } = environment.config;
    const asking = batch.flatMap(({ pipeline }) => (asksLiveRuns(pipeline) ? [pipeline.name] : []));
    const live = byPipeline(asking.length > 0 ? await store.liveRuns(name, asking) : []);
    const plans = batch.map((due) =>
      planFires({ ...due, live: live.get(due.pipeline.name) ?? [], environment, release, now }),
    );
    const superseded = plans.flatMap((plan) => plan.superseded);
    if (superseded.length > 0) await store.endQueued(superseded, 'skipped', SUPERSEDED);
    const payload = { reason: 'overlap: cancel_running' };
    const cancels = plans.flatMap((plan) => plan.cancelled).map((runId) => ({ runId, kind: 'cancel', payload }));
    if (cancels.length > 0) await store.send(cancels);
    const handled = batch.map(({ pipeline, intervals }) => ({
      pipeline: pipeline.name,
      lastEnd: lastEndOf(intervals),
    }));
    this.created += await store.fireRuns(
      name,
      plans.flatMap((plan) => plan.runs),
      handled,
    );
  }

  private noteNextFire(pipeline: CompiledPipeline, record: ScheduleRecord): void {
    const { schedule, activatedAt } = datesOf(pipeline, record);
    const [next] = nextIntervals(schedule, activatedAt, this.about.now, 1);
    const at = next ? creationOf(schedule, next).getTime() : this.about.now.getTime() + 3_600_000;
    this.looks.set(pipeline.name, at);
  }

  private note(pipeline: CompiledPipeline, error: unknown): void {
    this.problems.push({ pipeline: pipeline.name, message: (error as Error).message });
    this.looks.set(pipeline.name, this.about.now.getTime() + 60_000);
  }
}

function byPipeline(runs: readonly RunRecord[]): Map<string, RunRecord[]> {
  const lists = new Map<string, RunRecord[]>();
  for (const run of runs) {
    const list = lists.get(run.pipeline);
    if (list) list.push(run);
    else lists.set(run.pipeline, [run]);
  }
  return lists;
}

function datesOf({ schedule }: CompiledPipeline, { activatedAt, lastEnd }: ScheduleRecord) {
  return { schedule, activatedAt: new Date(activatedAt), lastEnd: lastEnd === null ? null : new Date(lastEnd) };
}

function lastEndOf(intervals: readonly Interval[]): string {
  return new Date(Math.max(...intervals.map(({ end }) => end.getTime()))).toISOString();
}
