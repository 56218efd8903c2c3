import type { CompiledPipeline, EngineStore, NewRun } from '#core';
import { latestIntervals, resolveParams, withOverlay } from '#dag';
import type { AppliedEnvironment } from '../ports.ts';

/** Before everything else that waits: somebody looks at a promotion. */
const QUEUE_ORDER = -1e15;

export interface PromotionRuns {
  readonly promotionId: string;
  readonly environment: AppliedEnvironment;
  readonly release: string;
  readonly trigger: 'smoke' | 'verification';
  /** Runs of each pipeline: for its last complete intervals, newest first; one without interval when it has no schedule. */
  readonly perPipeline: number;
  readonly now: Date;
}

/** Starts what is not started yet; a second call changes nothing. Returns the pipelines that cannot run, with the reason. */
export async function startPromotionRuns(
  store: EngineStore,
  pipelines: readonly CompiledPipeline[],
  given: PromotionRuns,
): Promise<readonly { readonly pipeline: string; readonly reason: string }[]> {
  const impossible: { pipeline: string; reason: string }[] = [];
  const runs: NewRun[] = [];
  for (const compiled of pipelines) {
    const pipeline = withOverlay(compiled, given.environment.config.name);
    const params = resolveParams(pipeline, given.environment.config, {});
    if (params.ok) runs.push(...runsOf(pipeline, params.params, given));
    else impossible.push({ pipeline: pipeline.name, reason: params.problems.join('; ') });
  }
  await store.createRuns(runs);
  return impossible;
}

function runsOf(pipeline: CompiledPipeline, params: NewRun['params'], given: PromotionRuns): NewRun[] {
  const { environment, promotionId, trigger, release, now, perPipeline } = given;
  const latest = latestIntervals(pipeline.schedule, now, perPipeline);
  const intervals = latest.length > 0 ? latest : [null];
  return intervals.map((interval, index) => ({
    environment: environment.config.name,
    pipeline: pipeline.name,
    release,
    configHash: environment.hash,
    trigger,
    triggerKey: `promotion ${promotionId} ${trigger} ${index}`,
    // A smoke run is an ordinary run of the environment before; verification must leave no trace.
    shadow: trigger === 'verification',
    promotionId,
    why: `Promotion ${promotionId} asked for it: ${trigger === 'smoke' ? 'does the release run here' : 'does the release do its work'}?`,
    intervalStart: interval?.start.toISOString() ?? null,
    intervalEnd: interval?.end.toISOString() ?? null,
    params,
    originRun: null,
    state: 'queued',
    reason: null,
    maxActiveRuns: Math.max(pipeline.maxActiveRuns, perPipeline),
    queueOrder: QUEUE_ORDER + index,
    deadlineMs: null,
    runTimeoutMs: pipeline.runTimeoutMs,
    takeOver: [],
  }));
}

/** Pipelines that any of the patterns names; `*` stands for any text, `?` for one character. */
export function matchingPipelines(
  pipelines: readonly CompiledPipeline[],
  patterns: readonly string[],
): readonly CompiledPipeline[] {
  const expressions = patterns.map((pattern) => {
    const literal = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`);
  });
  return pipelines.filter(({ name }) => expressions.some((expression) => expression.test(name)));
}
