import type { DataSource } from 'typeorm';
import type { Clock } from '#core';
import type { GcReport } from '#contracts';
import { collectMirrors, type ReleaseStore } from '#release';
import type { EnvironmentStorage } from '#storage';
import {
  followQueries,
  garbageReleases,
  garbageVersions,
  markErased,
  markGarbage,
  recordedReleases,
  versionsToErase,
  type GarbageVersion,
} from '#store';

export interface GarbageCollector {
  readonly db: DataSource;
  readonly releases: Pick<ReleaseStore, 'collect' | 'list'>;
  readonly storageFor: (environment: string) => Pick<EnvironmentStorage, 'erase'>;
  readonly clock: Clock;
  /** Folder that holds the mirrors of followed remotes. */
  readonly mirrors: string;
}

export interface GarbageRequest {
  readonly dryRun: boolean;
  readonly keep: number;
  readonly olderThanMs: number;
}

/** Versions named in a report, of each environment. */
const MOST_NAMED = 1000;
const MOST_PROBLEMS = 20;

/**
 * Removes data versions that nothing needs, releases that nothing refers to and mirrors that nothing follows. What is marked in the database is gone for
 * everybody; should this process die before its files are erased, the next collection erases them.
 */
export async function collectGarbage(
  collector: GarbageCollector,
  { dryRun, ...rules }: GarbageRequest,
  actor: string,
): Promise<GcReport> {
  const { db, releases, clock } = collector;
  const found = dryRun
    ? { versions: await garbageVersions(db, rules), releases: await garbageReleases(db, rules) }
    : await markGarbage(db, rules, actor);
  const problems = dryRun ? [] : await eraseMarked(collector);
  // With those whose row an earlier collection removed before it died.
  const recorded = new Set(await recordedReleases(db));
  const nobodys = (await releases.list()).filter(({ digest }) => !recorded.has(digest));
  const remove = new Set([...found.releases, ...nobodys].map(({ digest }) => digest));
  const young = { olderThanMs: rules.olderThanMs, now: clock.now().getTime(), dryRun };
  const { bytes } = await releases.collect({ remove, ...young });
  const followed = (await followQueries.readFollows(db)).map(({ remote }) => remote);
  return {
    dryRun,
    versions: byEnvironment(found.versions),
    releases: { count: found.releases.length, bytes, removed: found.releases.map((release) => ({ ...release })) },
    mirrors: await collectMirrors({ folder: collector.mirrors, followed, ...young }),
    problems,
  };
}

/** Erases the files of marked versions; returns what could not be erased, for people. */
export async function eraseMarked({ db, storageFor }: Pick<GarbageCollector, 'db' | 'storageFor'>): Promise<string[]> {
  const problems: string[] = [];
  const marked = await versionsToErase(db, 1_000_000);
  const erased: typeof marked = [];
  for (const one of marked) {
    try {
      await storageFor(one.environment).erase(one.version);
      erased.push(one);
    } catch (error) {
      if (problems.length < MOST_PROBLEMS) problems.push(`${one.environment}: ${(error as Error).message}`);
    }
    if (erased.length >= 500) await markErased(db, erased.splice(0));
  }
  await markErased(db, erased);
  return problems;
}

function byEnvironment(versions: readonly GarbageVersion[]): GcReport['versions'] {
  const names = [...new Set(versions.map(({ environment }) => environment))];
  return names.map((environment) => {
    const own = versions.filter((version) => version.environment === environment);
    return {
      environment,
      count: own.length,
      bytes: own.reduce((sum, { bytes }) => sum + bytes, 0),
      removed: own.slice(0, MOST_NAMED).map(({ version }) => version),
    };
  });
}
