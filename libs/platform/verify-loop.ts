import type { Clock } from '#core';
import { finishVerifications, sampleVerifications, type VerificationParts } from '#engine';
import { startLooking, UNASKED_MS, type LookLoop } from './look-loop.ts';

const SAMPLE_MS = 60_000;

/**
 * Compares verified runs whose second run has ended, whenever it is woken, and once a minute begins the verifications that
 * environment files ask for. `onFinished` follows a look that found some.
 */
export function startVerifying(parts: VerificationParts, clock: Clock, onFinished: () => void): LookLoop {
  let sampledAt = 0;
  const lookOnce = async (): Promise<void> => {
    if ((await finishVerifications(parts)) > 0) onFinished();
    const now = clock.now().getTime();
    if (now - sampledAt < SAMPLE_MS) return;
    sampledAt = now;
    await sampleVerifications(parts);
  };
  const look = (): Promise<void> =>
    lookOnce().catch((error: unknown) => parts.observer.problem('looking for verified runs', error));
  return startLooking(look, UNASKED_MS, clock);
}
