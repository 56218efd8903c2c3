import { SluiceError, whyOutdated } from '#core';
import type { RerunResult } from '#contracts';
import { apiQueries } from '#store';
import type { CatalogPipeline, ReadContext } from './read-context.ts';
import type { RunRow } from './run-reads.ts';

type Outdated = NonNullable<RerunResult['outdated']>;
type TakenOver = { readonly taskId: string; readonly originRun: string | null };

/** Tasks that a run took over from runs of releases that have them otherwise; what is gone with its release is left out. */
export async function readOutdated(
  { db, catalog }: Pick<ReadContext, 'db' | 'catalog'>,
  run: RunRow,
  rows: readonly TakenOver[],
): Promise<Outdated> {
  const originOf = new Map(rows.flatMap(({ taskId, originRun }) => (originRun === null ? [] : [[taskId, originRun]])));
  if (originOf.size === 0) return [];
  const releases = await apiQueries.releasesOfRuns(db, [...new Set(originOf.values())]);
  const outdated: Outdated = [];
  const now = await inRelease(catalog, run.release, run.pipeline);
  for (const [taskId, originRun] of originOf) {
    const release = releases.get(originRun);
    if (release === undefined || release === run.release) continue;
    const then = await inRelease(catalog, release, run.pipeline);
    const [before, after] = [then, now].map((one) => {
      const task = one?.entry.pipeline?.tasks.find(({ id }) => id === taskId);
      return one && task ? { task, files: one.files } : null;
    });
    const why = before && after ? whyOutdated(before, after) : null;
    if (why !== null) outdated.push({ taskId, why });
  }
  return outdated;
}

interface InRelease {
  readonly entry: CatalogPipeline;
  readonly files: ReadonlyMap<string, string>;
}

async function inRelease(catalog: ReadContext['catalog'], release: string, name: string): Promise<InRelease | null> {
  try {
    const entry = (await catalog.pipelines(release)).find((one) => one.name === name);
    return entry ? { entry, files: await catalog.files(release) } : null;
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'not_found') return null;
    throw error;
  }
}
