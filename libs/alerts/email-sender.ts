import type { AlertMessage, AlertSender, SendResult } from '#core';
import { createTransport } from 'nodemailer';
import { withEvent } from './alert-history.ts';
import { emailFailure } from './email-errors.ts';
import { decodeEmailThread, encodeEmailThread, messageIdOf } from './email-thread.ts';
import { formatEmail } from './format-email.ts';

export interface EmailSenderOptions {
  /** `smtp://user:password@host:587` or `smtps://…:465`; nodemailer's URL options may follow a `?`. */
  readonly smtpUrl: string;
  /** `Sluice <sluice@acme.example>` or a bare address. */
  readonly from: string;
  /** How long connecting, and each answer of the server, may take, in milliseconds; default 15,000. */
  readonly timeoutMs?: number | undefined;
}

/** One local part, one domain, nothing that could start a second address or header. */
const ADDRESS = /^[^\s@<>(),;:"\\\p{Cc}]{1,64}@[^\s@<>(),;:"\\\p{Cc}]{1,255}$/u;

/**
 * One mail per event; mails about the same run refer to each other. A mail cannot be looked up, so one that is in
 * doubt goes out again with the same Message-ID.
 */
export function createEmailSender(options: EmailSenderOptions): AlertSender {
  const { smtpUrl, from, timeoutMs = 15_000 } = options;
  const transport = createTransport({
    url: smtpUrl,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });

  async function send(
    target: string,
    message: AlertMessage,
    thread: string | null,
    inDoubt: boolean,
  ): Promise<SendResult> {
    if (!ADDRESS.test(target)) {
      return { kind: 'rejected', error: `not one e-mail address: ${JSON.stringify(target.slice(0, 100))}` };
    }
    const before = decodeEmailThread(thread);
    const past = before?.past ?? [];
    const messageId = messageIdOf(message.id, from);
    const references = before === null ? [] : [...new Set([before.root, before.last])];
    const { subject, text, html } = formatEmail(message, past);
    try {
      const info = await transport.sendMail({
        from,
        // As an object it stays one address, whatever it holds.
        to: { name: '', address: target },
        subject,
        text,
        html,
        messageId,
        ...(before === null ? {} : { inReplyTo: before.last, references }),
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      });
      return {
        kind: 'sent',
        thread: encodeEmailThread({ root: before?.root ?? messageId, last: messageId, past: withEvent(past, message) }),
        detail: `${info.response}${inDoubt ? ' (may be a repeat; same Message-ID)' : ''}`,
      };
    } catch (error) {
      return emailFailure(error);
    }
  }

  return { kind: 'email', send };
}
