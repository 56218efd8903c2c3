import { declaredEnvironment, otherInstallation, SluiceError } from '#core';
import type { PruneReport } from '#contracts';
import type { Environments, Observer } from '#engine';
import { historyQueries, previewQueries } from '#store';
import { archiveRuns, type HistoryParts } from './archive-runs.ts';

export interface PruneParts extends HistoryParts {
  readonly environments: Environments;
}

export interface PruneRequest {
  readonly dryRun: boolean;
  /** Undefined: all that have a retention. */
  readonly environment?: string | undefined;
}

const DAY_MS = 86_400_000;
/** Whoever asks gets an answer by then, and asks again for the rest. */
const MOST_MS = 20_000;

/** Does what the hourly look does, for so long; or says what it would do. Throws `conflict` while another is at it. */
export async function pruneHistory(
  parts: PruneParts,
  { dryRun, environment }: PruneRequest,
  actor: string,
): Promise<PruneReport> {
  const retained = await retentions(parts, environment);
  if (dryRun)
    return { dryRun, isComplete: true, environments: await Promise.all(retained.map((one) => foresee(parts, one))) };
  const until = parts.clock.now().getTime() + MOST_MS;
  const isOver = (): boolean => parts.clock.now().getTime() >= until;
  const pruned = await historyQueries.withHistoryLock(parts.db, async () => {
    const environments: PruneReport['environments'] = [];
    for (const one of retained) {
      const { name, days, before } = one;
      const { runs, taskRuns } = await archiveRuns(partsFor(parts, one), name, before, actor, isOver);
      environments.push({
        environment: name,
        retentionDays: days,
        before: before.toISOString(),
        runs,
        taskRuns,
        kept: [],
      });
    }
    return { dryRun, isComplete: !isOver(), environments };
  });
  if (pruned === null)
    throw new SluiceError('conflict', 'Another process is moving ended runs into archives right now.', {
      hint: 'It goes on by itself; try again in a minute, or look with --dry-run.',
    });
  return pruned;
}

/** Once in all environments; one that fails does not keep the others. */
export async function pruneAll(parts: PruneParts, observer: Observer, isOver: () => boolean): Promise<void> {
  const retained = await retentions(parts);
  if (retained.length === 0) return;
  await historyQueries.withHistoryLock(parts.db, async () => {
    for (const one of retained)
      try {
        const archived = await archiveRuns(partsFor(parts, one), one.name, one.before, 'Sluice', isOver);
        if (archived.runs > 0) observer.event('runs-archived', { environment: one.name, ...archived });
      } catch (error) {
        observer.problem('moving ended runs into archives', error, { environment: one.name });
      }
  });
}

interface Retained {
  readonly name: string;
  readonly days: number;
  /** What ended before goes. */
  readonly before: Date;
  /** A preview that is gone: its runs go by the retention of its parent. */
  readonly isGone: boolean;
}

async function retentions({ db, environments, clock }: PruneParts, only?: string): Promise<Retained[]> {
  const there = environments.all().flatMap(({ config: { name, retentionDays: days, promotion } }): Retained[] => {
    if (days === null || otherInstallation(promotion) !== null) return [];
    return [{ name, days, before: new Date(clock.now().getTime() - days * DAY_MS), isGone: false }];
  });
  const gone = await previewQueries.gonePreviews(
    db,
    there.map(({ name }) => name),
  );
  const ofGone = gone.flatMap(({ environment, parent }) =>
    there.filter(({ name }) => name === parent).map((one) => ({ ...one, name: environment, isGone: true })),
  );
  const retained = [...there, ...ofGone].filter(({ name }) => only === undefined || name === only);
  if (only !== undefined && retained.length === 0) {
    if (environments.get(only) === null)
      throw new SluiceError('not_found', `There is no environment "${only}".`, { hint: 'See `sluice env list`.' });
    throw new SluiceError('conflict', `${only} keeps its history for ever.`, {
      hint: `Set \`retention: 90d\` in environments/${declaredEnvironment(only)}.yaml.`,
    });
  }
  return retained;
}

/** The logs of a preview that is gone went with its storage. */
function partsFor(parts: HistoryParts, { isGone }: Retained): HistoryParts {
  return isGone ? { ...parts, storageFor: () => ({ forgetRun: () => Promise.resolve() }) } : parts;
}

async function foresee(
  { db }: PruneParts,
  { name, days, before }: Retained,
): Promise<PruneReport['environments'][number]> {
  const counts = await historyQueries.countExpired(db, name, before);
  const going = counts.find(({ pin }) => pin === null);
  return {
    ...{ environment: name, retentionDays: days, before: before.toISOString() },
    ...{ runs: going?.runs ?? 0, taskRuns: going?.taskRuns ?? 0 },
    kept: counts.flatMap(({ pin, runs }) => (pin === null ? [] : [{ reason: pin, runs }])),
  };
}
