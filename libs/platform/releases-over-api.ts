import { SluiceError, type Clock, type ObjectStore } from '#core';
import type { createWorkerClient } from '#contracts';
import { whileAway } from './while-away.ts';

/**
 * The release store as the API hands it out. What comes is compared with the digest that it was asked for by. While the API
 * does not answer it is asked again: an attempt that fails would cost its task a try, or its run.
 */
export function releasesOverApi(
  client: Pick<ReturnType<typeof createWorkerClient>, 'releaseObject'>,
  serverUrl: string,
  clock: Clock,
): ObjectStore {
  const never = (): Promise<never> =>
    Promise.reject(new SluiceError('not_supported', 'A worker reads releases, and nothing else.'));
  return {
    name: `${serverUrl} (releases)`,
    get: async (key) => {
      const content = await whileAway(() => client.releaseObject(key), clock);
      return content && Buffer.from(content);
    },
    ...{ put: never, sizes: never, list: never, remove: never },
  };
}
