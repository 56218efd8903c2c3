import type { Clock } from '#core';
import { finishVerifications, sampleVerifications, type VerificationParts } from '#engine';

const LOOK_MS = 1000;
const SAMPLE_MS = 60_000;

/**
 * Compares verified runs whose second run has ended, once a second, and once a minute begins the
 * verifications that environment files ask for. `onFinished` follows a look that
 * found some. The function it returns ends that, and resolves when nothing is being compared.
 */
export function startVerifying(parts: VerificationParts, clock: Clock, onFinished: () => void): () => Promise<void> {
  let stopped = false;
  let sampledAt = 0;
  let cancel = (): void => undefined;
  let looking: Promise<void> = Promise.resolve();
  const lookOnce = async (): Promise<void> => {
    if ((await finishVerifications(parts)) > 0) onFinished();
    const now = clock.now().getTime();
    if (now - sampledAt < SAMPLE_MS) return;
    sampledAt = now;
    await sampleVerifications(parts);
  };
  const look = (): void => {
    looking = lookOnce()
      .catch((error: unknown) => parts.observer.problem('looking for verified runs', error))
      .then(() => {
        if (!stopped) cancel = clock.schedule(LOOK_MS, look);
      });
  };
  look();
  return async () => {
    stopped = true;
    cancel();
    await looking;
  };
}
