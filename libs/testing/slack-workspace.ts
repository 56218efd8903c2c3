import { refusedBlocks } from './slack-limits.ts';

export interface SlackMessage {
  readonly channel: string;
  readonly ts: string;
  readonly threadTs: string | null;
  readonly text: string;
  readonly blocks: readonly SlackPart[];
  readonly attachments: readonly SlackPart[];
  readonly metadata: { readonly event_type: string; readonly event_payload: Readonly<Record<string, unknown>> } | null;
  /** How often it was edited. */
  readonly edits: number;
}

export interface SlackWhisper {
  readonly channel: string;
  readonly user: string;
  readonly text: string;
}

export type SlackPart = Readonly<Record<string, unknown>>;
export type SlackArguments = Readonly<Record<string, unknown>>;
export type SlackAnswer = { readonly ok: boolean; readonly error?: string } & Readonly<Record<string, unknown>>;

/** Channels and messages as Slack keeps them; `answer` is one call of the Web API. */
export class SlackWorkspace {
  readonly messages: SlackMessage[] = [];
  /** What one person was told, and nobody else. */
  readonly whispers: SlackWhisper[] = [];
  private count = 0;

  /** Name without `#` → id. */
  constructor(readonly channels: ReadonlyMap<string, string>) {}

  answer(method: string, args: SlackArguments): SlackAnswer {
    switch (method) {
      case 'auth.test':
        return { ok: true, team: 'Test', team_id: 'T0000001', user: 'sluice', user_id: 'U0000001', bot_id: 'B0000001' };
      case 'chat.postMessage':
        return this.post(args);
      case 'chat.postEphemeral':
        return this.whisper(args);
      case 'chat.update':
        return this.update(args);
      case 'conversations.history':
        return this.list(args, ({ threadTs }) => threadTs === null);
      case 'conversations.replies':
        return this.list(args, ({ ts, threadTs }) => ts === args['ts'] || threadTs === args['ts']);
      case 'conversations.list':
        return { ok: true, channels: [...this.channels].map(([name, id]) => ({ id, name })), ...NO_MORE };
      default:
        return { ok: false, error: 'unknown_method' };
    }
  }

  private post(args: SlackArguments): SlackAnswer {
    const channel = this.channelId(args['channel']);
    if (channel === null) return { ok: false, error: 'channel_not_found' };
    const refused = refusedBlocks(args);
    if (refused !== null) return { ok: false, error: refused };
    const threadTs = typeof args['thread_ts'] === 'string' ? args['thread_ts'] : null;
    const message = { ...contents(args), channel, ts: this.nextTs(), threadTs, edits: 0 };
    this.messages.push(message);
    return { ok: true, channel, ts: message.ts, message: shown(message, true) };
  }

  private whisper(args: SlackArguments): SlackAnswer {
    const channel = this.channelId(args['channel']);
    if (channel === null) return { ok: false, error: 'channel_not_found' };
    if (typeof args['text'] !== 'string' || args['text'] === '') return { ok: false, error: 'no_text' };
    this.whispers.push({ channel, user: String(args['user']), text: args['text'] });
    return { ok: true, message_ts: this.nextTs() };
  }

  private update(args: SlackArguments): SlackAnswer {
    const at = this.messages.findIndex(({ channel, ts }) => channel === args['channel'] && ts === args['ts']);
    const before = this.messages[at];
    if (before === undefined) return { ok: false, error: 'message_not_found' };
    const refused = refusedBlocks(args);
    if (refused !== null) return { ok: false, error: refused };
    const next = contents(args);
    // Slack keeps the metadata when an edit says nothing about it.
    this.messages[at] = { ...before, ...next, metadata: next.metadata ?? before.metadata, edits: before.edits + 1 };
    return { ok: true, channel: before.channel, ts: before.ts, text: next.text };
  }

  private list(args: SlackArguments, wanted: (message: SlackMessage) => boolean): SlackAnswer {
    const channel = args['channel'];
    // Unlike chat.postMessage, these methods take ids only.
    if (![...this.channels.values()].includes(String(channel))) return { ok: false, error: 'channel_not_found' };
    const oldest = Number(args['oldest'] ?? 0);
    const all = this.messages
      .filter((message) => message.channel === channel && Number(message.ts) >= oldest && wanted(message))
      .sort((a, b) => Number(b.ts) - Number(a.ts));
    const start = Number(args['cursor'] ?? 0);
    const end = start + Number(args['limit'] ?? 100);
    const withMetadata = String(args['include_all_metadata']) === 'true';
    const more = end < all.length ? { response_metadata: { next_cursor: String(end) } } : NO_MORE;
    return { ok: true, messages: all.slice(start, end).map((message) => shown(message, withMetadata)), ...more };
  }

  private channelId(target: unknown): string | null {
    if (typeof target !== 'string') return null;
    const named = this.channels.get(target.replace(/^#/, ''));
    return named ?? ([...this.channels.values()].includes(target) ? target : null);
  }

  private nextTs(): string {
    return `${Math.floor(Date.now() / 1000)}.${String(++this.count).padStart(6, '0')}`;
  }
}

const NO_MORE = { response_metadata: { next_cursor: '' } };

function contents(args: SlackArguments): Pick<SlackMessage, 'text' | 'blocks' | 'attachments' | 'metadata'> {
  return {
    text: String(args['text'] ?? ''),
    blocks: (args['blocks'] ?? []) as readonly SlackPart[],
    attachments: (args['attachments'] ?? []) as readonly SlackPart[],
    metadata: (args['metadata'] ?? null) as SlackMessage['metadata'],
  };
}

function shown({ ts, threadTs, text, blocks, attachments, metadata }: SlackMessage, withMetadata: boolean): SlackPart {
  return {
    type: 'message',
    bot_id: 'B0000001',
    ts,
    text,
    blocks,
    attachments,
    ...(threadTs === null ? {} : { thread_ts: threadTs }),
    ...(withMetadata && metadata !== null ? { metadata } : {}),
  };
}
