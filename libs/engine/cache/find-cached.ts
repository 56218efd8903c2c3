import type { CachedResult, CacheNote, CompiledTask, EarlierCache, EngineStore, Storage } from '#core';
import { differingFiles, differingParts, listNames } from '#core';
import { endedResult } from '../ended-result.ts';
import { judgeResult } from '../judge-result.ts';
import type { OwnedRun } from '../owned-run.ts';
import type { ReleaseListing } from '../ports.ts';
import { cacheKey, cacheParts, usedFiles } from './cache-parts.ts';

/** Versions looked at at once. */
const LANES = 16;

export interface CacheSources {
  readonly store: EngineStore;
  readonly storageFor: (environment: string) => Pick<Storage, 'isWhole'>;
  readonly releaseFiles: ReleaseListing;
}

/** What the cache has for one task run, and what is noted of it. */
export interface CacheAnswer {
  readonly note: CacheNote;
  /** Null: it must be executed. */
  readonly result: CachedResult | null;
}

/**
 * By map index: what earlier runs of this environment have for a task with `cache: true` whose inputs and fan-out are
 * known. A result counts when all of its versions are whole, and when checks and gate, judged as of now, hold.
 */
export async function findCached(
  sources: CacheSources,
  run: OwnedRun,
  taskIndex: number,
  mapIndexes: Iterable<number>,
): Promise<ReadonlyMap<number, CacheAnswer>> {
  const answers = new Map<number, CacheAnswer>();
  const task = run.plan.pipeline.tasks[taskIndex];
  // A shadow run is there to execute; what it writes is nobody's result.
  if (!task?.cache || run.record.shadow) return answers;
  const { environment, pipeline, release } = run.record;
  const files = await sources.releaseFiles(release);
  const keyed = new Map<number, Pick<CacheNote, 'key' | 'parts'>>();
  for (const mapIndex of mapIndexes) {
    const parts = cacheParts(run, taskIndex, mapIndex, files);
    if (parts !== null) keyed.set(mapIndex, { key: cacheKey(parts), parts });
  }
  const keys = run.record.noCache === true ? [] : [...keyed.values()].map(({ key }) => key);
  const found = keys.length === 0 ? [] : await sources.store.cachedResults(environment, pipeline, task.id, keys);
  const byKey = new Map(found.map((result) => [result.key, result]));
  const explain = explainer(sources, run, task, files);
  const open = [...keyed];
  const look = async (): Promise<void> => {
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [mapIndex, { key, parts }] = next;
      const result = byKey.get(key);
      const problem = result && (await whyNot(sources, run, taskIndex, mapIndex, result));
      if (result && problem === null) {
        const why = `Everything it depends on is as it was in run ${result.executedIn}.`;
        answers.set(mapIndex, { note: { key, parts, from: result.executedIn, why }, result });
      } else {
        const why = problem ?? (await explain(mapIndex, parts));
        answers.set(mapIndex, { note: { key, parts, from: null, why }, result: null });
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, look));
  return answers;
}

/** Null: the result can be taken. */
async function whyNot(
  { store, storageFor }: CacheSources,
  run: OwnedRun,
  taskIndex: number,
  mapIndex: number,
  result: CachedResult,
): Promise<string | null> {
  const { environment, id } = run.record;
  const before = `Run ${result.runId} saw the same, but`;
  const written = new Set(result.versions.map(({ path }) => path));
  const missing = run.plan.pipeline.tasks[taskIndex]?.writes.find((path) => !written.has(path));
  if (missing !== undefined) return `${before} nothing is known of what it wrote to ${missing}.`;
  for (const { location, version, manifestHash, isGone } of result.versions) {
    if (isGone) return `${before} what it wrote to ${location} was collected as garbage.`;
    if (!(await storageFor(environment).isWhole(version, manifestHash)))
      return `${before} what it wrote to ${location} is gone from the storage, or damaged.`;
  }
  const ended = endedResult(id, { attemptId: '', fence: 0 }, { kind: 'success' }, 0);
  const again = { ...ended, outputs: result.outputs ?? {}, metrics: result.metrics };
  const { outcome, gateClosed, warning } = await judgeResult(store, run, taskIndex, mapIndex, again);
  if (outcome.kind === 'success' && !gateClosed) return null;
  return `${before} its result would not pass now: ${'message' in outcome ? outcome.message : (warning ?? 'the gate is closed')}.`;
}

/** Says why there is no result, beside the last run that had one. Asks the database once for all map indexes. */
function explainer(
  { store, releaseFiles }: CacheSources,
  run: OwnedRun,
  task: CompiledTask,
  files: ReadonlyMap<string, string>,
): (mapIndex: number, parts: CacheNote['parts']) => Promise<string> {
  const { environment, pipeline, intervalStart, noCache } = run.record;
  let earlier: Promise<EarlierCache | null> | null = null;
  return async (mapIndex, parts) => {
    if (noCache === true) return 'The run was asked to execute every task.';
    earlier ??= store.earlierCache(environment, pipeline, task.id, intervalStart);
    const last = await earlier;
    const then = last?.parts.get(mapIndex);
    if (!last || !then) return `No recent run in ${environment} has a result of it.`;
    const names = differingParts(parts, then);
    if (names.length === 0) return `Run ${last.runId} saw the same, but its result was taken back or is not shown.`;
    return `${listNames(await withFiles(names, last))} ${names.length > 1 ? 'differ' : 'differs'} from run ${last.runId}.`;
  };

  async function withFiles(names: readonly string[], last: EarlierCache): Promise<readonly string[]> {
    if (!names.includes('its files')) return names;
    // A release that was removed leaves it at "its files".
    const before = await releaseFiles(last.release).catch(() => null);
    if (before === null) return names;
    const changed = differingFiles(usedFiles(task, files), usedFiles(task, before)).map((path) => `file ${path}`);
    return names.flatMap((name) => (name === 'its files' && changed.length > 0 ? changed : [name]));
  }
}
