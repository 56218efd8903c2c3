import type { Clock } from '#core';
import type { Observer } from '#engine';
import type { ReleaseStore } from '#release';
import type { Db } from '#store';
import { usedReleases } from '#store';

const HOUR_MS = 3_600_000;
/** Nothing younger is touched: somebody may be about to run it. */
const YOUNG_MS = 24 * HOUR_MS;

export interface SweptReleases {
  readonly db: Db;
  readonly releases: Pick<ReleaseStore, 'sweep'>;
  readonly clock: Clock;
  readonly observer: Observer;
}

/**
 * Removes releases of a working tree that no run was pinned to and no environment points at, now and every hour. The
 * function it returns ends that, and resolves when a sweep under way is over.
 */
export function sweepReleases(swept: SweptReleases): () => Promise<void> {
  const { clock, observer } = swept;
  let stopped = false;
  let cancel = (): void => undefined;
  let sweeping: Promise<unknown> = Promise.resolve();
  const sweep = (): void => {
    sweeping = sweepReleasesOnce(swept)
      .catch((error: unknown) => observer.problem('sweeping releases', error))
      .then(() => {
        if (!stopped) cancel = clock.schedule(HOUR_MS, sweep);
      });
  };
  sweep();
  return async () => {
    stopped = true;
    cancel();
    await sweeping;
  };
}

/** Digests of those that were removed. */
export async function sweepReleasesOnce({ db, releases, clock }: SweptReleases): Promise<readonly string[]> {
  const keep = new Set(await usedReleases(db));
  return releases.sweep({ keep, olderThanMs: YOUNG_MS, now: clock.now().getTime() });
}
