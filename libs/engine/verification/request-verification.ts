import type { CompiledPipeline, LoadedTaskRun, NewRun, PinnedVersion, RunRecord, RunVersion } from '#core';
import { notComparable, planVerification, SluiceError } from '#core';
import type { AppliedEnvironment } from '../ports.ts';
import type { VerificationParts } from './verification-parts.ts';

/** Manifests read at once. */
const LANES = 16;

/**
 * Begins to execute a successful run again, on its own release, parameters and input versions, as a shadow run: it
 * publishes nothing and alerts nobody. What cannot be compared is said at once, and nothing is started. Returns the
 * verification's id; of one that goes on already, that one's. Throws `not_found`, and `conflict` for runs that did not
 * succeed.
 */
export async function requestVerification(
  parts: VerificationParts,
  runId: string,
  asked: { readonly actor: string; readonly sampled: boolean },
): Promise<string> {
  const { verifications, store } = parts;
  const { run, environment } = await runToVerify(parts, runId);
  const open = await verifications.openOf(runId);
  if (open !== null) return open;
  const given = { runId, environment: run.environment, pipeline: run.pipeline, ...asked };
  const [pipeline, taskRuns, versions] = await Promise.all([
    pipelineOf(parts, run),
    store.loadTaskRuns([runId]),
    verifications.versionsOf(runId),
  ]);
  const needed = versionsNeeded(taskRuns, versions);
  const gone = await whichAreGone(parts, run.environment, needed);
  const plan = planVerification({ pipeline, taskRuns, versions, gone });
  if (plan.kind === 'impossible') return verifications.record(given, plan.comparison);
  if (pipeline === null) throw new SluiceError('internal', `run ${runId} is planned without its pipeline`);
  const shadow = shadowRun(run, pipeline, environment, asked.actor, plan.takeOver);
  const used = [...needed].map(([version, one]) => ({ environment: one.environment ?? run.environment, version }));
  const begun = await verifications.begin(given, shadow, used);
  if (begun.kind === 'gone')
    return verifications.record(given, notComparable(`Version ${begun.version}, which it needs, is gone.`));
  parts.wake();
  return begun.id;
}

async function runToVerify(
  { store, environments }: VerificationParts,
  runId: string,
): Promise<{ run: RunRecord; environment: AppliedEnvironment }> {
  const run = /^\d{1,18}$/.test(runId) ? await store.getRun(runId) : null;
  if (run === null)
    throw new SluiceError('not_found', `There is no run ${JSON.stringify(runId)}.`, {
      hint: 'See `sluice runs list`.',
    });
  if (run.shadow)
    throw new SluiceError('conflict', `Run ${runId} is itself a ${run.trigger} run, which publishes nothing.`, {
      hint: run.originRun === null ? 'Verify an ordinary run.' : `Verify run ${run.originRun}.`,
    });
  if (run.state !== 'success')
    throw new SluiceError('conflict', `Run ${runId} is ${run.state}; only a run that succeeded can be verified.`);
  const environment = environments.get(run.environment);
  if (environment === null)
    throw new SluiceError('conflict', `Run ${runId} was made in environment "${run.environment}", which is gone.`);
  return { run, environment };
}

export async function pipelineOf(
  { pipelines }: Pick<VerificationParts, 'pipelines'>,
  run: Pick<RunRecord, 'release' | 'pipeline'>,
): Promise<CompiledPipeline | null> {
  try {
    return await pipelines.get(run.release, run.pipeline);
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'not_found') return null;
    throw error;
  }
}

type Needed = Pick<PinnedVersion, 'manifestHash'> & { readonly environment?: string };

/** By version: everything that the run read or wrote, with its hash and where it lies. */
function versionsNeeded(
  taskRuns: readonly LoadedTaskRun[],
  versions: readonly RunVersion[],
): ReadonlyMap<string, Needed> {
  const read = taskRuns.flatMap(({ inputs }) => (inputs ?? []).flatMap((input) => input.versions));
  return new Map<string, Needed>([...read, ...versions].map((one) => [one.version, one]));
}

async function whichAreGone(
  { filesOf }: VerificationParts,
  environment: string,
  needed: ReadonlyMap<string, Needed>,
): Promise<ReadonlySet<string>> {
  const gone = new Set<string>();
  const open = [...needed];
  const look = async (): Promise<void> => {
    for (let next = open.pop(); next !== undefined; next = open.pop())
      if ((await filesOf(next[1].environment ?? environment, next[0], next[1].manifestHash)) === null)
        gone.add(next[0]);
  };
  await Promise.all(Array.from({ length: LANES }, look));
  return gone;
}

function shadowRun(
  run: RunRecord,
  pipeline: CompiledPipeline,
  environment: AppliedEnvironment,
  actor: string,
  takeOver: NewRun['takeOver'],
): NewRun {
  const { id, intervalStart, intervalEnd, params, release } = run;
  return {
    environment: run.environment,
    pipeline: run.pipeline,
    release,
    configHash: environment.hash,
    trigger: 'verification',
    triggerKey: null,
    shadow: true,
    promotionId: null,
    why: `${actor} asked whether run ${id} writes the same when it is executed again.`,
    intervalStart,
    intervalEnd,
    params,
    originRun: id,
    state: 'queued',
    reason: null,
    maxActiveRuns: pipeline.maxActiveRuns,
    queueOrder: 0,
    deadlineMs: null,
    runTimeoutMs: pipeline.runTimeoutMs,
    takeOver,
  };
}
