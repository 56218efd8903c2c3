import { stripVTControlCharacters } from 'node:util';
import { type LogSource, parseLine } from './log-segments.ts';

/** Numbers of the lines that hold `text`, ignoring case and ANSI codes; reads one segment at a time. */
export async function searchLog(source: LogSource, text: string, limit: number): Promise<readonly number[]> {
  const found: number[] = [];
  if (text === '') return found;
  const wanted = text.toLowerCase();
  // What the text looks like inside a record: most lines are ruled out without parsing them.
  const encoded = JSON.stringify(text).slice(1, -1).toLowerCase();
  for (const segment of await source.list()) {
    const content = (await source.read(segment, 0, null)).toString('utf8');
    const lowered = content.toLowerCase();
    if (!mayHold(lowered, encoded)) continue;
    const records = content.split('\n').slice(0, -1); // after the last newline: nothing, or a torn line
    for (const [index, record] of records.entries()) {
      if (record.startsWith('{"end"') || !mayHold(record.toLowerCase(), encoded)) continue;
      const n = segment.firstLine + index;
      if (!stripVTControlCharacters(parseLine(record, n).text).toLowerCase().includes(wanted)) continue;
      found.push(n);
      if (found.length >= limit) return found;
    }
  }
  return found;
}

/** An ANSI code may stand in the middle of the text; then only parsing can tell. */
function mayHold(lowered: string, encoded: string): boolean {
  return lowered.includes(encoded) || lowered.includes('\\u001b') || lowered.includes('\u009b');
}
