const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

/** One line as it came: `bytes` is its whole length, `text` its beginning when it is not `whole`. */
export interface RawLine {
  readonly text: string;
  readonly bytes: number;
  readonly whole: boolean;
}

/** Cuts chunks into lines, holding at most `keepBytes` of an unfinished line. Bytes that are not UTF-8 become U+FFFD. */
export class LineSplitter {
  readonly #keepBytes: number;
  readonly #onLine: (line: RawLine) => void;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #bytes = 0;

  constructor(keepBytes: number, onLine: (line: RawLine) => void) {
    this.#keepBytes = keepBytes;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk, from, at);
      this.#emit();
      from = at + 1;
    }
    this.#keep(chunk, from, chunk.length);
  }

  /** Emits what stands after the last newline. */
  end(): void {
    if (this.#bytes > 0) this.#emit();
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

  #emit(): void {
    const joined = this.#kept.length === 1 ? this.#kept[0]! : Buffer.concat(this.#kept);
    const whole = this.#keptBytes === this.#bytes;
    const end = whole && joined[joined.length - 1] === CARRIAGE_RETURN ? joined.length - 1 : joined.length;
    const line = { text: joined.toString('utf8', 0, end), bytes: this.#bytes, whole };
    this.#kept = [];
    this.#keptBytes = 0;
    this.#bytes = 0;
    this.#onLine(line);
  }
}
