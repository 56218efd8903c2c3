import type { Clock } from '#core';
import type { Deliverer } from '#engine';
import { deliverAlerts } from '#engine';
import { startLooking, UNASKED_MS, type LookLoop } from './look-loop.ts';

const LANES = 8;

/**
 * Sends alerts whenever it is woken until it is stopped. A look waits for all it took: a channel that hangs holds one lane
 * for some seconds, and others find what comes next. `stop` resolves when nothing is being sent.
 */
export function startDelivering(deliverer: Deliverer, clock: Clock): LookLoop {
  let stopped = false;
  const busy = new Set<Promise<void>>();
  const deliver = async (): Promise<void> => {
    try {
      // Until nothing is due, then wait for the next look.
      while (!stopped && (await deliverAlerts(deliverer)) > 0);
    } catch (error) {
      deliverer.observer.problem('delivering alerts', error);
    }
  };
  const look = async (): Promise<void> => {
    if (busy.size >= LANES) return;
    const lane = deliver().finally(() => busy.delete(lane));
    busy.add(lane);
  };
  const loop = startLooking(look, UNASKED_MS, clock);
  return {
    wake: loop.wake,
    stop: async () => {
      stopped = true;
      await loop.stop();
      await Promise.all(busy);
    },
  };
}
