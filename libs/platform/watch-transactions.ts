import type { Clock } from '#core';
import type { Observer } from '#engine';
import { apiQueries, type Db, type OldestTransaction } from '#store';
import type { Log } from './log.ts';
import { startLooking, type LookLoop } from './look-loop.ts';

const LOOK_MS = 15_000;
/** No transaction of ours is open that long, except while it moves history. */
const LONG_MS = 30_000;
const TELL_AGAIN_MS = 10 * 60_000;

/** What was told last, and when by the clock of this process. */
export interface ToldTransaction {
  readonly pid: number;
  readonly startedAt: string;
  readonly at: number;
}

/** Whether people are to be told of it now: each that is open for long, and again while it stays so. */
export function isToBeTold(oldest: OldestTransaction | null, told: ToldTransaction | null, now: number): boolean {
  if (oldest === null || oldest.openMs < LONG_MS) return false;
  if (told === null || told.pid !== oldest.pid || told.startedAt !== oldest.startedAt) return true;
  return now - told.at >= TELL_AGAIN_MS;
}

/**
 * Warns of a transaction that is open for half a minute, within a minute of its begin: until it ends no vacuum removes what
 * it might still see, and every change of a row makes looking for work slower.
 */
export function startWatchingTransactions(
  { db, log, observer }: { readonly db: Db; readonly log: Log; readonly observer: Observer },
  clock: Clock,
): LookLoop {
  let told: ToldTransaction | null = null;
  const look = async (): Promise<void> => {
    const oldest = await apiQueries.readOldestTransaction(db);
    const now = clock.now().getTime();
    if (oldest === null || !isToBeTold(oldest, told, now)) return;
    const { pid, application, user, state, startedAt, openMs } = oldest;
    told = { pid, startedAt, at: now };
    log.warn(
      { pid, application, user, state, startedAt, hint: `select pg_terminate_backend(${pid}) ends it` },
      `a transaction of the database is open for ${Math.round(openMs / 1000)} s: vacuum removes nothing until it ends`,
    );
  };
  const safely = (): Promise<void> =>
    look().catch((error: unknown) => observer.problem('looking at open transactions', error));
  return startLooking(safely, LOOK_MS, clock);
}
