import type { SendResult } from '#core';
import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError } from '@slack/web-api';

/** Codes that Slack gives for trouble of its own or of the moment; any other code means the request will never do. */
const PASSING = new Set([
  'fatal_error',
  'internal_error',
  'message_limit_exceeded',
  'rate_limited',
  'ratelimited',
  'request_timeout',
  'service_unavailable',
  'external_channel_migrating',
  'team_added_to_org',
]);

const REMEDIES: Readonly<Record<string, string>> = {
  channel_not_found: 'check the name, and invite the app to the channel',
  not_in_channel: 'invite the app to the channel',
  is_archived: 'the channel is archived: choose another one',
  invalid_auth: 'the token is wrong',
  not_authed: 'the token is missing',
  token_revoked: 'the token was revoked: install the app again',
  account_inactive: 'the token belongs to a removed app or user',
  missing_scope: 'give the app the scope chat:write',
};

/** Slack's error code (`channel_not_found`) when that is what the error is, else null. */
export function slackErrorCode(error: unknown): string | null {
  return error instanceof WebAPIPlatformError ? error.data.error : null;
}

/** What the outbox should do about a failed call. The text never holds the token. */
export function slackFailure(error: unknown): SendResult {
  if (error instanceof WebAPIRateLimitedError) {
    return {
      kind: 'retry',
      afterMs: error.retryAfter * 1000,
      error: `Slack: rate limited, wait ${error.retryAfter} s`,
    };
  }
  if (error instanceof WebAPIHTTPError) {
    const text = `Slack: HTTP ${error.statusCode}`;
    if (error.statusCode < 500 && ![408, 425, 429].includes(error.statusCode)) return { kind: 'rejected', error: text };
    return { kind: 'retry', afterMs: retryAfterMs(error.headers['retry-after']), error: text };
  }
  const code = slackErrorCode(error);
  if (code !== null) return platformFailure(code);
  return { kind: 'retry', afterMs: null, error: `Slack: ${rootMessage(error)}` };
}

function platformFailure(code: string): SendResult {
  // The library passes a body that is no JSON (a proxy's page) on as the code.
  if (!/^[a-z][a-z0-9_]{0,60}$/.test(code))
    return { kind: 'retry', afterMs: null, error: 'Slack: the answer is not JSON' };
  if (PASSING.has(code)) return { kind: 'retry', afterMs: null, error: `Slack: ${code}` };
  const remedy = REMEDIES[code];
  return { kind: 'rejected', error: remedy === undefined ? `Slack: ${code}` : `Slack: ${code} (${remedy})` };
}

function retryAfterMs(header: string | undefined): number | null {
  const seconds = Number.parseInt(header ?? '', 10);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

/** `fetch failed` says nothing; its cause says `connect ECONNREFUSED 127.0.0.1:1`. */
function rootMessage(error: unknown): string {
  let deepest = error;
  for (let depth = 0; depth < 5 && deepest instanceof Error && deepest.cause !== undefined; depth++)
    deepest = deepest.cause;
  if (deepest instanceof AggregateError && deepest.errors.length > 0) deepest = deepest.errors[0];
  return (deepest instanceof Error ? deepest.message : String(deepest)).slice(0, 300);
}
