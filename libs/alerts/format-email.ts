import type { AlertMessage } from '#core';
import type { PastEvent } from './alert-history.ts';
import { cleanLine, shorten } from './clean-text.ts';
import { emailContent, type EmailContent } from './email-content.ts';
import { formatEmailHtml } from './email-html.ts';
import { EVENT_LOOKS } from './event-look.ts';

export interface EmailBody {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const SUBJECT_LIMIT = 150;

/** Subject, plain text and HTML of one alert; every value in it is cleaned, and escaped where it must be. */
export function formatEmail(message: AlertMessage, past: readonly PastEvent[]): EmailBody {
  const content = emailContent(message, past);
  return { subject: emailSubject(message), text: emailText(content), html: formatEmailHtml(content) };
}

/** `[prod] churn-model failed: task "train" (exit code 3)`; one line whatever the values hold. */
function emailSubject(message: AlertMessage): string {
  const { word } = EVENT_LOOKS[message.event];
  const title = cleanLine(message.title);
  const [, task, end] = /^Task ("[^"]{1,80}") failed on try \d+ of \d+: (.+)$/.exec(title) ?? [];
  const what = task === undefined || end === undefined ? title : `task ${task} (${end})`;
  const about = shorten(cleanLine(message.pipeline), 80);
  return shorten(`[${shorten(cleanLine(message.environment), 40)}] ${about} ${word}: ${what}`, SUBJECT_LIMIT);
}

function emailText(content: EmailContent): string {
  const { headline, title, facts, links, before, log, logCaption } = content;
  const width = Math.max(...facts.map(({ label }) => label.length)) + 2;
  const parts = [headline, title, facts.map(({ label, value }) => `${`${label}:`.padEnd(width)}${value}`).join('\n')];
  if (links.length > 0) parts.push(links.map(({ text, url }) => `${text}: ${url}`).join('\n'));
  if (before.length > 0) parts.push(['Before:', ...before.map((line) => `  ${line}`)].join('\n'));
  if (log.length > 0) parts.push([logCaption, ...log.map((line) => `  ${line}`)].join('\n'));
  return `${parts.join('\n\n')}\n`;
}
