import type { AlertMessage } from '#core';
import { WebClient, type WebClientOptions } from '@slack/web-api';
import { formatSlackMessage, slackSummary, type SlackBody } from './format-slack.ts';
import { slackErrorCode } from './slack-errors.ts';
import { SLACK_METADATA_TYPE } from './slack-lookup.ts';
import type { SlackThread } from './slack-thread.ts';

/** Where a message stands. */
export interface Posted {
  readonly channel: string;
  readonly ts: string;
}

/** The three writes that an alert is made of. Each throws what the library throws. */
export interface SlackCalls {
  /** Posts into the channel, or into the thread of `under`. */
  post(channel: string, body: SlackBody, message: AlertMessage, under?: string): Promise<Posted>;
  /** Null when the message cannot be edited any more, so that a new one is needed. */
  edit(before: SlackThread, message: AlertMessage): Promise<Posted | null>;
}

const UNEDITABLE = new Set(['message_not_found', 'cant_update_message', 'edit_window_closed']);
const REFUSED_BODY = new Set([
  'invalid_blocks',
  'invalid_blocks_format',
  'invalid_attachments',
  'msg_too_long',
  'msg_blocks_too_long',
  'too_many_attachments',
]);

/** No mention, channel or address is made out of text. */
const QUIET = { parse: 'none', link_names: false } as const;
const NO_UNFURL = { unfurl_links: false, unfurl_media: false } as const;

export function createSlackCalls(client: WebClient): SlackCalls {
  return {
    async post(channel, body, message, under) {
      const metadata = metadataOf(message.id, message);
      const place = under === undefined ? {} : { thread_ts: under };
      const answer = await withPlainFallback(body, message, (shown) =>
        client.chat.postMessage({ channel, ...place, ...QUIET, ...NO_UNFURL, ...shown, metadata }),
      );
      return { channel: answer.channel ?? channel, ts: answer.ts ?? '' };
    },
    async edit({ channel, ts, firstId, past }, message) {
      const metadata = metadataOf(firstId, message);
      try {
        await withPlainFallback(formatSlackMessage(message, past), message, (body) =>
          client.chat.update({ channel, ts, ...QUIET, ...body, metadata }),
        );
        return { channel, ts };
      } catch (error) {
        if (UNEDITABLE.has(slackErrorCode(error) ?? '')) return null;
        throw error;
      }
    },
  };
}

/** An alert whose blocks Slack refuses still arrives, as one line. */
async function withPlainFallback<T>(
  body: SlackBody,
  message: AlertMessage,
  call: (body: SlackBody) => Promise<T>,
): Promise<T> {
  try {
    return await call(body);
  } catch (error) {
    if (!REFUSED_BODY.has(slackErrorCode(error) ?? '')) throw error;
    return call({ text: slackSummary(message), blocks: [], attachments: [] });
  }
}

function metadataOf(id: string, message: AlertMessage) {
  return { event_type: SLACK_METADATA_TYPE, event_payload: { id, run: message.runId } };
}

/** A client that never retries, never waits and never prints: what matters is in its errors. */
export function createQuietClient(token: string, options: WebClientOptions): WebClient {
  return new WebClient(token, {
    ...options,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    allowAbsoluteUrls: false,
    logger: SILENT,
  });
}

type Logger = NonNullable<WebClientOptions['logger']>;

const SILENT: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  setName() {},
  getLevel: () => 'error' as ReturnType<Logger['getLevel']>,
};
