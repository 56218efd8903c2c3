import {
  changesBetween,
  diffConfigs,
  type DriftFacts,
  judgeDrift,
  previewParts,
  shownConfig,
  SluiceError,
} from '#core';
import type { AppliedConfiguration, EnvironmentDiff, EnvironmentDrift } from '#contracts';
import { countCommits, mainCommit } from '#release';
import { apiQueries, type Db } from '#store';
import type { EnvironmentFiles } from '../environment-files.ts';

export interface DriftReadContext {
  readonly db: Db;
  readonly environments: Pick<EnvironmentFiles, 'file'>;
  /** Folder of the project: the repository that commits are counted in, if it is one. */
  readonly project: string;
}

/** What the API answers about how environments differ: from each other, from what they were, from what they should be. */
export function createDriftReads(context: DriftReadContext) {
  return {
    environmentDiff: (from: string, to: string) => readEnvironmentDiff(context, from, to),
    configurations: (environment: string, limit: number) => readConfigurations(context, environment, limit),
    environmentDrift: (environment: string) => readDrift(context, environment),
  };
}

async function readEnvironmentDiff(context: DriftReadContext, from: string, to: string): Promise<EnvironmentDiff> {
  const [before, after] = await Promise.all([newest(context, from), newest(context, to)]);
  return { from, to, fields: diffConfigs(before.content, after.content).map((field) => ({ ...field })) };
}

async function readConfigurations(
  { db }: DriftReadContext,
  environment: string,
  limit: number,
): Promise<AppliedConfiguration[]> {
  const rows = await apiQueries.readConfigurations(db, environment, limit + 1);
  if (rows.length === 0) throw unknown(environment);
  // Storage too: within one environment it is a change like any other.
  const shown = rows.map(({ content }) => ({ storage: content.storage, ...shownConfig(content) }));
  return rows.slice(0, limit).map(({ seq, hash, actor, at }, index) => ({
    ...{ seq, hash, actor, at },
    fields: index + 1 < rows.length ? changesBetween(shown[index + 1], shown[index]) : [],
  }));
}

async function readDrift(context: DriftReadContext, environment: string): Promise<EnvironmentDrift> {
  const { db, project } = context;
  await newest(context, environment);
  const [stand, paused, follows, main] = await Promise.all([
    apiQueries.readReleaseStand(db, environment),
    apiQueries.readPausedSchedules(db, environment),
    apiQueries.readEnvironments(db),
    mainCommit(project),
  ]);
  const followed = follows.find(({ name }) => name === environment)?.follow ?? null;
  const git = followed?.commit
    ? { source: followed.remote, ref: followed.ref, commit: followed.commit }
    : main && { source: project, ...main };
  const { newest: release, current } = stand;
  const items = judgeDrift({
    ...{ environment, git, newest: release, current, paused, releasesBehind: stand.behind },
    commitsUnreleased: await counted(project, release?.commit, git?.commit),
    commitsBehind: await counted(project, current?.commit, release?.commit),
    config: await configuration(context, environment, stand.configHash),
  });
  return { environment, items: items.map((item) => ({ ...item })) };
}

/** Of `to`, those that `from` has not; null where one is not known here. */
function counted(repository: string, from: string | null | undefined, to: string | null | undefined) {
  return from == null || to == null ? null : countCommits(repository, from, to);
}

/** The file is read now: this process may have applied another content when it started. */
async function configuration(
  { environments }: DriftReadContext,
  environment: string,
  applied: string | null,
): Promise<DriftFacts['config']> {
  // A preview has no file; it is given what its parent has.
  if (previewParts(environment) !== null) return { applied, file: applied, problem: null };
  const file = await environments.file(environment);
  const [problem] = file?.problems ?? [];
  return {
    applied,
    file: file?.environment?.hash ?? null,
    problem: problem === undefined ? null : `${problem.file}:${problem.line}:${problem.column}: ${problem.message}`,
  };
}

async function newest({ db }: DriftReadContext, environment: string) {
  const [row] = await apiQueries.readConfigurations(db, environment, 1);
  if (row === undefined) throw unknown(environment);
  return row;
}

function unknown(environment: string): SluiceError {
  return new SluiceError('not_found', `There is no environment "${environment}".`, {
    hint: '`sluice env list` shows those there are.',
  });
}
