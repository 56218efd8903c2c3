import { pastEvents, threadFields, type PastEvent } from './alert-history.ts';

/** What a later alert of the same run needs to know about the message in the channel. */
export interface SlackThread {
  /** Channel id as Slack returned it; edits need the id where posts take a name. */
  readonly channel: string;
  readonly ts: string;
  /** Id of the alert that posted the message; stays in its metadata over edits. */
  readonly firstId: string;
  /** What the message told so far, oldest first. */
  readonly past: readonly PastEvent[];
}

export function encodeSlackThread(thread: SlackThread): string {
  return JSON.stringify(thread);
}

/** Null for text that is not ours: the alert is then posted anew instead of being lost. */
export function decodeSlackThread(text: string | null): SlackThread | null {
  const { channel, ts, firstId, past } = threadFields(text);
  if (typeof channel !== 'string' || typeof ts !== 'string' || typeof firstId !== 'string') return null;
  return { channel, ts, firstId, past: pastEvents(past) };
}
