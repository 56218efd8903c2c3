import { createHmac, timingSafeEqual } from 'node:crypto';

/** The two headers with which Slack signs a request: `x-slack-signature`, `x-slack-request-timestamp`. */
export interface SlackProof {
  readonly signature: string | undefined;
  /** Epoch seconds. */
  readonly timestamp: string | undefined;
}

const FRESH_S = 5 * 60;

/**
 * True when whoever sent this body knows the app's signing secret, and did so within five minutes of `now`: what was
 * overheard cannot be sent again later. Takes as long for any wrong signature.
 */
export function isSignedBySlack(
  body: string,
  { signature, timestamp }: SlackProof,
  secret: string,
  now: Date,
): boolean {
  if (signature === undefined || timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(now.getTime() / 1000 - Number(timestamp)) > FRESH_S) return false;
  const due = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest();
  const [, hex] = /^v0=([0-9a-f]{64})$/.exec(signature) ?? [];
  return hex !== undefined && timingSafeEqual(Buffer.from(hex, 'hex'), due);
}
