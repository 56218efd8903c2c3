import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock, EngineStore } from '#core';
import type { Observer } from '#engine';
import { startLooking, type LookLoop } from './look-loop.ts';

const BEAT_MS = 2000;
const TTL_MS = 6000;

/**
 * Says that an API serves here: workers are thought dead only while one does. After a gap it counts as another one, which
 * has to serve for a while before anybody's silence means something.
 */
export function beatAsApi(store: EngineStore, clock: Clock, observer: Observer): LookLoop {
  let id = `api-${randomUUID()}`;
  const about = { kind: 'api', host: `api:${hostname()}`, pid: process.pid, ttlMs: TTL_MS };
  const beat = async (): Promise<void> => {
    try {
      if (!(await store.heartbeat({ ...about, id }))) id = `api-${randomUUID()}`;
    } catch (error) {
      observer.problem('saying that this API serves', error);
    }
  };
  const loop = startLooking(beat, BEAT_MS, clock);
  return {
    wake: loop.wake,
    stop: async () => {
      await loop.stop();
      await store.retire(id).catch((error: unknown) => observer.problem('leaving', error));
    },
  };
}
