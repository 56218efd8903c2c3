import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from '#core';
import { SluiceError } from '#core';
import type { Environments, Events } from '#engine';
import { checkEventSignature, type EventProof } from './event-signature.ts';
import { readSecret } from './read-secret.ts';

/** An event as the API took it. */
export interface SentEvent {
  readonly environment: string;
  readonly name: string;
  /** Null: it was sent without, so that it can never be the same as another. */
  readonly key: string | null;
  /** The bytes as they came, as text: what was signed. */
  readonly body: string;
  readonly payload: unknown;
  readonly proof: EventProof;
  /** Id of the run whose task sent it; null: it came from outside. */
  readonly sender: string | null;
}

/** What the API does about events from outside. */
export function createEventCommands(parts: {
  readonly events: Pick<Events, 'receive'>;
  readonly environments: Environments;
  readonly clock: Pick<Clock, 'now'>;
}) {
  const { events, environments, clock } = parts;
  return {
    receiveEvent: async ({ environment, name, key, body, payload, proof, sender }: SentEvent, actor: string) => {
      const { event, isRepeated, runs } = await events.receive({
        ...{ environment, name, payload, actor, sender },
        key: key ?? randomUUID(),
        bodyHash: createHash('sha256').update(body).digest('hex'),
        prove: async (secret) => {
          const source = environments.get(environment)?.config.secrets[secret];
          if (source === undefined)
            throw new SluiceError('unavailable', `The secret ${secret} is not configured in ${environment}.`, {
              hint: `Add it under \`secrets:\` in environments/${environment}.yaml.`,
            });
          checkEventSignature(body, proof, await readSecret(source), clock.now());
        },
      });
      return { id: event.id, environment, name, key: event.key, repeated: isRepeated, runs: [...runs] };
    },
  };
}
