import type { AlertMessage, AlertSender, SendResult } from '#core';
import { WebClient, type WebClientOptions } from '@slack/web-api';
import { withEvent } from './alert-history.ts';
import { formatSlackMessage, formatSlackReply, slackSummary, type SlackBody } from './format-slack.ts';
import { slackErrorCode, slackFailure } from './slack-errors.ts';
import { createSlackLookup, mayNotLook, SLACK_METADATA_TYPE, type SlackLookup } from './slack-lookup.ts';
import { decodeSlackThread, encodeSlackThread, type SlackThread } from './slack-thread.ts';

export interface SlackSenderOptions {
  /** Bot token with `chat:write`; `channels:history` and `channels:read` let it look before it sends again. */
  readonly token: string;
  /** Base of the Web API; default Slack's own. */
  readonly apiUrl?: string | undefined;
  /** How long one call may take, in milliseconds; default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** For proxies and private certificates; default the global one. */
  readonly fetch?: WebClientOptions['fetch'] | undefined;
}

/**
 * One message per run and channel: the first event posts it, later ones edit it and answer in its thread.
 * Never retries by itself: the outbox owns that, and passes `inDoubt` for every try after the first.
 */
export function createSlackSender(options: SlackSenderOptions): AlertSender {
  const { token, apiUrl, timeoutMs = 10_000, fetch } = options;
  const client = new WebClient(token, {
    ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl }),
    ...(fetch === undefined ? {} : { fetch }),
    timeout: timeoutMs,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    allowAbsoluteUrls: false,
    logger: SILENT,
  });
  return new SlackSender(client, createSlackLookup(client));
}

interface Posted {
  readonly channel: string;
  readonly ts: string;
}

class SlackSender implements AlertSender {
  readonly kind = 'slack';
  /** Alerts that were tried here and are not done: null, or the message that stands while its reply does not yet. */
  private readonly unfinished = new Map<string, Posted | null>();

  constructor(
    private readonly client: WebClient,
    private readonly lookup: SlackLookup,
  ) {}

  async send(target: string, message: AlertMessage, thread: string | null, inDoubt: boolean): Promise<SendResult> {
    const notes: string[] = [];
    const doubtful = inDoubt || this.unfinished.has(message.id);
    this.remember(message.id, this.unfinished.get(message.id) ?? null);
    try {
      const before = decodeSlackThread(thread);
      const edited = before === null ? null : await this.edit(before, message);
      const posted = edited ?? (await this.post(target, message, before, doubtful, notes));
      const isFirst = edited === null;
      this.remember(message.id, posted);
      await this.reply(posted, message, isFirst, doubtful, notes);
      this.unfinished.delete(message.id);
      const told = withEvent(before?.past ?? [], message);
      const firstId = isFirst ? message.id : (before?.firstId ?? message.id);
      notes.unshift(isFirst ? 'posted' : 'edited');
      return {
        kind: 'sent',
        thread: encodeSlackThread({ ...posted, firstId, past: told }),
        detail: `${notes.join(', ')} in ${posted.channel} at ${posted.ts}`,
      };
    } catch (error) {
      const result = slackFailure(error);
      if (result.kind === 'rejected') this.unfinished.delete(message.id);
      return result;
    }
  }

  /** Bounded: what the outbox gave up is never heard of again. */
  private remember(id: string, posted: Posted | null): void {
    this.unfinished.set(id, posted);
    const [oldest] = this.unfinished.keys();
    if (this.unfinished.size > 1000 && oldest !== undefined) this.unfinished.delete(oldest);
  }

  /** Null when the message cannot be edited any more, so that a new one is needed. */
  private async edit(before: SlackThread, message: AlertMessage): Promise<Posted | null> {
    const { channel, ts, firstId, past } = before;
    const metadata = metadataOf(firstId, message);
    try {
      await this.withPlainFallback(formatSlackMessage(message, past), message, (body) =>
        this.client.chat.update({ channel, ts, ...QUIET, ...body, metadata }),
      );
      return { channel, ts };
    } catch (error) {
      if (UNEDITABLE.has(slackErrorCode(error) ?? '')) return null;
      throw error;
    }
  }

  private async post(
    target: string,
    message: AlertMessage,
    before: SlackThread | null,
    doubtful: boolean,
    notes: string[],
  ): Promise<Posted> {
    const earlier =
      this.unfinished.get(message.id) ?? (doubtful ? await this.findEarlier(target, message, notes) : null);
    if (earlier !== null) return earlier;
    const body = formatSlackMessage(message, before?.past ?? []);
    const metadata = metadataOf(message.id, message);
    const answer = await this.withPlainFallback(body, message, (shown) =>
      this.client.chat.postMessage({ channel: target, ...QUIET, ...NO_UNFURL, ...shown, metadata }),
    );
    return { channel: answer.channel ?? target, ts: answer.ts ?? '' };
  }

  private async findEarlier(target: string, message: AlertMessage, notes: string[]): Promise<Posted | null> {
    try {
      const channel = await this.lookup.channelId(target);
      const ts = channel === null ? null : await this.lookup.findMessage(channel, message.id, message.at);
      if (channel === null || ts === null) return null;
      notes.push('an earlier try had arrived');
      return { channel, ts };
    } catch (error) {
      if (!mayNotLook(error)) throw error;
      notes.push('could not look for an earlier copy');
      return null;
    }
  }

  private async reply(
    { channel, ts }: Posted,
    message: AlertMessage,
    isFirst: boolean,
    doubtful: boolean,
    notes: string[],
  ): Promise<void> {
    const body = formatSlackReply(message, isFirst);
    if (body === null || (doubtful && (await this.hasReply(channel, ts, message.id, notes)))) return;
    const metadata = metadataOf(message.id, message);
    try {
      await this.withPlainFallback(body, message, (shown) =>
        this.client.chat.postMessage({ channel, thread_ts: ts, ...QUIET, ...NO_UNFURL, ...shown, metadata }),
      );
    } catch (error) {
      // The message itself stands; that its thread refuses us for good is no reason to call the alert unsent.
      const failure = slackFailure(error);
      if (failure.kind !== 'rejected') throw error;
      notes.push(`no reply: ${failure.error}`);
    }
  }

  private async hasReply(channel: string, ts: string, alertId: string, notes: string[]): Promise<boolean> {
    try {
      return (await this.lookup.findReply(channel, ts, alertId)) !== null;
    } catch (error) {
      if (!mayNotLook(error)) throw error;
      notes.push('could not look for an earlier reply');
      return false;
    }
  }

  /** An alert whose blocks Slack refuses still arrives, as one line. */
  private async withPlainFallback<T>(
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

function metadataOf(id: string, message: AlertMessage) {
  return { event_type: SLACK_METADATA_TYPE, event_payload: { id, run: message.runId } };
}

/** What matters is in the result; the library's own lines would go to the console. */
const SILENT: NonNullable<WebClientOptions['logger']> = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  setName() {},
  getLevel: () => 'error' as ReturnType<NonNullable<WebClientOptions['logger']>['getLevel']>,
};
