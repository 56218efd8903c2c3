import type { AlertMessage } from '#core';
import type { KnownBlock, MessageAttachment } from '@slack/web-api';
import { alertFacts, subjectOf } from './alert-facts.ts';
import type { PastEvent } from './alert-history.ts';
import { safeUrl } from './clean-text.ts';
import { EVENT_LOOKS } from './event-look.ts';
import { lastLines } from './last-lines.ts';
import { slackDecisionButtons } from './slack-decision.ts';
import { slackCode, slackDate, slackInline, slackLink } from './slack-text.ts';

/** What `chat.postMessage` and `chat.update` take; nothing in it can mention, link or format by accident. */
export interface SlackBody {
  /** Shown where blocks are not: notifications, screen readers. */
  readonly text: string;
  readonly blocks: KnownBlock[];
  readonly attachments: MessageAttachment[];
}

/** Slack's limit of one text object. */
const TEXT_LIMIT = 3000;
const FIELD_LIMIT = 10;
const REPLY_LINES = 50;
const MAIN_LINES = 4;

/** The one message of a run in a channel, as it looks after `past` and this event. */
export function formatSlackMessage(message: AlertMessage, past: readonly PastEvent[]): SlackBody {
  const color = EVENT_LOOKS[message.event].color;
  return {
    text: slackSummary(message),
    blocks: [section(headline(message))],
    attachments: [{ color, fallback: slackSummary(message), blocks: details(message, past) }],
  };
}

/** What goes into the thread for this event; null when there is nothing to add to the message. */
export function formatSlackReply(message: AlertMessage, isFirst: boolean): SlackBody | null {
  const { lines, omitted } = lastLines(message.logTail, {
    maxLines: REPLY_LINES,
    budget: TEXT_LIMIT - 20,
    escape: slackCode,
  });
  if (lines.length === 0 && isFirst) return null;
  const blocks: KnownBlock[] = [];
  if (!isFirst) blocks.push(section(`${headline(message)}\n${slackInline(message.title, 600)}`));
  if (lines.length > 0) {
    blocks.push(context(logCaption(message, lines.length, omitted)), section(codeBlock(lines)));
  }
  return { text: slackSummary(message), blocks, attachments: [] };
}

/** One line without blocks; also what is sent alone when Slack refuses the blocks. */
export function slackSummary(message: AlertMessage): string {
  const { icon, word } = EVENT_LOOKS[message.event];
  const subject = `${slackInline(message.pipeline, 100)} ${word} in ${slackInline(message.environment, 60)}`;
  return `${icon} ${subject}: ${slackInline(message.title, 600)}`;
}

function headline(message: AlertMessage): string {
  const { icon, word } = EVENT_LOOKS[message.event];
  return `${icon} *${slackInline(message.pipeline, 100)}* ${word} in *${slackInline(message.environment, 60)}*`;
}

function details(message: AlertMessage, past: readonly PastEvent[]): KnownBlock[] {
  const blocks: KnownBlock[] = [section(slackInline(message.title, 600) || '–')];
  const fields = alertFacts(message)
    .filter(({ label }) => label !== 'Pipeline')
    .slice(0, FIELD_LIMIT)
    .map(({ label, value }) => mrkdwn(`*${slackInline(label, 60)}*\n${slackInline(value, 400)}`));
  if (fields.length > 0) blocks.push({ type: 'section', fields });
  const { lines } = lastLines(message.logTail, { maxLines: MAIN_LINES, budget: 800, escape: slackCode });
  if (lines.length > 0) blocks.push(section(codeBlock(lines)));
  if (past.length > 0) blocks.push(section(`*Before*\n${past.map(pastLine).join('\n')}`));
  const elements = buttons(message, past);
  if (elements.length > 0) blocks.push({ type: 'actions', elements });
  blocks.push(context(slackDate(message.at)));
  return blocks;
}

function pastLine({ event, title, at }: PastEvent): string {
  const { icon, word } = EVENT_LOOKS[event];
  return `${icon} ${word}, ${slackDate(at)}: ${slackInline(title, 200)}`;
}

type Buttons = Extract<KnownBlock, { type: 'actions' }>['elements'];

function buttons(message: AlertMessage, past: readonly PastEvent[]): Buttons {
  return [...slackDecisionButtons(message), ...links(message, past)];
}

function links(message: AlertMessage, past: readonly PastEvent[]): Buttons {
  const failed = past.findLast(({ event }) => event === 'run.failed')?.runUrl ?? null;
  const wanted = [
    { id: 'run', text: `Open the ${subjectOf(message)}`, url: message.runUrl },
    { id: 'log', text: 'Open the log line', url: message.logUrl },
    // A recovery is often a new run; the one that failed stays within reach.
    { id: 'failed', text: 'Open the failed run', url: failed === message.runUrl ? null : failed },
  ];
  return wanted.flatMap(({ id, text, url }) => {
    const target = safeUrl(url);
    if (target === null) return [];
    return [
      { type: 'button' as const, action_id: `sluice_${id}`, text: { type: 'plain_text' as const, text }, url: target },
    ];
  });
}

function logCaption(message: AlertMessage, shown: number, omitted: number): string {
  const what = omitted > 0 ? `Last ${shown} log lines` : 'Log';
  const url = safeUrl(message.logUrl);
  return url === null ? what : `${what}, ${slackLink(url, 'open the log')}`;
}

function codeBlock(lines: readonly string[]): string {
  return `\`\`\`\n${lines.join('\n')}\n\`\`\``;
}

function section(text: string): KnownBlock {
  return { type: 'section', text: mrkdwn(text) };
}

function context(text: string): KnownBlock {
  return { type: 'context', elements: [mrkdwn(text)] };
}

/** `verbatim`: names and addresses in the text stay text. */
function mrkdwn(text: string): { type: 'mrkdwn'; text: string; verbatim: true } {
  return { type: 'mrkdwn', text, verbatim: true };
}
