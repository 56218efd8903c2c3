import { SluiceError } from '#core';
import { createQuietClient } from './slack-calls.ts';
import { slackFailure } from './slack-errors.ts';
import { slackInline } from './slack-text.ts';

export interface SlackAccount {
  /** Bot token with `chat:write`. */
  readonly token: string;
  /** Base of the Web API; default Slack's own. */
  readonly apiUrl?: string | undefined;
}

const TIMEOUT_MS = 10_000;
const LONGEST = 2000;

/** Says something in a channel that one person sees and nobody else. Throws `unavailable` when Slack does not take it. */
export async function whisperInSlack(
  { token, apiUrl }: SlackAccount,
  to: { readonly channel: string; readonly user: string },
  text: string,
): Promise<void> {
  const client = createQuietClient(token, {
    ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl }),
    timeout: TIMEOUT_MS,
  });
  try {
    await client.chat.postEphemeral({ ...to, text: slackInline(text, LONGEST), parse: 'none', link_names: false });
  } catch (error) {
    const failure = slackFailure(error);
    throw new SluiceError('unavailable', failure.kind === 'sent' ? 'Slack' : failure.error, { cause: error });
  }
}
