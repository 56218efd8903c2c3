import type { DataSource } from 'typeorm';
import type { Clock } from '#core';
import type { EnvironmentStorage } from '#storage';

export interface SweptStorage {
  readonly db: DataSource;
  readonly clock: Clock;
  /** Names of the environments as they are now. */
  readonly environments: () => readonly string[];
  readonly storageFor: (environment: string) => EnvironmentStorage;
  readonly problem: (error: unknown) => void;
}

const EVERY_MS = 5 * 60_000;
/** An attempt that was admitted after our look has a staging area younger than this. */
const YOUNG_MS = 60_000;

/** Removes staging areas of attempts that are over, now and every five minutes, until the function it returns is called. */
export function sweepStorage(swept: SweptStorage): () => void {
  let stopped = false;
  let cancel = (): void => undefined;
  const sweep = async (): Promise<void> => {
    await sweepOnce(swept).catch(swept.problem);
    if (!stopped) cancel = swept.clock.schedule(EVERY_MS, () => void sweep());
  };
  void sweep();
  return () => {
    stopped = true;
    cancel();
  };
}

/**
 * How many were removed. Those of live attempts stay, however long they have been quiet. An environment that cannot be
 * swept keeps no other from it.
 */
export async function sweepOnce({ db, clock, environments, storageFor, problem }: SweptStorage): Promise<number> {
  const live: { id: string }[] = await db.query(`select id::text from attempt where state in ('queued', 'running')`);
  const keep = new Set(live.map(({ id }) => id));
  let removed = 0;
  for (const name of environments())
    try {
      removed += await storageFor(name).sweep({ olderThanMs: YOUNG_MS, keep, now: clock.now().getTime() });
    } catch (error) {
      problem(error);
    }
  return removed;
}
