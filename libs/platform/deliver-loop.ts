import type { Clock } from '#core';
import type { Deliverer } from '#engine';
import { deliverAlerts } from '#engine';

const LOOK_MS = 1000;
const LANES = 8;

/**
 * Looks for alerts once a second until it is stopped. A look waits for all it took: a channel that hangs holds one lane
 * for some seconds, and others find what comes next. The returned function resolves when nothing is being sent.
 */
export function startDelivering(deliverer: Deliverer, clock: Clock): () => Promise<void> {
  let stopped = false;
  const busy = new Set<Promise<void>>();
  let cancel = (): void => undefined;
  const deliver = async (): Promise<void> => {
    try {
      // Until nothing is due, then wait for the next look.
      while (!stopped && (await deliverAlerts(deliverer)) > 0);
    } catch (error) {
      deliverer.observer.problem('delivering alerts', error);
    }
  };
  const look = (): void => {
    if (busy.size < LANES) {
      const lane = deliver().finally(() => busy.delete(lane));
      busy.add(lane);
    }
    if (!stopped) cancel = clock.schedule(LOOK_MS, look);
  };
  look();
  return async () => {
    stopped = true;
    cancel();
    await Promise.all(busy);
  };
}
