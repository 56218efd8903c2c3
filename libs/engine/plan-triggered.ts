import type { AfterTrigger, CompiledPipeline, DatasetTrigger, NewRun, RunRecord, StartedBy, Unseen } from '#core';
import { followsEnd, MAX_DEPTH, spanOf, startingVersions } from '#core';
import { resolveParams } from '#dag';
import type { AppliedEnvironment } from './ports.ts';

/** A run that something other than time or a person starts. */
export interface Start {
  readonly trigger: 'dataset' | 'after' | 'event' | 'call';
  readonly triggerKey: string;
  readonly why: string;
  readonly interval: { readonly start: string; readonly end: string } | null;
  /** Given values; the rest comes from the file and the environment. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly startedBy: StartedBy;
  /** Why it cannot be; null: it can. */
  readonly refusal: string | null;
}

export interface StartInput {
  readonly pipeline: CompiledPipeline;
  readonly environment: AppliedEnvironment;
  readonly release: string;
  /** Queued and running runs of the pipeline. */
  readonly live: readonly RunRecord[];
  readonly now: Date;
}

/** What becomes of starts: runs, queued or recorded as skipped with the reason; and running ones that give way. */
export function planStarts(
  starts: readonly Start[],
  { pipeline, environment, release, live, now }: StartInput,
): { readonly runs: readonly NewRun[]; readonly cancelled: readonly string[] } {
  const { overlap, maxActiveRuns } = pipeline;
  let active = live.length;
  const runs = starts.map((start): NewRun => {
    const params = resolveParams(pipeline, environment.config, start.params);
    const reason =
      start.refusal ??
      (start.startedBy.depth > MAX_DEPTH ? loopReason(start.startedBy.depth) : null) ??
      (params.ok ? null : `its parameters are not valid: ${params.problems.join('; ')}`) ??
      (overlap === 'skip' && active >= maxActiveRuns
        ? `overlap: skip; ${active} runs were active, max_active_runs is ${maxActiveRuns}`
        : null);
    if (reason === null) active += 1;
    return {
      environment: environment.config.name,
      pipeline: pipeline.name,
      release,
      configHash: environment.hash,
      shadow: false,
      promotionId: null,
      trigger: start.trigger,
      triggerKey: start.triggerKey,
      why: start.why,
      intervalStart: start.interval?.start ?? null,
      intervalEnd: start.interval?.end ?? null,
      params: params.ok ? params.params : {},
      originRun: null,
      state: reason === null ? 'queued' : 'skipped',
      reason,
      maxActiveRuns,
      queueOrder: start.interval === null ? now.getTime() : Date.parse(start.interval.start),
      deadlineMs: pipeline.deadlineMs,
      runTimeoutMs: pipeline.runTimeoutMs,
      takeOver: [],
      startedBy: start.startedBy,
    };
  });
  const coming = runs.filter(({ state }) => state === 'queued').length;
  const running = live.filter(({ state }) => state === 'running');
  const tooMany = overlap === 'cancel_running' && coming > 0 ? Math.max(0, running.length + 1 - maxActiveRuns) : 0;
  const cancelled = running.filter(({ trigger }) => trigger !== 'manual').slice(0, tooMany);
  return { runs, cancelled: cancelled.map(({ id }) => id) };
}

/** True for the reason that the loop guard gives. */
export function isLoop({ startedBy }: Pick<NewRun, 'startedBy'>): boolean {
  return (startedBy?.depth ?? 0) > MAX_DEPTH;
}

function loopReason(depth: number): string {
  return `${depth} runs in a row started each other; at most ${MAX_DEPTH} may`;
}

/**
 * The run that new versions start; null: not yet. It takes in what `replaced`, queued runs that new versions started
 * earlier, were to be about, so that its interval spans everything that is new.
 */
export function datasetStart(
  trigger: DatasetTrigger,
  unseen: readonly Unseen[],
  newest: ReadonlyMap<string, string>,
  replaced: readonly Pick<RunRecord, 'id' | 'intervalStart' | 'intervalEnd'>[],
): Start | null {
  const versions = startingVersions(trigger, unseen, newest);
  const last = versions?.at(-1);
  if (!versions || !last) return null;
  const instead = replaced.length === 0 ? '' : ` It replaces run ${replaced.map(({ id }) => id).join(', ')}.`;
  return {
    trigger: 'dataset',
    triggerKey: `dataset ${last.id}`,
    why: `New data: ${newData(versions)}.${instead}`,
    interval: spanOf([...versions, ...replaced]),
    params: {},
    refusal: null,
    startedBy: {
      runs: versions.map(({ runId, path }) => ({ runId, path })),
      event: null,
      depth: 1 + Math.max(...versions.map(({ depth }) => depth)),
    },
  };
}

function newData(versions: readonly Unseen[]): string {
  const runs = new Map<string, Set<string>>();
  for (const { source, path, runId } of versions) {
    const name = `${source}.${path}`;
    runs.set(name, (runs.get(name) ?? new Set()).add(runId));
  }
  return [...runs].map(([name, ids]) => `${name} of ${counted([...ids])}`).join(', ');
}

function counted(runIds: readonly string[]): string {
  return runIds.length === 1 ? `run ${runIds[0]}` : `${runIds.length} runs, the last ${runIds.at(-1)}`;
}

/** One run for each run of another pipeline that ended as it should; about the same interval. */
export function afterStarts(after: readonly AfterTrigger[], unseen: readonly Unseen[]): Start[] {
  return unseen
    .filter(({ source, path, state }) => path === null && followsEnd(after, source, state))
    .map(({ source, runId, state, intervalStart, intervalEnd, depth }) => ({
      trigger: 'after',
      triggerKey: `after ${runId}`,
      why: `Run ${runId} of ${source} ended: ${state}.`,
      interval: intervalStart === null || intervalEnd === null ? null : { start: intervalStart, end: intervalEnd },
      params: {},
      refusal: null,
      startedBy: { runs: [{ runId, path: null }], event: null, depth: depth + 1 },
    }));
}

/** While a pipeline is paused its next start is not made but kept: of the ends of another pipeline the latest alone, as with a cron. */
export function passedOver(after: readonly AfterTrigger[], unseen: readonly Unseen[]): string[] {
  const latest = new Map<string, string>();
  const ends = unseen.filter(({ path }) => path === null);
  for (const { id, source, state } of ends) if (followsEnd(after, source, state)) latest.set(source, id);
  return ends.filter(({ id, source }) => latest.get(source) !== id).map(({ id }) => id);
}
