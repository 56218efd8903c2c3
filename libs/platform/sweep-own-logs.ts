import type { Clock } from '#core';
import type { StorageRoots } from './storage-roots.ts';

const EVERY_MS = 5 * 60_000;

/**
 * What a worker sweeps, every five minutes until the function it returns is called: logs of attempts of its own. Staging
 * areas are left to schedulers: a worker does not know which attempts of others live, and others may use its folder.
 */
export function sweepOwnLogs(roots: Pick<StorageRoots, 'sweepOwnLogs'>, clock: Clock): () => void {
  let stopped = false;
  let cancel = (): void => undefined;
  const next = (): void => {
    if (!stopped) cancel = clock.schedule(EVERY_MS, () => void roots.sweepOwnLogs(clock.now().getTime()).then(next));
  };
  next();
  return () => {
    stopped = true;
    cancel();
  };
}
