import type { LogLine } from '#core';

/** A part of an attempt's log. Its name is the number of its first line: the listing is the line index. */
export interface LogSegment {
  readonly firstLine: number;
  readonly name: string;
}

/** Where the segments of one log lie. */
export interface LogSource {
  /** In order; empty when nothing was logged (yet). */
  list(): Promise<readonly LogSegment[]>;
  /** At most `most` bytes of a segment (null: all) from `offset` on; fewer at its end. */
  read(segment: LogSegment, offset: number, most: number | null): Promise<Buffer>;
}

/** Past this a segment is full and the next one begins. */
export const SEGMENT_BYTES = 1024 * 1024;
export const NEWLINE = 0x0a;

export function segmentName(firstLine: number): string {
  return `${String(firstLine).padStart(8, '0')}.ndjson`;
}

/** Those of the names that are segments, in order. */
export function segmentsAmong(names: readonly string[]): readonly LogSegment[] {
  return names
    .filter((name) => /^\d+\.ndjson$/.test(name))
    .map((name) => ({ name, firstLine: Number.parseInt(name, 10) }))
    .sort((a, b) => a.firstLine - b.firstLine);
}

/** Index of the segment that holds that line, or would. */
export function segmentOf(segments: readonly LogSegment[], line: number): number {
  let index = 0;
  while (index + 1 < segments.length && (segments[index + 1] as LogSegment).firstLine <= line) index += 1;
  return index;
}

/** One line of a segment. A torn or damaged one is shown as such: the rest of the log must stay readable. */
export function parseLine(text: string, n: number): LogLine {
  try {
    const { at, stream, text: line, rank } = JSON.parse(text) as LogLine;
    return { n, at, stream, text: line, ...(rank === undefined ? {} : { rank }) };
  } catch {
    return { n, at: 0, stream: 'sys', text: '(this line of the log is damaged)' };
  }
}

/** Records of the lines of a text, numbered from `n` on, and how many they are. */
export function lineRecords(
  { at, stream, text, rank }: Omit<LogLine, 'n'>,
  n: number,
): { records: string; lines: number } {
  const before = `,"at":${at},"stream":"${stream}","text":"`;
  const after = rank === undefined ? '"}\n' : `","rank":${rank}}\n`;
  const lines = insideQuotes(text);
  let records = '';
  for (const [index, line] of lines.entries()) records += `{"n":${n + index}` + before + line + after;
  return { records, lines: lines.length };
}

const ESCAPED = /[\u0000-\u0009\u000b-\u001f"\\]/;

/** The lines of a text as they stand between quotes in JSON. All at once, unless `\n` there may be a backslash and an n. */
function insideQuotes(text: string): readonly string[] {
  if (!ESCAPED.test(text)) return text.split('\n');
  if (!text.includes('\\')) return JSON.stringify(text).slice(1, -1).split('\\n');
  return text.split('\n').map((line) => JSON.stringify(line).slice(1, -1));
}

/** Last record of a log that was closed. Its third byte tells it from a line. */
export function endRecord(lines: number): string {
  return `{"end":true,"lines":${lines}}\n`;
}

/** The same of records one after the other, all at once: to ask for each costs twice as much. */
export function parseLines(records: string, first: number): LogLine[] {
  const texts = records.split('\n');
  try {
    const lines = JSON.parse(`[${texts.join(',')}]`) as LogLine[];
    // A damaged one may still read as JSON together with its neighbours.
    if (lines.length === texts.length && lines.every(({ n }, index) => n === first + index)) return lines;
  } catch {
    // seen to below
  }
  return texts.map((text, index) => parseLine(text, first + index));
}

export function isEnd(chunk: Buffer, at: number): boolean {
  return chunk[at + 2] === 0x65;
}
