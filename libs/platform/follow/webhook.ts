import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { SluiceError } from '#core';
import type { Secret } from '../secret.ts';

/** What proves that a push hook is genuine: GitHub signs the body, GitLab sends the secret itself. */
export interface WebhookProof {
  /** `x-hub-signature-256`. */
  readonly signature: string | undefined;
  /** `x-gitlab-token`. */
  readonly token: string | undefined;
}

/** Throws `unauthorized` unless whoever sent this body knows the secret. Takes as long for any wrong proof. */
export function checkWebhook(body: Buffer | string, proof: WebhookProof, secret: Secret | null): void {
  if (secret === null)
    throw new SluiceError('unauthorized', 'This server takes no webhooks: it has no secret for them.', {
      hint: 'Set SLUICE_WEBHOOK_SECRET at the server, and the same secret in the webhook.',
    });
  if (proof.signature !== undefined) {
    const due = `sha256=${createHmac('sha256', secret.reveal()).update(body).digest('hex')}`;
    if (isEqual(proof.signature, due)) return;
  } else if (proof.token !== undefined && isEqual(proof.token, secret.reveal())) return;
  throw new SluiceError('unauthorized', 'The webhook’s signature or token is missing or wrong.', {
    hint: 'Use the secret of SLUICE_WEBHOOK_SECRET in the webhook, and the content type application/json.',
  });
}

/** Hashes first: of texts of different lengths nothing shows. */
function isEqual(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}
