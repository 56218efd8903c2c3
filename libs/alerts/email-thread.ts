import { createHash } from 'node:crypto';
import { pastEvents, threadFields, type PastEvent } from './alert-history.ts';

/** What a later mail about the same run refers to. */
export interface EmailThread {
  /** Message-ID of the first mail, with its angle brackets. */
  readonly root: string;
  /** Message-ID of the newest mail before. */
  readonly last: string;
  readonly past: readonly PastEvent[];
}

const MESSAGE_ID = /^<[A-Za-z0-9._-]{1,80}@[A-Za-z0-9.-]{1,255}>$/;

/** Same alert, same id, however often it is sent: mail servers and programs drop or fold the repeat. */
export function messageIdOf(alertId: string, fromAddress: string): string {
  const local = /^[A-Za-z0-9_-]{1,60}$/.test(alertId)
    ? alertId
    : createHash('sha256').update(alertId).digest('hex').slice(0, 40);
  const domain = /@([A-Za-z0-9.-]+)>?$/.exec(fromAddress)?.[1] ?? 'sluice.invalid';
  return `<sluice.${local}@${domain}>`;
}

export function encodeEmailThread(thread: EmailThread): string {
  return JSON.stringify(thread);
}

/** Null for text that is not ours: the mail then starts a thread of its own. */
export function decodeEmailThread(text: string | null): EmailThread | null {
  const { root, last, past } = threadFields(text);
  if (typeof root !== 'string' || typeof last !== 'string') return null;
  if (!MESSAGE_ID.test(root) || !MESSAGE_ID.test(last)) return null;
  return { root, last, past: pastEvents(past) };
}
