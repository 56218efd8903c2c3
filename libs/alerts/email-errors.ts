import type { SendResult } from '#core';

/** Troubles that no later try can mend: the address or the message is wrong, or the configuration is. */
const LASTING = new Set(['EENVELOPE', 'EMESSAGE', 'EAUTH', 'ENOAUTH', 'ECONFIG', 'EREQUIRETLS']);

/** What the outbox should do about a failed mail: 5xx answers are final, 4xx and broken connections are not. */
export function emailFailure(error: unknown): SendResult {
  const { code, responseCode, response, message } = (error ?? {}) as Record<string, unknown>;
  const said =
    typeof response === 'string' && response !== '' ? response : typeof message === 'string' ? message : 'failed';
  const text = `SMTP: ${said.replace(/\s+/g, ' ').slice(0, 300)}`;
  if (typeof responseCode === 'number') {
    return responseCode >= 500 ? { kind: 'rejected', error: text } : { kind: 'retry', afterMs: null, error: text };
  }
  return LASTING.has(String(code)) ? { kind: 'rejected', error: text } : { kind: 'retry', afterMs: null, error: text };
}
