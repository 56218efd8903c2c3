import type { LogLine } from '#core';
import {
  isEnd,
  type LogSegment,
  type LogSource,
  NEWLINE,
  parseLines,
  SEGMENT_BYTES,
  segmentOf,
} from './log-segments.ts';

const NOTHING = Buffer.alloc(0);

/** Reads an attempt's log forward from a line, and remembers where it is: asking again costs only what is new. */
export class LogCursor {
  readonly #source: LogSource;
  #nextLine: number;
  #segment: LogSegment | null = null;
  /** Where in the segment the next look begins, and the number of the line there. */
  #offset = 0;
  #lineAtOffset = 0;
  /** What was read from the offset on and not taken yet: a reader of small pages would read each byte several times. */
  #rest: Buffer = NOTHING;
  #atEnd = false;
  #ended = false;

  constructor(source: LogSource, fromLine: number) {
    this.#source = source;
    this.#nextLine = Math.max(1, fromLine);
  }

  /** Number of the next line to come. */
  get nextLine(): number {
    return this.#nextLine;
  }

  /** True once the log was closed and all of it was read. */
  get complete(): boolean {
    return this.#ended;
  }

  /** The next lines, at most `limit`; none when there are no more yet. */
  async read(limit: number): Promise<readonly LogLine[]> {
    const lines: LogLine[] = [];
    while (lines.length < limit) {
      if (this.#segment === null) {
        const segments = await this.#source.list();
        if (segments.length === 0) break;
        this.#enter(segments[segmentOf(segments, this.#nextLine)] as LogSegment);
      }
      if (await this.#readOn(lines, limit)) continue;
      const next = await this.#following();
      if (next === undefined) break;
      // The old segment may have grown between our look at its end and the birth of the new one: look once more.
      if (!(await this.#readOn(lines, limit))) this.#enter(next);
    }
    // A log that was opened again after its end goes on in a later segment.
    this.#ended = this.#atEnd && (await this.#following()) === undefined;
    return lines;
  }

  #enter(segment: LogSegment): void {
    this.#segment = segment;
    this.#offset = 0;
    this.#lineAtOffset = segment.firstLine;
    this.#rest = NOTHING;
    this.#atEnd = false;
  }

  async #following(): Promise<LogSegment | undefined> {
    const { firstLine } = this.#segment as LogSegment;
    return (await this.#source.list()).find((segment) => segment.firstLine > firstLine);
  }

  /** Takes whole lines from the offset on; false when there is none. What has no newline yet is left for later. */
  async #readOn(lines: LogLine[], limit: number): Promise<boolean> {
    if (this.#take(this.#rest, lines, limit)) return true;
    for (let size = SEGMENT_BYTES; ; size *= 2) {
      const chunk = await this.#source.read(this.#segment as LogSegment, this.#offset, size);
      if (this.#take(chunk, lines, limit)) return true;
      if (chunk.length < size || this.#atEnd) return false;
    }
  }

  #take(chunk: Buffer, lines: LogLine[], limit: number): boolean {
    let at = 0;
    let wanted = 0;
    let taken = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, at)) {
      if (isEnd(chunk, at)) {
        this.#atEnd = true;
        break;
      }
      if (lines.length + taken >= limit) break;
      // Lines before the wanted one are counted, not parsed.
      if (this.#lineAtOffset < this.#nextLine) wanted = end + 1;
      else taken += 1;
      this.#lineAtOffset += 1;
      at = end + 1;
    }
    if (taken > 0) {
      const first = this.#lineAtOffset - taken;
      for (const line of parseLines(chunk.toString('utf8', wanted, at - 1), first)) lines.push(line);
      this.#nextLine = this.#lineAtOffset;
    }
    this.#offset += at;
    this.#rest = chunk.subarray(at);
    return at > 0;
  }
}
