const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const COLON = 58;

/** One line as it came: `bytes` is its whole length, `text` its beginning when it is not `whole`. */
export interface RawLine {
  readonly text: string;
  readonly bytes: number;
  readonly whole: boolean;
}

export interface LineListener {
  /**
   * Whole lines with newlines between them, of at most `atOnceBytes` together: a flood costs a tenth of what each line for
   * itself would. False: they are wanted one by one.
   */
  lines(text: string): boolean;
  line(line: RawLine): void;
  /** Lines that were not read because `skipping` is set; `bytes` includes their newlines. */
  skipped(lines: number, bytes: number): void;
}

export interface LineLimits {
  /** What is held of an unfinished line. */
  readonly keepBytes: number;
  /** What is told as one text. */
  readonly atOnceBytes: number;
}

/** Cuts chunks into lines. Bytes that are not UTF-8 become U+FFFD. */
export class LineSplitter {
  /**
   * Only lines that begin with a colon are still of interest: the others are counted. A flood of two-byte lines would
   * otherwise cost a microsecond for each of them.
   */
  skipping = false;
  readonly #keepBytes: number;
  readonly #atOnceBytes: number;
  readonly #listener: LineListener;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #bytes = 0;

  constructor({ keepBytes, atOnceBytes }: LineLimits, listener: LineListener) {
    this.#keepBytes = keepBytes;
    this.#atOnceBytes = atOnceBytes;
    this.#listener = listener;
  }

  push(chunk: Buffer): void {
    let from = 0;
    let oneByOneUntil = 0;
    for (;;) {
      if (this.skipping && this.#bytes === 0) from = this.#skip(chunk, from);
      if (this.#bytes === 0 && from >= oneByOneUntil) {
        const to = chunk.lastIndexOf(NEWLINE, from + this.#atOnceBytes);
        oneByOneUntil = to + 1;
        if (to > from && this.#listener.lines(chunk.toString('utf8', from, to))) {
          from = to + 1;
          continue;
        }
      }
      const at = chunk.indexOf(NEWLINE, from);
      if (at === -1) break;
      // Most lines lie within one chunk, and are read where they lie.
      if (this.#bytes === 0 && at - from <= this.#keepBytes) this.#emit(chunk.subarray(from, at), at - from);
      else {
        this.#keep(chunk, from, at);
        this.#emitKept();
      }
      from = at + 1;
    }
    this.#keep(chunk, from, chunk.length);
  }

  /** Emits what stands after the last newline. */
  end(): void {
    if (this.#bytes > 0) this.#emitKept();
  }

  /** Passes over whole lines, up to one that begins with a colon or is not finished in this chunk. */
  #skip(chunk: Buffer, from: number): number {
    let lines = 0;
    let start = from;
    for (let at = from; at < chunk.length; at += 1) {
      if (at === start && chunk[at] === COLON) break;
      if (chunk[at] !== NEWLINE) continue;
      lines += 1;
      start = at + 1;
    }
    if (lines > 0) this.#listener.skipped(lines, start - from);
    return start;
  }

  #keep(chunk: Buffer, from: number, to: number): void {
    if (to === from) return;
    this.#bytes += to - from;
    const room = this.#keepBytes - this.#keptBytes;
    if (room <= 0) return;
    // A copy: the chunk's memory belongs to the reader of the pipe.
    const part = Buffer.from(chunk.subarray(from, Math.min(to, from + room)));
    this.#kept.push(part);
    this.#keptBytes += part.length;
  }

  #emitKept(): void {
    const joined = this.#kept.length === 1 ? this.#kept[0]! : Buffer.concat(this.#kept);
    const bytes = this.#bytes;
    this.#kept = [];
    this.#keptBytes = 0;
    this.#bytes = 0;
    this.#emit(joined, bytes);
  }

  #emit(kept: Buffer, bytes: number): void {
    const whole = kept.length === bytes;
    const end = whole && kept[kept.length - 1] === CARRIAGE_RETURN ? kept.length - 1 : kept.length;
    this.#listener.line({ text: kept.toString('utf8', 0, end), bytes, whole });
  }
}
