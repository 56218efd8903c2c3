import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

/**
 * Sets the headers that keep a page of ours from running, framing or leaking what is not ours.
 * `inlineScripts`: texts of the scripts that stand in index.html itself; no other inline script runs.
 */
export function setSecurityHeaders(server: FastifyInstance, inlineScripts: readonly string[]): void {
  const hashes = inlineScripts
    .map((text) => ` 'sha256-${createHash('sha256').update(text).digest('base64')}'`)
    .join('');
  const headers = {
    'content-security-policy': [
      "default-src 'none'",
      `script-src 'self'${hashes}`,
      // The component library and the editor write style elements at run time.
      "style-src 'self' 'unsafe-inline'",
      "img-src 'self' data:",
      "font-src 'self' data:",
      "connect-src 'self'",
      "manifest-src 'self'",
      "form-action 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    // What the API says is never kept by a browser or a proxy; files of the web view say otherwise themselves.
    'cache-control': 'no-store',
  };
  server.addHook('onRequest', async (_request, reply) => {
    reply.headers(headers);
  });
}
