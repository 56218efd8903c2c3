import type { WebClient } from '@slack/web-api';
import { slackErrorCode } from './slack-errors.ts';

/** Type of the metadata that every message of ours carries; its payload is `{ id, run }`. */
export const SLACK_METADATA_TYPE = 'sluice_alert';

/** Pages of 200 to look through at most; an alert in doubt is minutes old. */
const MAX_PAGES = 5;
const CLOCK_SKEW_S = 300;

export interface SlackLookup {
  /** `ts` of the message in the channel that carries this alert id, else null. */
  findMessage(channel: string, alertId: string, since: string): Promise<string | null>;
  /** `ts` of the reply in that thread that carries this alert id, else null. */
  findReply(channel: string, ts: string, alertId: string): Promise<string | null>;
  /** Id of a channel given as `#name` or id; null when the app sees no such channel. */
  channelId(target: string): Promise<string | null>;
}

/** Finds our own messages again by their metadata. Throws what the library throws. */
export function createSlackLookup(client: WebClient): SlackLookup {
  const ids = new Map<string, string>();
  return {
    async findMessage(channel, alertId, since) {
      const started = Date.parse(since) / 1000;
      const oldest = Number.isFinite(started) ? { oldest: String(started - CLOCK_SKEW_S) } : {};
      return firstMatch(alertId, (cursor) =>
        client.conversations.history({ channel, limit: 200, include_all_metadata: true, ...oldest, ...cursor }),
      );
    },
    async findReply(channel, ts, alertId) {
      // The thread's first message comes along and may carry the same id, so it is passed over.
      return firstMatch(
        alertId,
        (cursor) => client.conversations.replies({ channel, ts, limit: 200, include_all_metadata: true, ...cursor }),
        ts,
      );
    },
    async channelId(target) {
      if (/^[CGD][A-Z0-9]{7,}$/.test(target)) return target;
      const name = target.replace(/^#/, '');
      const known = ids.get(name);
      if (known !== undefined) return known;
      let cursor: { cursor?: string } = {};
      for (let page = 0; page < MAX_PAGES; page++) {
        const answer = await client.conversations.list({
          types: 'public_channel,private_channel',
          exclude_archived: true,
          limit: 1000,
          ...cursor,
        });
        for (const channel of answer.channels ?? []) if (channel.name && channel.id) ids.set(channel.name, channel.id);
        const next = answer.response_metadata?.next_cursor;
        if (ids.has(name) || !next) break;
        cursor = { cursor: next };
      }
      return ids.get(name) ?? null;
    },
  };
}

interface Page {
  readonly messages?: readonly { ts?: string; metadata?: { event_type?: string; event_payload?: object } }[];
  readonly response_metadata?: { next_cursor?: string };
}

async function firstMatch(
  alertId: string,
  fetchPage: (cursor: { cursor?: string }) => Promise<Page>,
  except?: string,
): Promise<string | null> {
  let cursor: { cursor?: string } = {};
  for (let page = 0; page < MAX_PAGES; page++) {
    const { messages = [], response_metadata: about } = await fetchPage(cursor);
    const match = messages.find(
      ({ ts, metadata }) =>
        ts !== except &&
        metadata?.event_type === SLACK_METADATA_TYPE &&
        (metadata.event_payload as { id?: unknown } | undefined)?.id === alertId,
    );
    if (match?.ts !== undefined) return match.ts;
    if (!about?.next_cursor) return null;
    cursor = { cursor: about.next_cursor };
  }
  return null;
}

/** True when the app may not look (missing scope): sending again is then the only choice left. */
export function mayNotLook(error: unknown): boolean {
  return ['missing_scope', 'not_in_channel', 'channel_not_found', 'not_allowed_token_type'].includes(
    slackErrorCode(error) ?? '',
  );
}
