import { SluiceError } from '#core';
import type { Environment } from '#contracts';
import { apiQueries } from '#store';
import type { CatalogPipeline, ReadContext } from './read-context.ts';

export async function readEnvironments({ db, treeProblems }: ReadContext): Promise<Environment[]> {
  const rows = await apiQueries.readEnvironments(db);
  return rows.map(({ name, config, release, dirty, releasedAt, follow, preview }) => ({
    name,
    schedules: config.schedules,
    storage: config.storage,
    release,
    dirty,
    releasedAt,
    problems: [...treeProblems(name)],
    preview,
    follow: follow === null ? null : { ...follow, problems: [...follow.problems] },
  }));
}

/** Throws `not_found`, naming what there is. */
export async function readEnvironment(context: ReadContext, name: string): Promise<Environment> {
  const all = await readEnvironments(context);
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw unknownEnvironment(name, all);
}

export interface CurrentRelease {
  readonly environment: string;
  readonly schedulesActive: boolean;
  readonly release: string;
  readonly pipelines: readonly CatalogPipeline[];
}

/** What an environment runs now; null: it has no release yet. Throws `not_found` for an unknown environment. */
export async function currentRelease({ db, catalog }: ReadContext, name: string): Promise<CurrentRelease | null> {
  const rows = await apiQueries.readEnvironments(db);
  const row = rows.find((one) => one.name === name);
  if (!row) throw unknownEnvironment(name, rows);
  if (row.release === null) return null;
  return {
    environment: name,
    schedulesActive: row.config.schedules === 'active',
    release: row.release,
    pipelines: await catalog.pipelines(row.release),
  };
}

/** Throws `not_found`, naming what there is. */
export async function currentPipeline(
  context: ReadContext,
  environment: string,
  name: string,
): Promise<{ current: CurrentRelease; entry: CatalogPipeline }> {
  const current = await currentRelease(context, environment);
  const entry = current?.pipelines.find((one) => one.name === name);
  if (current && entry) return { current, entry };
  const known = current?.pipelines.map((one) => one.name).slice(0, 20) ?? [];
  throw new SluiceError('not_found', `Environment "${environment}" has no pipeline "${name}".`, {
    hint: known.length > 0 ? `It has: ${known.join(', ')}.` : 'It has no release yet.',
  });
}

function unknownEnvironment(name: string, all: readonly { readonly name: string }[]): SluiceError {
  return new SluiceError('not_found', `There is no environment "${name}".`, {
    hint: `Known: ${all.map((one) => one.name).join(', ') || 'none yet'}.`,
  });
}
