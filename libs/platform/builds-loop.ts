import { createJenkinsCalls } from '#alerts';
import type { Clock } from '#core';
import { type Builds, lookAtBuilds, type PromotionParts } from '#engine';
import type { JenkinsSettings } from './jenkins-settings.ts';
import { type LookLoop, startLooking } from './look-loop.ts';

const LOOK_MS = 5000;

export function buildsOf({ url, user, token }: JenkinsSettings): Builds {
  const calls = createJenkinsCalls({ url, user, token: token.reveal() });
  return {
    resultOf: async (build) => {
      const status = await calls.status(build);
      return status === null ? 'GONE' : status.result;
    },
  };
}

/** Looks at the builds that wait for promotions; beside what steps promotions, which must not wait for Jenkins. */
export function startLookingAtBuilds(
  parts: Pick<PromotionParts, 'promotions' | 'observer'>,
  builds: Builds,
  clock: Clock,
): LookLoop {
  const look = (): Promise<void> =>
    lookAtBuilds({ ...parts, builds }, LOOK_MS).catch((error: unknown) =>
      parts.observer.problem('looking at builds', error),
    );
  return startLooking(look, LOOK_MS, clock);
}
