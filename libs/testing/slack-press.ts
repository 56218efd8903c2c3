import { createHmac } from 'node:crypto';
import type { SlackMessage, SlackPart } from './slack-workspace.ts';

export interface SlackPress {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Buttons of a message by their texts. */
export function buttonsOf({
  blocks,
  attachments,
}: Pick<SlackMessage, 'blocks' | 'attachments'>): Map<string, SlackPart> {
  const all = [...blocks, ...attachments.flatMap((one) => (one['blocks'] ?? []) as readonly SlackPart[])];
  const buttons = all
    .filter(({ type }) => type === 'actions')
    .flatMap((one) => one['elements'] as readonly SlackPart[]);
  return new Map(buttons.map((button) => [String((button['text'] as SlackPart)['text']), button]));
}

/** What Slack sends when somebody presses a button of a message, signed as Slack signs it. */
export function slackPress(
  message: SlackMessage,
  text: string,
  user: { readonly id: string; readonly name: string },
  signing: { readonly secret: string; readonly at: Date },
): SlackPress {
  const button = buttonsOf(message).get(text);
  if (button === undefined) throw new Error(`The message has no button "${text}".`);
  const payload = {
    type: 'block_actions',
    user: { ...user, username: user.name, team_id: 'T0000001' },
    team: { id: 'T0000001', domain: 'acme' },
    container: { type: 'message', message_ts: message.ts, channel_id: message.channel },
    channel: { id: message.channel, name: 'ml-alerts' },
    actions: [{ ...button, block_id: 'b1', action_ts: message.ts }],
    response_url: 'https://hooks.slack.com/actions/T0000001/1/x',
  };
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  return { body, headers: signedBySlack(body, signing) };
}

export function signedBySlack(body: string, { secret, at }: { readonly secret: string; readonly at: Date }) {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signature = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  return {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': timestamp,
    'x-slack-signature': `v0=${signature}`,
  };
}
