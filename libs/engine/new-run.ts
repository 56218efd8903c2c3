import type { CompiledPipeline, EngineStore, NewRun } from '#core';
import { otherInstallation, SluiceError } from '#core';
import type { Interval } from '#dag';
import { resolveParams, withOverlay } from '#dag';
import { knownEnvironment } from './known-environment.ts';
import type { AppliedEnvironment, Environments, Pipelines } from './ports.ts';

/** A pipeline as it is in one environment, at a release. */
export interface ResolvedPipeline {
  readonly pipeline: CompiledPipeline;
  readonly environment: AppliedEnvironment;
  readonly release: string;
}

export interface ResolveParts {
  readonly store: EngineStore;
  readonly pipelines: Pipelines;
  readonly environments: Environments;
}

/** At the environment's current release, unless another is given. Throws `not_found`, `conflict`. */
export async function resolvePipeline(
  { store, pipelines, environments }: ResolveParts,
  name: string,
  pipelineName: string,
  release?: string,
): Promise<ResolvedPipeline> {
  const environment = knownEnvironment(environments, name);
  const elsewhere = otherInstallation(environment.config.promotion);
  if (elsewhere !== null)
    throw new SluiceError('conflict', `${name} is an environment of ${elsewhere.url}; nothing runs in it here.`, {
      hint: `Ask there: SLUICE_URL=${elsewhere.url} sluice …`,
    });
  const digest = release ?? (await store.currentRelease(name))?.release;
  const pipeline = digest === undefined ? null : await pipelines.get(digest, pipelineName);
  if (digest === undefined || !pipeline) {
    const known = digest === undefined ? [] : (await pipelines.all(digest)).map((item) => item.name);
    throw new SluiceError('not_found', `Environment "${name}" has no pipeline "${pipelineName}".`, {
      hint: known.length > 0 ? `It has: ${known.slice(0, 20).join(', ')}.` : 'It has no release yet.',
    });
  }
  return { pipeline: withOverlay(pipeline, name), environment, release: digest };
}

/** A run that somebody asks for. Throws `bad_request` when the parameters do not hold. */
export function newRun(
  { pipeline, environment, release }: ResolvedPipeline,
  interval: Interval | null,
  given: Readonly<Record<string, unknown>>,
): Omit<NewRun, 'trigger' | 'why' | 'queueOrder'> {
  const params = resolveParams(pipeline, environment.config, given);
  if (!params.ok)
    throw new SluiceError(
      'bad_request',
      `The parameters of "${pipeline.name}" are not valid: ${params.problems.join('; ')}`,
    );
  return {
    environment: environment.config.name,
    pipeline: pipeline.name,
    release,
    configHash: environment.hash,
    triggerKey: null,
    shadow: false,
    promotionId: null,
    intervalStart: interval?.start.toISOString() ?? null,
    intervalEnd: interval?.end.toISOString() ?? null,
    params: params.params,
    originRun: null,
    state: 'queued',
    reason: null,
    maxActiveRuns: pipeline.maxActiveRuns,
    deadlineMs: pipeline.deadlineMs,
    runTimeoutMs: pipeline.runTimeoutMs,
    takeOver: [],
  };
}
