import { stripVTControlCharacters } from 'node:util';

/** Overrides that let text pose as other text; ordinary right-to-left letters stay. */
const BIDI_CONTROLS = /\p{Bidi_Control}/gu;
const LINE_BREAKS = /\r\n|[\n\u000b\u000c\u0085\u2028\u2029]/gu;
const CONTROLS = /[\p{Cc}\ufeff]/gu;
const LONE_SURROGATES = /\p{Cs}/gu;

/** One printable line: escape codes, control characters, line breaks and direction overrides are gone. */
export function cleanLine(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[\t\r]|\r\n/g, ' ')
    .replace(LINE_BREAKS, ' ')
    .replace(BIDI_CONTROLS, '')
    .replace(CONTROLS, '')
    .replace(LONE_SURROGATES, '\ufffd')
    .trim();
}

/** As `cleanLine`, but indentation stays, and of a line that was redrawn with carriage returns the last drawing stays. */
export function cleanLogLine(text: string): string {
  const plain = stripVTControlCharacters(text).replace(/\r+$/, '').trimEnd();
  const indent = /^[ \t]*/.exec(plain)?.[0].replaceAll('\t', '    ') ?? '';
  return indent + cleanLine(plain.slice(plain.lastIndexOf('\r') + 1));
}

/** At most `limit` characters, the last one `…` when something was cut. Never cuts a character in two. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const cut = text.slice(0, Math.max(0, limit - 1)).replace(/\p{Cs}$/u, '');
  return `${cut}…`;
}

/** As `shorten`, but `limit` counts the characters after `escape`, and no escaped character is cut in two. */
export function shortenEscaped(text: string, limit: number, escape: (text: string) => string): string {
  const whole = escape(text);
  if (whole.length <= limit) return whole;
  for (let length = Math.min(text.length, limit); length > 0; length = Math.floor(length * 0.9)) {
    const cut = escape(shorten(text, length));
    if (cut.length <= limit) return cut;
  }
  return '';
}

/** The URL when it is an absolute http(s) one of at most `limit` characters, else null: nothing else may become a link. */
export function safeUrl(url: string | null, limit = 3000): string | null {
  if (url === null || url.length > limit || !URL.canParse(url)) return null;
  const { protocol, href } = new URL(url);
  return protocol === 'http:' || protocol === 'https:' ? href : null;
}
