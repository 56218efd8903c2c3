import type { CalledRun, DueWait, EngineStore, Look, RunRecord, WaitKey, WaitTarget } from '#core';
import { unreachable } from '#core';
import { withOverlay } from '#dag';
import { planStarts, type Start } from '../plan-triggered.ts';
import type { Environments, Pipelines } from '../ports.ts';
import { cancelRuns } from '../start-triggered.ts';

export interface CallParts {
  readonly store: EngineStore;
  readonly pipelines: Pipelines;
  readonly environments: Environments;
}

type Call = Extract<WaitTarget, { kind: 'call' }>;

/**
 * Starts the run that a task calls, on the release of its own run and for the same interval. In one transaction with the
 * note of its id, and the caller's row is locked: a caller that is stopped just now either starts none or knows which to stop.
 */
export async function startCalled(parts: CallParts, wait: DueWait, call: Call, now: Date): Promise<Look> {
  const { store, pipelines, environments } = parts;
  const caller = await store.getRun(wait.runId);
  const environment = environments.get(wait.environment);
  if (caller === null || environment === null)
    return { kind: 'not-yet', detail: `the environment ${wait.environment} is not known here` };
  const found = await pipelines.get(caller.release, call.pipeline);
  if (found === null) return { kind: 'never', detail: `its release has no pipeline ${call.pipeline}` };
  const pipeline = withOverlay(found, wait.environment);
  return store.audited(
    async (tx): Promise<Look> => {
      const givesWay = pipeline.overlap === 'cancel_running';
      const rivals = givesWay ? { environment: wait.environment, pipeline: pipeline.name } : null;
      const depth = await tx.lockCaller(wait, rivals);
      if (depth === null) return { kind: 'not-yet', detail: 'somebody else has started its run' };
      const live = await tx.liveRuns(wait.environment, [pipeline.name]);
      const start = calledStart(caller, wait, call, depth);
      const { runs, cancelled } = planStarts([start], { pipeline, environment, release: caller.release, live, now });
      const [id = null] = await tx.createRuns(runs);
      if (id === null) return { kind: 'never', detail: `its run of ${call.pipeline} is not known any more` };
      await cancelRuns(tx, cancelled);
      await tx.noteCalled(wait, id);
      return calledLook(id, pipeline.name, runs[0] ?? null);
    },
    () => [],
  );
}

function calledStart(caller: RunRecord, { taskId, mapIndex }: WaitKey, { params }: Call, depth: number): Start {
  const { id, pipeline, intervalStart, intervalEnd } = caller;
  return {
    trigger: 'call',
    triggerKey: `call ${id}/${taskId}${mapIndex === 0 ? '' : `/${mapIndex}`}`,
    why: `Called by task ${taskId}${mapIndex === 0 ? '' : `[${mapIndex}]`} of run ${id} of ${pipeline}.`,
    interval: intervalStart === null || intervalEnd === null ? null : { start: intervalStart, end: intervalEnd },
    params,
    refusal: null,
    startedBy: { runs: [{ runId: id, path: null }], event: null, depth: depth + 1 },
  };
}

/** How a called run stands; null: it was deleted. */
export function calledLook(runId: string, pipeline: string, run: CalledRun | null): Look {
  const name = `run ${runId} of ${pipeline}`;
  if (run === null) return { kind: 'never', detail: `${name} does not exist any more` };
  const why = run.reason === null ? '' : `: ${run.reason}`;
  switch (run.state) {
    case 'success':
      return { kind: 'met', detail: `${name} succeeded` };
    case 'queued':
    case 'running':
      return { kind: 'not-yet', detail: `${name} is ${run.state}` };
    case 'failed':
    case 'timed_out':
    case 'cancelled':
    case 'skipped':
      return { kind: 'never', detail: `${name} ended: ${run.state}${why}` };
    default:
      return unreachable(run.state);
  }
}
