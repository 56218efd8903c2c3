import type { QueueName } from '#core';

/** True when a pattern of SLUICE_WORKER_QUEUES (`*`, `prod.*`, `*.gpu`, `prod.gpu`) stands for the queue. Previews go with their environment. */
export function matchesQueue(pattern: string, { environment, pool }: QueueName): boolean {
  const [wantedEnvironment = '*', wantedPool = '*'] = pattern.split('.');
  const isEnvironment =
    wantedEnvironment === '*' || wantedEnvironment === environment || environment.startsWith(`${wantedEnvironment}/`);
  return isEnvironment && (wantedPool === '*' || wantedPool === pool);
}
