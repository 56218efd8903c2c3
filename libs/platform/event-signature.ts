import { createHmac, timingSafeEqual } from 'node:crypto';
import { SluiceError } from '#core';

/** What a sender of an event proves with that it knows a secret. */
export interface EventProof {
  /** `sluice-signature`: `sha256=` and the HMAC of `TIMESTAMP.BODY`. */
  readonly signature: string | undefined;
  /** `sluice-timestamp`, in epoch seconds. */
  readonly timestamp: string | undefined;
}

const FRESH_S = 5 * 60;

/**
 * Throws `unauthorized` unless the body was signed with this secret within five minutes of `now`: what was overheard
 * cannot be sent again later, and within that time its key makes it the same event. Takes as long for any wrong signature.
 */
export function checkEventSignature(body: string, proof: EventProof, secret: string, now: Date): void {
  const { signature = '', timestamp = '' } = proof;
  const due = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest();
  const [, hex] = /^sha256=([0-9a-f]{64})$/.exec(signature) ?? [];
  const isFresh = /^\d{1,12}$/.test(timestamp) && Math.abs(now.getTime() / 1000 - Number(timestamp)) <= FRESH_S;
  if (isFresh && hex !== undefined && timingSafeEqual(Buffer.from(hex, 'hex'), due)) return;
  throw new SluiceError('unauthorized', 'The signature of the event is missing or wrong, or older than five minutes.', {
    hint: 'Send sluice-timestamp (epoch seconds), and sluice-signature: sha256= and the HMAC-SHA256 of "TIMESTAMP.BODY" in hex.',
  });
}
