import type { Clock } from '#core';
import type { Observer } from '#engine';
import { glance, type Db, type Glance } from '#store';
import { startLooking, type LookLoop } from './look-loop.ts';

const LOOK_MS = 1000;

export interface Glances extends LookLoop {
  /** Whether there was any at the last glance. */
  saw(what: keyof Glance): boolean;
}

/** Asks once a second, in one statement for all, what there is to do, and wakes whoever does it; once more when it is gone. */
export function startGlancing(
  { db, clock, observer }: { readonly db: Db; readonly clock: Clock; readonly observer: Observer },
  wakes: Readonly<Record<keyof Glance, () => void>>,
): Glances {
  let before: Glance | null = null;
  const look = async (): Promise<void> => {
    const seen = await glance(db);
    for (const [what, wake] of Object.entries(wakes) as [keyof Glance, () => void][])
      if (seen[what] || before?.[what]) wake();
    before = seen;
  };
  const safely = (): Promise<void> =>
    look().catch((error: unknown) => observer.problem('looking what there is to do', error));
  return { ...startLooking(safely, LOOK_MS, clock), saw: (what) => before?.[what] ?? true };
}
