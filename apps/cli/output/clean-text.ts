import { stripVTControlCharacters } from 'node:util';

// Text from a server, a file name or a task may hold escape codes that move the cursor, change the title or
// make other text invisible. Nothing of that reaches the terminal.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const BIDI_CONTROLS = /\p{Bidi_Control}/gu;
const COLOUR = /\u001b\[[0-9;:]*m/g;

/** One line that is safe to print: escape codes and control characters are gone, line breaks and tabs are spaces. */
export function cleanLine(text: string): string {
  return cleanText(text).replace(/[\t\n]+/g, ' ');
}

/** As `cleanLine`, but keeps tabs and line breaks. */
export function cleanText(text: string): string {
  return stripVTControlCharacters(text.replace(/\r\n/g, '\n')).replace(CONTROLS, '').replace(BIDI_CONTROLS, '');
}

/** One log line for a terminal: colours (SGR codes) stay and are ended, everything else is cleaned. */
export function cleanColoured(text: string): string {
  let coloured = false;
  const parts: string[] = [];
  let end = 0;
  for (const match of text.matchAll(COLOUR)) {
    parts.push(cleanText(text.slice(end, match.index)), match[0]);
    end = match.index + match[0].length;
    coloured = true;
  }
  parts.push(cleanText(text.slice(end)));
  return parts.join('').replace(/\n/g, ' ') + (coloured ? '\u001b[0m' : '');
}
