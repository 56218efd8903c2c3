import type { CompiledTask, EngineStore, InputBinding, PinnedVersion, PublishedPath, ReadDeclaration } from '#core';
import { itemOf, joinKeys, readsFrom } from '#core';
import { intervalsBetween } from '#dag';
import type { OwnedRun } from './owned-run.ts';
import { itemAt } from './owned-run.ts';
import type { Pipelines } from './ports.ts';
import { pinAsBefore, verifiedRun } from './verification/pin-as-before.ts';

/** `waiting`: declared data of another pipeline is not there yet. `missing`: it never will be, by the declaration. */
export type Pinned =
  | { readonly kind: 'pinned'; readonly inputs: readonly InputBinding[] }
  | { readonly kind: 'waiting'; readonly reason: string }
  | { readonly kind: 'missing'; readonly reason: string };

/**
 * Fixes which versions a task reads. Kept over retries, so an attempt can be repeated on the same inputs. `mapIndex`:
 * of the one task run in a group that it is about, which reads of what its group writes only its own.
 */
export async function pinInputs(
  store: EngineStore,
  pipelines: Pipelines,
  run: OwnedRun,
  taskIndex: number,
  mapIndex: number | null,
): Promise<Pinned> {
  const task = run.plan.pipeline.tasks[taskIndex];
  if (!task) return { kind: 'pinned', inputs: [] };
  const verified = verifiedRun(run.record);
  if (verified !== null) return pinAsBefore(store, run.record.id, verified, task, mapIndex);
  // Of a task that fans out within its group, too, the folder of the group's item.
  const item = mapIndex === null ? null : itemOf(run.plan.graph.tasks[taskIndex] ?? {}, mapIndex);
  const mapKey = item === null ? null : (itemAt(run, taskIndex, item)?.key ?? null);
  const inputs: InputBinding[] = [];
  for (const read of task.reads) {
    // In order of declaration: the first read that is not there is the one that the reason names.
    const own = mapKey !== null && isWrittenInGroup(run, task, read) ? mapKey : null;
    const found = await findVersions(store, pipelines, run, read, own);
    if (found.kind !== 'found') return found;
    inputs.push({ name: read.alias, variable: `PATH_${read.alias.toUpperCase()}`, versions: found.versions });
  }
  return { kind: 'pinned', inputs };
}

function isWrittenInGroup({ plan }: OwnedRun, { group }: CompiledTask, { pipeline, path }: ReadDeclaration): boolean {
  if (pipeline !== null || group === undefined) return false;
  return plan.pipeline.tasks.some((task) => task.group === group && task.writes.includes(path));
}

type Found =
  { readonly kind: 'found'; readonly versions: readonly PinnedVersion[] } | Exclude<Pinned, { kind: 'pinned' }>;

async function findVersions(
  store: EngineStore,
  pipelines: Pipelines,
  run: OwnedRun,
  read: ReadDeclaration,
  mapKey: string | null,
): Promise<Found> {
  const below = mapKey === null ? '' : joinKeys(mapKey, '');
  const isWanted = (version: PublishedPath): boolean => version.mapKey === mapKey || version.mapKey.startsWith(below);
  const owner = read.pipeline ?? run.record.pipeline;
  const from = read.pipeline === null ? run.record.environment : readsFrom(run.environment.config, owner, read.path);
  const source: Source = { owner, environment: from, granted: from !== run.record.environment };
  if (read.lastMs !== null) return findWindow(store, pipelines, run, read, source, isWanted);
  const { environment, id, originRun } = run.record;
  const written =
    read.pipeline === null
      ? await store.versionsOfRuns(
          environment,
          owner,
          read.path,
          originRun === null ? [id] : await originChain(store, run),
        )
      : [];
  const own = written.filter(isWanted);
  const published =
    own.length > 0
      ? own
      : (await store.newestVersions(from, owner, read.path, run.record.intervalEnd)).filter(isWanted);
  if (published.length === 0)
    return absent(
      read,
      `nothing was published at ${referenceTo(source, read)}${run.record.intervalEnd ? ` for an interval that ends by ${run.record.intervalEnd}` : ''} yet`,
    );
  // A version without a map key (of its own) is the folder itself; those of a fan-out are shown side by side.
  const single = published.length === 1 && published[0]?.mapKey === (mapKey ?? '');
  const linkOf = (version: PublishedPath): string | null => (single ? null : version.mapKey.slice(below.length));
  return { kind: 'found', versions: published.map((version) => pin(version, linkOf(version), source)) };
}

