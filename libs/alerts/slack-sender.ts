import type { AlertMessage, AlertSender, SendResult } from '#core';
import type { WebClientOptions } from '@slack/web-api';
import { withEvent } from './alert-history.ts';
import { formatSlackMessage, formatSlackReply } from './format-slack.ts';
import { createQuietClient, createSlackCalls, type Posted, type SlackCalls } from './slack-calls.ts';
import { slackFailure } from './slack-errors.ts';
import { createSlackLookup, mayNotLook, type SlackLookup } from './slack-lookup.ts';
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
export function createSlackSender({ token, apiUrl, timeoutMs = 10_000, fetch }: SlackSenderOptions): AlertSender {
  const client = createQuietClient(token, {
    ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl }),
    ...(fetch === undefined ? {} : { fetch }),
    timeout: timeoutMs,
  });
  return new SlackSender(createSlackCalls(client), createSlackLookup(client));
}

/** One try of one alert. */
interface Try {
  readonly message: AlertMessage;
  /** An earlier try may have arrived. */
  readonly doubtful: boolean;
  /** For the delivery log. */
  readonly notes: string[];
}

class SlackSender implements AlertSender {
  readonly kind = 'slack';
  private readonly calls: SlackCalls;
  private readonly lookup: SlackLookup;
  /** Alerts that were tried here and are not done: null, or the message that stands while its reply does not yet. */
  private readonly unfinished = new Map<string, Posted | null>();

  constructor(calls: SlackCalls, lookup: SlackLookup) {
    this.calls = calls;
    this.lookup = lookup;
  }

  async send(target: string, message: AlertMessage, thread: string | null, inDoubt: boolean): Promise<SendResult> {
    const before = decodeSlackThread(thread);
    const attempt: Try = { message, doubtful: inDoubt || this.unfinished.has(message.id), notes: [] };
    this.remember(message.id, this.unfinished.get(message.id) ?? null);
    try {
      const edited = before === null ? null : await this.calls.edit(before, message);
      const posted = edited ?? (await this.post(target, before, attempt));
      this.remember(message.id, posted);
      await this.reply(posted, edited === null, attempt);
      this.unfinished.delete(message.id);
      const firstId = edited === null || before === null ? message.id : before.firstId;
      const past = withEvent(before?.past ?? [], message);
      const did = [edited === null ? 'posted' : 'edited', ...attempt.notes].join(', ');
      return {
        kind: 'sent',
        thread: encodeSlackThread({ ...posted, firstId, past }),
        detail: `${did} in ${posted.channel} at ${posted.ts}`,
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

  private async post(target: string, before: SlackThread | null, attempt: Try): Promise<Posted> {
    const { message, doubtful } = attempt;
    const earlier = this.unfinished.get(message.id) ?? (doubtful ? await this.findEarlier(target, attempt) : null);
    return earlier ?? this.calls.post(target, formatSlackMessage(message, before?.past ?? []), message);
  }

  private findEarlier(target: string, { message, notes }: Try): Promise<Posted | null> {
    return this.look(notes, 'copy', async () => {
      const channel = await this.lookup.channelId(target);
      const ts = channel === null ? null : await this.lookup.findMessage(channel, message.id, message.at);
      if (channel === null || ts === null) return null;
      notes.push('an earlier try had arrived');
      return { channel, ts };
    });
  }

  private async reply({ channel, ts }: Posted, isFirst: boolean, { message, doubtful, notes }: Try): Promise<void> {
    const body = formatSlackReply(message, isFirst);
    if (body === null) return;
    const find = () => this.lookup.findReply(channel, ts, message.id);
    if (doubtful && (await this.look(notes, 'reply', find)) !== null) return;
    try {
      await this.calls.post(channel, body, message, ts);
    } catch (error) {
      // The message itself stands; that its thread refuses us for good is no reason to call the alert unsent.
      const failure = slackFailure(error);
      if (failure.kind !== 'rejected') throw error;
      notes.push(`no reply: ${failure.error}`);
    }
  }

  /** Null also when the app may not look; the delivery log then says so. */
  private async look<T>(notes: string[], what: string, find: () => Promise<T | null>): Promise<T | null> {
    try {
      return await find();
    } catch (error) {
      if (!mayNotLook(error)) throw error;
      notes.push(`could not look for an earlier ${what}`);
      return null;
    }
  }
}
