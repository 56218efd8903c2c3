import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { LogLine } from '#core';

/** A file of an attempt's log. Its name is the number of its first line: the folder's listing is the line index. */
export interface LogSegment {
  readonly file: string;
  readonly firstLine: number;
}

/** Past this a segment is full and the next one begins. */
export const SEGMENT_BYTES = 1024 * 1024;
export const NEWLINE = 0x0a;

export function segmentName(firstLine: number): string {
  return `${String(firstLine).padStart(8, '0')}.ndjson`;
}

/** In order; empty when nothing was logged (yet). */
export async function listSegments(folder: string): Promise<readonly LogSegment[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => /^\d+\.ndjson$/.test(name))
    .map((name) => ({ file: path.join(folder, name), firstLine: Number.parseInt(name, 10) }))
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
    const { at, stream, text: line } = JSON.parse(text) as LogLine;
    return { n, at, stream, text: line };
  } catch {
    return { n, at: 0, stream: 'sys', text: '(this line of the log is damaged)' };
  }
}

export function lineRecord(line: LogLine): string {
  return `{"n":${line.n},"at":${line.at},"stream":"${line.stream}","text":${JSON.stringify(line.text)}}\n`;
}

/** Last record of a log that was closed. Its third byte tells it from a line. */
export function endRecord(lines: number): string {
  return `{"end":true,"lines":${lines}}\n`;
}

export function isEnd(chunk: Buffer, at: number): boolean {
  return chunk[at + 2] === 0x65;
}
