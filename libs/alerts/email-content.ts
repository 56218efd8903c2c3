import type { AlertMessage } from '#core';
import { alertFacts, describeInstant, subjectOf } from './alert-facts.ts';
import type { PastEvent } from './alert-history.ts';
import { cleanLine, safeUrl, shorten } from './clean-text.ts';
import { EVENT_LOOKS } from './event-look.ts';
import { lastLines } from './last-lines.ts';

/** What a mail says, in plain text and HTML alike; cleaned, not yet escaped. */
export interface EmailContent {
  readonly event: AlertMessage['event'];
  readonly headline: string;
  readonly title: string;
  readonly facts: readonly { readonly label: string; readonly value: string }[];
  readonly log: readonly string[];
  /** Says when lines are missing, so that nobody takes the end for the whole. */
  readonly logCaption: string;
  readonly before: readonly string[];
  readonly links: readonly { readonly text: string; readonly url: string }[];
}

const LOG_LINES = 100;
const LOG_CHARACTERS = 20_000;

export function emailContent(message: AlertMessage, past: readonly PastEvent[]): EmailContent {
  const { icon, word } = EVENT_LOOKS[message.event];
  const { lines, omitted } = lastLines(message.logTail, {
    maxLines: LOG_LINES,
    budget: LOG_CHARACTERS,
    escape: (line) => line,
  });
  return {
    event: message.event,
    headline: `${icon} ${cleanLine(message.pipeline)} ${word} in ${cleanLine(message.environment)}`,
    title: shorten(cleanLine(message.title), 600),
    facts: [...alertFacts(message), { label: 'At', value: describeInstant(message.at) }],
    log: lines,
    logCaption: omitted > 0 ? `Last ${lines.length} log lines:` : 'Log:',
    before: past.map(
      ({ event, title, at }) => `${EVENT_LOOKS[event].word}, ${describeInstant(at)}: ${cleanLine(title)}`,
    ),
    links: links(message),
  };
}

function links(message: AlertMessage): EmailContent['links'] {
  const wanted = [
    { text: `Open the ${subjectOf(message)}`, url: safeUrl(message.runUrl) },
    { text: 'Open the log line', url: safeUrl(message.logUrl) },
  ];
  return wanted.flatMap(({ text, url }) => (url === null ? [] : [{ text, url }]));
}
