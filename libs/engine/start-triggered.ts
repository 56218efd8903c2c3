import type { AlertInsert, CompiledPipeline, EngineStore, NewRun } from '#core';
import { datasetsOf, otherInstallation } from '#core';
import { withOverlay } from '#dag';
import type { AlertDefaults } from './route-alerts.ts';
import { loopingAlerts } from './alerts.ts';
import { afterStarts, datasetStart, isLoop, passedOver, planStarts, type Start } from './plan-triggered.ts';
import type { AppliedEnvironment, Environments, Observer, Pipelines } from './ports.ts';

/** Pipelines looked at before other work gets its turn; more follow at once. */
const MAX_LOOKS = 200;

export const REPLACED = 'superseded: newer data came while it waited, and the run that it started covers both';

export interface TriggerParts {
  readonly store: EngineStore;
  readonly pipelines: Pipelines;
  readonly environments: Environments;
  readonly observer: Observer;
  readonly alertDefaults: AlertDefaults;
}

/**
 * Starts what other pipelines' data and ends start, since somebody looked last. What happened stands in the database
 * since the commit in which it did; a pipeline's decision locks its schedule's row, so any number of processes may call
 * this. Returns how many runs it created, and whether more is to be looked at.
 */
export async function startTriggered(parts: TriggerParts, now: Date): Promise<{ created: number; more: boolean }> {
  const { store, environments, observer } = parts;
  const waiting = await store.unasked(MAX_LOOKS);
  let created = 0;
  for (const { environment: name, pipeline } of waiting) {
    try {
      const environment = environments.get(name);
      const found = environment && (await currentPipeline(parts, environment, pipeline));
      created += await store.audited(
        (tx) =>
          environment && found ? startOne(parts, tx, { environment, ...found, now }) : setAside(tx, name, pipeline),
        () => [],
      );
    } catch (error) {
      observer.problem('starting a triggered run', error, { environment: name, pipeline });
    }
  }
  return { created, more: waiting.length === MAX_LOOKS && created > 0 };
}

async function currentPipeline(
  { store, pipelines }: TriggerParts,
  environment: AppliedEnvironment,
  name: string,
): Promise<{ pipeline: CompiledPipeline; release: string } | null> {
  const { config } = environment;
  const pointer = otherInstallation(config.promotion) === null ? await store.currentRelease(config.name) : null;
  const pipeline = pointer && (await pipelines.get(pointer.release, name));
  return pointer && pipeline ? { pipeline: withOverlay(pipeline, config.name), release: pointer.release } : null;
}

/** Nobody waits for it any more; the next release that does asks again. */
async function setAside(store: EngineStore, environment: string, pipeline: string): Promise<number> {
  const read = (await store.unseen(environment, pipeline)).map(({ id }) => id);
  await store.settleUnseen(environment, pipeline, read, []);
  return 0;
}

interface Asked {
  readonly pipeline: CompiledPipeline;
  readonly environment: AppliedEnvironment;
  readonly release: string;
  readonly now: Date;
}

/** In one transaction: what started the runs is gone when they are there. */
async function startOne(parts: TriggerParts, store: EngineStore, asked: Asked): Promise<number> {
  const { pipeline, environment } = asked;
  const { name } = environment.config;
  // First of all: somebody else may be deciding on the same right now, and what is read below must be what he left.
  const record = await store.lockSchedule(name, pipeline.name);
  const unseen = await store.unseen(name, pipeline.name);
  const { datasets, after = [] } = pipeline.schedule.triggers ?? {};
  const read = unseen.map(({ id }) => id);
  if (record === null || record.paused || isPausedByFile(pipeline, environment)) {
    await store.settleUnseen(name, pipeline.name, read, passedOver(after, unseen));
    return 0;
  }
  const live = await store.liveRuns(name, [pipeline.name]);
  const replaced = live.filter(({ trigger, state }) => trigger === 'dataset' && state === 'queued');
  const newest =
    datasets?.freshnessMs == null ? new Map() : await store.newestPublications(name, datasetsOf(datasets.expression));
  const byData = datasets ? datasetStart(datasets, unseen, newest, replaced) : null;
  const starts: Start[] = [...afterStarts(after, unseen), ...(byData ? [byData] : [])];
  const { runs, cancelled } = planStarts(starts, { ...asked, live });
  const seen = unseen.filter(({ path }) => path === null || byData !== null).map(({ id }) => id);
  await store.settleUnseen(name, pipeline.name, read, seen);
  if (byData && replaced.length > 0)
    await store.endQueued(
      replaced.map(({ id }) => id),
      'skipped',
      REPLACED,
    );
  await cancelRuns(store, cancelled);
  const ids = await store.createRuns(runs);
  await tellOfLoops(parts, store, asked, runs, ids);
  return ids.filter((id) => id !== null).length;
}

/** Asks running runs to give way to a new one. */
export async function cancelRuns(store: EngineStore, runIds: readonly string[]): Promise<void> {
  const payload = { reason: 'overlap: cancel_running' };
  if (runIds.length > 0) await store.send(runIds.map((runId) => ({ runId, kind: 'cancel', payload })));
}

/** True when the files say that nothing fires here by itself. */
export function isPausedByFile({ environments }: CompiledPipeline, { config }: AppliedEnvironment): boolean {
  return environments[config.name]?.paused ?? config.schedules === 'paused';
}

/** Alerts of those that the loop guard did not start; in the transaction that records them. */
export async function tellOfLoops(
  { alertDefaults }: Pick<TriggerParts, 'alertDefaults'>,
  store: EngineStore,
  { pipeline, environment }: Pick<Asked, 'pipeline' | 'environment'>,
  runs: readonly NewRun[],
  ids: readonly (string | null)[],
): Promise<void> {
  const alerts: AlertInsert[] = [];
  for (const [index, run] of runs.entries()) {
    const id = ids[index] ?? null;
    const record = id !== null && isLoop(run) ? await store.getRun(id) : null;
    if (record) alerts.push(...loopingAlerts(record, run.reason ?? '', pipeline, environment, alertDefaults));
  }
  if (alerts.length > 0) await store.insertAlerts(alerts);
}
