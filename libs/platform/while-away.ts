import { SluiceError, type Clock } from '#core';

const AGAIN_MS = 1000;

/** Asks until somebody answers who is away for a moment, an API that is being replaced; from `until` (epoch ms) on it gives up. */
export async function whileAway<T>(ask: () => Promise<T>, clock: Clock, until = Infinity): Promise<T> {
  for (;;)
    try {
      return await ask();
    } catch (error) {
      const isAway = error instanceof SluiceError && ['unavailable', 'timeout'].includes(error.code);
      if (!isAway || clock.now().getTime() > until) throw error;
      await new Promise<void>((resolve) => void clock.schedule(AGAIN_MS, resolve));
    }
}
