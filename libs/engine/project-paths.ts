import type { EngineStore, MovedPointer, Storage } from '#core';
import type { Observer } from './ports.ts';

/**
 * Makes storage show what the pointers say. The pointer in the database is the truth: what fails here is tried again by
 * the sweep, and nothing inside Sluice reads through the projection.
 */
export async function projectPaths(
  store: EngineStore,
  storageFor: (environment: string) => Storage,
  items: readonly MovedPointer[],
  observer: Observer,
): Promise<void> {
  const shown: MovedPointer[] = [];
  for (const item of items) {
    try {
      await storageFor(item.environment).project(item.location, item.version, Number(item.fence));
      shown.push(item);
    } catch (error) {
      observer.problem('showing a published path', error, { environment: item.environment, location: item.location });
    }
  }
  try {
    if (shown.length > 0) await store.markProjected(shown);
  } catch (error) {
    observer.problem('noting shown paths', error);
  }
}