/** Whose data a read means. */
interface Source {
  readonly owner: string;
  readonly environment: string;
  /** True: another environment's, which a grant lets this one read. */
  readonly granted: boolean;
}

function referenceTo({ owner, environment, granted }: Source, { path }: ReadDeclaration): string {
  return `${owner}.${path}${granted ? ` in ${environment}, which a grant names,` : ''}`;
}

async function findWindow(
  store: EngineStore,
  pipelines: Pipelines,
  run: OwnedRun,
  read: ReadDeclaration,
  source: Source,
  isWanted: (version: PublishedPath) => boolean,
): Promise<Found> {
  const { owner } = source;
  const reference = referenceTo(source, read);
  const { environment, intervalStart, intervalEnd, release } = run.record;
  if (intervalStart === null || intervalEnd === null)
    return {
      kind: 'missing',
      reason: `it reads the last partitions of ${reference}, and this run has no interval; trigger it with --at or --from/--to`,
    };
  const from = new Date(Date.parse(intervalEnd) - (read.lastMs ?? 0));
  const others = await store.versionsBetween(source.environment, owner, read.path, from.toISOString(), intervalEnd);
  // What a shadow run wrote is published nowhere, yet its own tasks must find it.
  const own =
    run.record.shadow && read.pipeline === null
      ? await store.versionsOfRuns(environment, owner, read.path, [run.record.id])
      : [];
  const replaced = new Set(own.map(({ location }) => location));
  const published = [...others.filter(({ location }) => !replaced.has(location)), ...own].filter(isWanted);
  if (read.missing !== 'ok') {
    const missing = await missingPartitions(pipelines, release, owner, from, new Date(intervalEnd), published);
    if (missing.length > 0)
      return absent(
        read,
        `${missing.length} partition${missing.length > 1 ? 's' : ''} of ${reference} not published yet, the first for ${missing[0]}`,
      );
  }
  return { kind: 'found', versions: published.map((version) => pin(version, linkName(version), source)) };
}

/** Interval starts in the window that the writing pipeline's schedule has and storage has not. */
async function missingPartitions(
  pipelines: Pipelines,
  release: string,
  owner: string,
  from: Date,
  to: Date,
  published: readonly PublishedPath[],
): Promise<string[]> {
  const writer = await pipelines.get(release, owner);
  if (!writer || writer.schedule.kind === 'manual') return published.length === 0 ? [from.toISOString()] : [];
  const present = new Set(published.map((version) => version.intervalStart));
  return intervalsBetween(writer.schedule, from, from, to, 10_000)
    .filter((interval) => interval.end <= to)
    .map((interval) => interval.start.toISOString())
    .filter((start) => !present.has(start));
}

function absent(read: ReadDeclaration, reason: string): Found {
  if (read.missing === 'ok') return { kind: 'found', versions: [] };
  return read.missing === 'fail' ? { kind: 'missing', reason } : { kind: 'waiting', reason };
}

async function originChain(store: EngineStore, run: OwnedRun): Promise<string[]> {
  const ids = [run.record.id];
  for (let origin = run.record.originRun; origin !== null && ids.length < 100;) {
    ids.push(origin);
    origin = (await store.getRun(origin))?.originRun ?? null;
  }
  return ids;
}

function pin(
  { location, version, manifestHash }: PublishedPath,
  link: string | null,
  { environment, granted }: Source,
): PinnedVersion {
  return { link, location, version, manifestHash, ...(granted ? { environment } : {}) };
}

/** Last folder(s) of the location: `ds=2001-01-01`, with the map key below it made part of the name. */
function linkName(version: PublishedPath): string {
  const { location, mapKey } = version;
  if (mapKey === '') return location.split('/').at(-1) ?? location;
  const parent = location.slice(0, -mapKey.length - 1);
  return `${parent.split('/').at(-1) ?? ''},${mapKey}`;
}
