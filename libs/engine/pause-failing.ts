import type { CompiledPipeline, EngineStore } from '#core';
import { whyPaused } from '#core';
import { pausedAlerts } from './alerts.ts';
import type { AlertDefaults } from './route-alerts.ts';
import type { AppliedEnvironment } from './ports.ts';

/** Who pauses, in the audit trail. */
const ACTOR = 'the scheduler';

export interface FailingPipeline {
  readonly pipeline: CompiledPipeline;
  readonly environment: AppliedEnvironment;
}

/**
 * Pauses a pipeline whose last scheduled runs failed as often in a row as it allows, tells of it, and notes it in the audit
 * trail, all in one transaction under the lock of its schedule: whoever comes second finds it paused. True: it did.
 */
export async function pauseFailing(
  { store, alertDefaults }: { readonly store: EngineStore; readonly alertDefaults: AlertDefaults },
  { pipeline, environment }: FailingPipeline,
): Promise<boolean> {
  const { maxConsecutiveFailedRuns: most, name } = pipeline;
  const env = environment.config.name;
  if (most === undefined) return false;
  const reason = await store.audited(
    async (tx) => {
      const record = await tx.lockSchedule(env, name);
      if (record === null || record.paused) return null;
      const ended = await tx.endedFires(env, name, most);
      const why = whyPaused(most, ended);
      const last = why === null ? null : await tx.getRun(ended[0]?.runId ?? '');
      if (why === null || last === null || !(await tx.pauseBecause(env, name, why))) return null;
      await tx.insertAlerts(pausedAlerts(last, why, pipeline, environment, alertDefaults));
      return why;
    },
    (why) =>
      why === null
        ? []
        : [{ actor: ACTOR, action: 'pipeline.pause', environment: env, subject: name, detail: { reason: why } }],
  );
  return reason !== null;
}
