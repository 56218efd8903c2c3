import type { Observer } from '#engine';
import { startLooking, type LookLoop } from '../look-loop.ts';
import { pruneAll, type PruneParts } from './prune-history.ts';

const HOUR_MS = 3_600_000;

/** Moves runs past their retention into archives, now and every hour, one process of the installation at a time. */
export function startArchiving(parts: PruneParts, observer: Observer): LookLoop {
  let stopped = false;
  const look = (): Promise<void> =>
    pruneAll(parts, observer, () => stopped).catch((error: unknown) =>
      observer.problem('moving ended runs into archives', error),
    );
  const loop = startLooking(look, HOUR_MS, parts.clock);
  return {
    wake: () => loop.wake(),
    stop: () => {
      stopped = true;
      return loop.stop();
    },
  };
}
