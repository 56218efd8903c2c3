import type { CompiledTask, EngineStore, Prepared } from '#core';
import { lookAtPast } from '#core';
import type { OwnedRun } from '../owned-run.ts';

/** The end of the run before is told of, and of each of its tasks; this is for what is not heard. */
const EVERY_MS = 30_000;

export type PastAnswer =
  /** Nothing holds it; `hasWaited`: something did. */
  { readonly kind: 'go-on'; readonly hasWaited: boolean } | Extract<Prepared, { kind: 'waiting' }>;

/**
 * Whether the interval before lets a task run, or one item of it: all items of the past count for each. The first time it looks by itself, and leaves in `run.waits` what is to be
 * noted when something holds the task; later it says how that wait stands.
 */
export async function preparePast(
  store: EngineStore,
  run: OwnedRun,
  about: { readonly taskIndex: number; readonly mapIndex: number | null; readonly task: CompiledTask },
  now: number,
): Promise<PastAnswer> {
  const { record, cache, plan } = run;
  const { taskIndex, task } = about;
  const mapIndex = about.mapIndex ?? 0;
  // A run that publishes nothing leaves no past behind; without an interval there is none.
  if (task.past === undefined || record.shadow || record.intervalStart === null)
    return { kind: 'go-on', hasWaited: false };
  const key = { runId: record.id, taskId: task.id, mapIndex };
  if (cache.tasks[taskIndex]?.instances.get(mapIndex)?.state === 'waiting') {
    const stored = await store.waitOf(key);
    if (stored?.target.kind !== 'past') return { kind: 'go-on', hasWaited: false };
    if (stored.outcome === null) return { kind: 'waiting', reason: `waits for ${stored.what}`, heard: true };
    run.waits.delete(`${taskIndex}/${mapIndex}`);
    return { kind: 'go-on', hasWaited: true };
  }
  if (run.pastMet.has(taskIndex)) return { kind: 'go-on', hasWaited: false };
  const followers = plan.pipeline.tasks.filter(({ upstream }) => upstream.includes(task.id)).map(({ id }) => id);
  const tasks = [task.id, ...(task.past.downstream ? followers : [])];
  const [past = null] = await store.pastOf([{ runId: record.id, tasks }]);
  const look = lookAtPast(past, tasks);
  if (look.kind === 'met') {
    run.pastMet.add(taskIndex);
    return { kind: 'go-on', hasWaited: false };
  }
  const what = `itself${tasks.length > 1 ? ' and what follows it' : ''} in the interval before`;
  run.waits.set(`${taskIndex}/${mapIndex}`, {
    ...{ ...key, environment: record.environment, kind: 'past', target: { kind: 'past', tasks }, what },
    ...{ subject: `${record.environment}/${record.pipeline}`, everyMs: EVERY_MS, onTimeout: 'fail', timeoutAt: null },
    // Looked at once more when it is noted: its past may have come to its end meanwhile, unheard.
    ...{ since: now, nextCheckAt: now },
  });
  return { kind: 'waiting', reason: `waits for ${what}: ${look.detail}`, heard: true };
}
