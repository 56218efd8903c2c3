import { cleanLine, shortenEscaped } from './clean-text.ts';

/** The three characters that Slack gives a meaning to; with them escaped no mention and no link can be formed. */
export function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Somebody else's text inside a line of ours: cleaned, at most `limit` characters, without mentions, links, formatting or emoji codes. */
export function slackInline(text: string, limit: number): string {
  return shortenEscaped(cleanLine(text), limit, literal);
}

function literal(text: string): string {
  const plain = text
    .replaceAll('`', 'ˋ')
    .replaceAll('*', '∗')
    .replaceAll('~', '∼')
    // Slack formats _this_ but not snake_case, so only underscores at the edge of a word change.
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, 'ˍ')
    .replace(/:(?=[a-z+][\w+'-]*:)/gi, ':\u200b');
  // A `>` that opens a line would be a quotation even when it is escaped.
  return escapeSlack(plain).replace(/^&gt;/, '›');
}

/** A log line for a code block: a run of backticks would end the block. */
export function slackCode(line: string): string {
  return escapeSlack(line).replace(/`(?=`)/g, '`\u200b');
}

/** `text` shown as a link. */
export function slackLink(url: string, text: string): string {
  const target = url.replaceAll('|', '%7C').replaceAll('<', '%3C').replaceAll('>', '%3E').replaceAll('&', '&amp;');
  return `<${target}|${text}>`;
}

/** An instant in the reader's own time zone. */
export function slackDate(instant: string): string {
  const seconds = Math.floor(Date.parse(instant) / 1000);
  if (!Number.isFinite(seconds)) return slackInline(instant, 60);
  const fallback = new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ');
  return `<!date^${seconds}^{date_short_pretty} {time}|${fallback} UTC>`;
}
